"""Data: files found or downloaded and verified, embedded samples, text, images and loaders.

The names are imported when first used, so that `import d2l_core.data` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from d2l_core.data._archive import extract
    from d2l_core.data._hub import Resource, fetch
    from d2l_core.data._idx import decode_idx, encode_idx
    from d2l_core.data._loader import Loader
    from d2l_core.data.airfoil import AIRFOIL_FEATURES, load_airfoil
    from d2l_core.data.fashion_mnist import FASHION_MNIST_LABELS, load_fashion_mnist
    from d2l_core.data.house_prices import load_house_prices
    from d2l_core.data.images import resize_images, to_float_images
    from d2l_core.data.text import Vocabulary, clean, tokenise, windows
    from d2l_core.data.time_machine import load_time_machine

_HOMES = {
    "AIRFOIL_FEATURES": "airfoil",
    "FASHION_MNIST_LABELS": "fashion_mnist",
    "Loader": "_loader",
    "Resource": "_hub",
    "Vocabulary": "text",
    "clean": "text",
    "decode_idx": "_idx",
    "encode_idx": "_idx",
    "extract": "_archive",
    "fetch": "_hub",
    "load_airfoil": "airfoil",
    "load_fashion_mnist": "fashion_mnist",
    "load_house_prices": "house_prices",
    "load_time_machine": "time_machine",
    "resize_images": "images",
    "to_float_images": "images",
    "tokenise": "text",
    "windows": "text",
}

__all__ = [
    "AIRFOIL_FEATURES",
    "FASHION_MNIST_LABELS",
    "Loader",
    "Resource",
    "Vocabulary",
    "clean",
    "decode_idx",
    "encode_idx",
    "extract",
    "fetch",
    "load_airfoil",
    "load_fashion_mnist",
    "load_house_prices",
    "load_time_machine",
    "resize_images",
    "to_float_images",
    "tokenise",
    "windows",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
