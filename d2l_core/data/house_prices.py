"""Prices of houses in Ames, Iowa: 2,919 sales of the years 2006 to 2010, as divided for a competition.

Recorded by the Ames City Assessor's Office and compiled by Dean De Cock, *Ames, Iowa: Alternative to the Boston Housing
Data as an End of Semester Regression Project* (Journal of Statistics Education 19, 2011). Kaggle's competition "House
Prices: Advanced Regression Techniques" gives 1,460 of the sales with their prices and asks for those of 1,459 others.
"""

from __future__ import annotations

import csv
import io

import numpy as np
import numpy.typing as npt

from d2l_core.data._hub import Resource, fetch
from d2l_core.data._samples import sample_text_bytes
from d2l_core.errors import DataError, UsageError

__all__ = ["load_house_prices"]

Table = dict[str, npt.NDArray[np.str_]]

_FOLDER = "house-prices"
_MIRROR = "http://d2l-data.s3-accelerate.amazonaws.com/"


def _resource(name: str, size: int, sha256: str) -> Resource:
    return Resource(name, (_MIRROR + name,), sha256, size, _FOLDER)


_FILES = {
    "train": _resource(
        "kaggle_house_pred_train.csv",
        460676,
        "1e18addf81e5e4d347cc17ee6075bbe4a42b7fa26b9e5b063e8f692a5f929d41",
    ),
    "test": _resource(
        "kaggle_house_pred_test.csv",
        451405,
        "8fdd3d829d4d986b58f845c9553b225e67dd8383624d90fb6ca1d4bed5798c1e",
    ),
}
_SAMPLES = {
    "train": "2e6930f0ef71fd7f372ccd4db87b27e95708a3759b8f67a64881317f5e670e44",
    "test": "754d2dd0c5c84ff858d0798d4bcff7bcb5e6182f3ea662cde7f9169a8aba5854",
}


def load_house_prices(split: str = "train", sample: bool = False) -> Table:
    """The table as text: for each column of the file, in its order, its cells as an array of strings (n,).

    A cell that was not recorded, or a feature that a house lacks, is the string ``"NA"``. The columns are ``"Id"``, 79
    features and, for "train" (n = 1,460) only, ``"SalePrice"`` in dollars; "test" has n = 1,459. With `sample` the
    package's own part of the files is returned: the first 600 sales of "train" or the first 200 of "test", and 70 of
    the features. The whole files are found or downloaded as `D2L_DATA_DIR`, `D2L_MIRROR` and `D2L_OFFLINE` say.

    Raises:
        UsageError: there is no such split.
        DataError: the files cannot be had or are damaged.
    """
    if split not in _FILES:
        raise UsageError(f"The house prices have no split {split!r}; choose 'train' or 'test'.")
    resource = _FILES[split]
    if sample:
        raw = sample_text_bytes(f"{_FOLDER}/{resource.name}.gz", _SAMPLES[split])
    else:
        raw = fetch(resource).read_bytes()
    return _table(raw, resource.name)


def _table(raw: bytes, name: str) -> Table:
    """The columns of a CSV file with a header; every row must be as long as it."""
    header, *rows = csv.reader(io.StringIO(raw.decode("ascii"), newline=""))
    if any(len(row) != len(header) for row in rows):
        raise DataError(f"{name} has a row that is not as long as its header.")
    return {column: np.array(cells) for column, cells in zip(header, zip(*rows, strict=True), strict=True)}
