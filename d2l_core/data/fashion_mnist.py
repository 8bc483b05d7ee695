"""Fashion-MNIST: 70,000 photographs of clothing in ten classes, 28 x 28 grey pixels each.

Han Xiao, Kashif Rasul and Roland Vollgraf, *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms* (arXiv:1708.07747, 2017). MIT licence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core._paths import cache_dir, replace_file
from d2l_core.data._hub import Resource, fetch
from d2l_core.data._idx import decode_idx
from d2l_core.data._samples import sample_bytes
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


def load_fashion_mnist(
    split: str = "train", sample: bool = False
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Images (n, 28, 28) and labels (n,), both uint8 and read-only, in the order of the published files.

    `split` is "train" (n = 60,000) or "test" (n = 10,000). With `sample` the subset that the package
    carries is returned instead: the first 600 training images of each class (n = 6,000) or the first 100
    test images of each class (n = 1,000). The full set is found or downloaded as `D2L_DATA_DIR`,
    `D2L_MIRROR` and `D2L_OFFLINE` say; its decoded form is kept in the cache and mapped into memory from
    there. Raises `UsageError` for another split and `DataError` when the files cannot be had or are
    damaged.
    """
    if split not in _COUNTS:
        raise UsageError(f"Fashion-MNIST has no split {split!r}; choose 'train' or 'test'.")
    read = _sample if sample else _full
    count = None if sample else _COUNTS[split]
    images = read(_IMAGES[split], (count, 28, 28))
    labels = read(_LABELS[split], (count,))
    _check(labels, len(images), split)
    return images, labels


def _sample(resource: Resource, shape: tuple[int | None, ...]) -> npt.NDArray[np.uint8]:
    array = decode_idx(sample_bytes(f"{_FOLDER}/{resource.name}"), f"The embedded {resource.name}", shape)
    array.flags.writeable = False
    return array


def _full(resource: Resource, shape: tuple[int | None, ...]) -> npt.NDArray[np.uint8]:
    # The name holds the hash of the published file, so a decoded array can never be taken for another's.
    decoded = cache_dir() / _FOLDER / f"{resource.name.removesuffix('.gz')}-{resource.sha256[:12]}.npy"
    kept = _mapped(decoded, shape)
    if kept is not None:
        return kept
    path = fetch(resource)
    array = decode_idx(path.read_bytes(), str(path), shape)
    try:
        replace_file(decoded, lambda part: _save(part, array))
    except OSError:  # without room in the cache the array is simply decoded again next time
        array.flags.writeable = False
        return array
    kept = _mapped(decoded, shape)
    return array if kept is None else kept


def _save(part: Path, array: npt.NDArray[Any]) -> None:
    with part.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _mapped(path: Path, shape: tuple[int | None, ...]) -> npt.NDArray[np.uint8] | None:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    usable = isinstance(array, np.ndarray) and array.shape == shape and array.dtype == np.uint8
    return np.asarray(array) if usable else None


def _check(labels: npt.NDArray[np.uint8], count: int, split: str) -> None:
    if len(labels) != count or labels.max(initial=0) >= len(FASHION_MNIST_LABELS):
        raise DataError(
            f"Fashion-MNIST's {split} labels do not belong to its images; delete {cache_dir() / _FOLDER} and try again."
        )
