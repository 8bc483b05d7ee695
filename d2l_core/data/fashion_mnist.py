"""Fashion-MNIST: 70,000 photographs of clothing in ten classes, 28 x 28 grey pixels each.

Han Xiao, Kashif Rasul and Roland Vollgraf, *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms* (arXiv:1708.07747, 2017). MIT licence.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core._paths import cache_dir
from d2l_core.data._cache import CachedArray
from d2l_core.data._hub import Resource, fetch
from d2l_core.data._idx import decode_idx
from d2l_core.data._samples import sample_bytes
from d2l_core.data.images import resized_in_pieces
from d2l_core.errors import DataError, UsageError

__all__ = ["FASHION_MNIST_LABELS", "load_fashion_mnist"]

FASHION_MNIST_LABELS = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
"""What label k shows, k = 0, ..., 9."""

_FOLDER = "fashion-mnist"
_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)


def _resource(name: str, size: int, sha256: str) -> Resource:
    return Resource(name, tuple(mirror + name for mirror in _MIRRORS), sha256, size, _FOLDER)


_IMAGES = {
    "train": _resource(
        "train-images-idx3-ubyte.gz",
        26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    "test": _resource(
        "t10k-images-idx3-ubyte.gz",
        4422102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
}
_LABELS = {
    "train": _resource(
        "train-labels-idx1-ubyte.gz",
        29515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    "test": _resource(
        "t10k-labels-idx1-ubyte.gz",
        5148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}
_COUNTS = {"train": 60_000, "test": 10_000}
_LARGEST = 1024


def load_fashion_mnist(
    split: str = "train", sample: bool = False, *, size: int = 28
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Images (n, size, size) and labels (n,), both uint8 and read-only, in the order of the published files.

    `split` is "train" (n = 60,000) or "test" (n = 10,000). With `sample` the subset that the package
    carries is returned instead: the first 600 training images of each class (n = 6,000) or the first 100
    test images of each class (n = 1,000). The full set is found or downloaded as `D2L_DATA_DIR`,
    `D2L_MIRROR` and `D2L_OFFLINE` say; its decoded form is kept in the cache and mapped into memory from
    there. So are images of another `size`, made by `resize_images`: the training set takes ``60,000 size²``
    bytes of disk, 3 GB at size 224.

    Raises:
        UsageError: there is no such split, or `size` is not a number from 1 to 1024.
        DataError: the files cannot be had or are damaged.
    """
    if split not in _COUNTS:
        raise UsageError(f"Fashion-MNIST has no split {split!r}; choose 'train' or 'test'.")
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= _LARGEST:
        raise UsageError(f"Images cannot have the size {size!r}; choose a whole number from 1 to {_LARGEST}.")
    read = _sample if sample else _full
    count = None if sample else _COUNTS[split]
    images, source = read(_IMAGES[split], (count, 28, 28))
    labels, _ = read(_LABELS[split], (count,))
    _check(labels, len(images), split)
    return images if size == 28 else _resized(images, _IMAGES[split], source, size), labels


def _sample(resource: Resource, shape: tuple[int | None, ...]) -> tuple[npt.NDArray[np.uint8], str]:
    """The embedded array, and the hash of its file."""
    data = sample_bytes(f"{_FOLDER}/{resource.name}")
    array = decode_idx(data, f"The embedded {resource.name}", shape)
    array.flags.writeable = False
    return array, hashlib.sha256(data).hexdigest()


def _full(resource: Resource, shape: tuple[Any, ...]) -> tuple[npt.NDArray[np.uint8], str]:
    """The published array, and the hash of its file."""

    def decoded() -> list[npt.NDArray[np.uint8]]:
        path = fetch(resource)
        return [decode_idx(path.read_bytes(), str(path), shape)]

    name = f"{_FOLDER}/{_stem(resource)}"
    return CachedArray(name, f"decoded {resource.sha256}", shape, np.uint8, decoded).load(), resource.sha256


def _resized(images: npt.NDArray[np.uint8], resource: Resource, source: str, size: int) -> npt.NDArray[np.uint8]:
    return CachedArray(
        f"{_FOLDER}/{_stem(resource)}-{size}",
        f"decoded {source}, resized to {size}",
        (len(images), size, size),
        np.uint8,
        lambda: resized_in_pieces(images, size),
    ).load()


def _stem(resource: Resource) -> str:
    return resource.name.removesuffix(".gz")


def _check(labels: npt.NDArray[np.uint8], count: int, split: str) -> None:
    if len(labels) != count or labels.max(initial=0) >= len(FASHION_MNIST_LABELS):
        raise DataError(
            f"Fashion-MNIST's {split} labels do not belong to its images; delete {cache_dir() / _FOLDER} and try again."
        )
