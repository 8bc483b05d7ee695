"""Make the data samples that the package carries from the full public files.

    D2L_DATA_DIR=<folder with the full files> python tools/make_samples.py

The result depends on nothing but those files: the first images of each class in file order, kept in that
order, the first sales of houses, and texts as they are, compressed without a time stamp.
"""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np

from d2l_core.data._hub import Resource, fetch
from d2l_core.data._idx import encode_idx
from d2l_core.data.fashion_mnist import load_fashion_mnist
from d2l_core.data.house_prices import load_house_prices

SAMPLES = Path(__file__).resolve().parent.parent / "d2l_core" / "data" / "samples"
IMAGES_PER_CLASS = {"train": ("train", 600), "test": ("t10k", 100)}
HOUSES = {"train": 600, "test": 200}
JUDGEMENTS = (
    "OverallQual",
    "ExterQual",
    "BsmtQual",
    "BsmtFinSF1",
    "LowQualFinSF",
    "KitchenQual",
    "FireplaceQu",
    "GarageYrBlt",
    "GarageQual",
)
"""Columns of the house prices that modeldata, under whose licence the sample is passed on, does not have."""
WHOLE_FILES = {
    "time-machine": Resource(
        "timemachine.txt",
        ("http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",),
        "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516",
        178979,
        "timemachine",
    ),
    "airfoil": Resource(
        "airfoil_self_noise.dat",
        (
            "https://archive.ics.uci.edu/ml/machine-learning-databases/00291/airfoil_self_noise.dat",
            "http://d2l-data.s3-accelerate.amazonaws.com/airfoil_self_noise.dat",
        ),
        "74c75fd71783f1e6b71f8a622b993dc592897a97cd689c5090a07147a1b097b3",
        59984,
        "airfoil",
    ),
}


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Sorted indices of the first `count` examples of each label."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]))


def first_houses(split: str, count: int) -> bytes:
    """The first sales of a split as a CSV file, without the columns that are not passed on."""
    table = {name: cells[:count] for name, cells in load_house_prices(split).items() if name not in JUDGEMENTS}
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table, *zip(*table.values(), strict=True)])
    return text.getvalue().encode("ascii")


def write(path: Path, data: bytes) -> None:
    """Write one sample and say how large it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    print(f"{path.relative_to(SAMPLES)}: {len(data):,} bytes")


def main() -> None:
    """Make all samples."""
    for split, (prefix, count) in IMAGES_PER_CLASS.items():
        images, labels = load_fashion_mnist(split)
        chosen = first_of_each_class(labels, count)
        write(SAMPLES / "fashion-mnist" / f"{prefix}-images-idx3-ubyte.gz", encode_idx(images[chosen]))
        write(SAMPLES / "fashion-mnist" / f"{prefix}-labels-idx1-ubyte.gz", encode_idx(labels[chosen]))
    for split, count in HOUSES.items():
        data = gzip.compress(first_houses(split, count), compresslevel=9, mtime=0)
        write(SAMPLES / "house-prices" / f"kaggle_house_pred_{split}.csv.gz", data)
    for folder, resource in WHOLE_FILES.items():
        data = gzip.compress(fetch(resource).read_bytes(), compresslevel=9, mtime=0)
        write(SAMPLES / folder / f"{resource.name}.gz", data)


if __name__ == "__main__":
    main()
