"""The data sets: what the package carries, and that it is part of the published files."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import d2l_core.data
from d2l_core.data import (
    AIRFOIL_FEATURES,
    FASHION_MNIST_LABELS,
    Resource,
    decode_idx,
    encode_idx,
    fetch,
    house_prices,
    load_airfoil,
    load_fashion_mnist,
    load_house_prices,
    load_time_machine,
    resize_images,
)
from d2l_core.data import fashion_mnist as module
from d2l_core.errors import DataError, UsageError

PER_CLASS = {"train": 600, "test": 100}
SAMPLES = {
    "airfoil/airfoil_self_noise.dat.gz": "dee01791d3033c441cb7ebdf56baae49",
    "fashion-mnist/t10k-images-idx3-ubyte.gz": "1d883f3966f98d7fc5011e0ff22f6e19",
    "fashion-mnist/t10k-labels-idx1-ubyte.gz": "4f81dd80fbbee90c38545ee999e120b1",
    "fashion-mnist/train-images-idx3-ubyte.gz": "8cdd6eb3db9f71d038db812672f156fd",
    "fashion-mnist/train-labels-idx1-ubyte.gz": "ad10c5b63cc571a1b1e3466e319c5712",
    "house-prices/kaggle_house_pred_test.csv.gz": "1f7f7c9ffe07cefd71809c3dad8597b5",
    "house-prices/kaggle_house_pred_train.csv.gz": "b815dabdac4c74e3eac51c06fb51d80b",
    "time-machine/timemachine.txt.gz": "292c97dc6189731e5a9ad4df5a0c5799",
}
"""The first half of each SHA-256."""


@pytest.mark.parametrize("path", SAMPLES)
def test_embedded_files_are_those_that_were_made(path):
    data = resources.files("d2l_core.data").joinpath("samples", path).read_bytes()
    assert hashlib.sha256(data).hexdigest()[:32] == SAMPLES[path]


@pytest.mark.parametrize("folder", ["airfoil", "fashion-mnist", "house-prices", "time-machine"])
def test_each_sample_names_its_source(folder):
    text = resources.files("d2l_core.data").joinpath("samples", folder, "ATTRIBUTION.md").read_text("utf-8")
    assert "Source: <http" in text


@pytest.mark.parametrize("split", PER_CLASS)
def test_fashion_mnist_sample(home, split, monkeypatch):
    monkeypatch.setenv("D2L_OFFLINE", "1")
    images, labels = load_fashion_mnist(split, sample=True)
    count = PER_CLASS[split]
    assert images.shape == (10 * count, 28, 28)
    assert labels.shape == (10 * count,)
    assert images.dtype == labels.dtype == np.uint8
    assert np.bincount(labels).tolist() == [count] * len(FASHION_MNIST_LABELS)
    assert images.max() == 255
    assert not images.flags.writeable
    assert not home.exists()


def published_files() -> dict[str, list[Resource]]:
    return {split: [module._IMAGES[split], module._LABELS[split]] for split in PER_CLASS}


def has_published_files() -> bool:
    roots = [root for root in os.environ.get("D2L_DATA_DIR", "").split(os.pathsep) if root]
    wanted = [file for files in published_files().values() for file in files]
    return all(any((Path(root) / file.folder / file.name).is_file() for root in roots) for file in wanted)


if has_published_files():  # the published 30 MB are not part of the repository

    @pytest.mark.parametrize("split", PER_CLASS)
    def test_sample_is_the_first_of_each_class_of_the_published_set(tmp_path, monkeypatch, split):
        monkeypatch.setenv("D2L_HOME", str(tmp_path))
        monkeypatch.setenv("D2L_OFFLINE", "1")
        images, labels = load_fashion_mnist(split)
        total = {"train": 60_000, "test": 10_000}[split]
        assert images.shape == (total, 28, 28)
        assert np.bincount(labels).tolist() == [total // 10] * 10
        chosen = np.zeros(total, dtype=bool)
        for label in range(10):
            chosen[np.flatnonzero(labels == label)[: PER_CLASS[split]]] = True
        sample_images, sample_labels = load_fashion_mnist(split, sample=True)
        np.testing.assert_array_equal(images[chosen], sample_images)
        np.testing.assert_array_equal(labels[chosen], sample_labels)

    def test_second_load_maps_the_decoded_arrays(tmp_path, monkeypatch):
        monkeypatch.setenv("D2L_HOME", str(tmp_path))
        first, _ = load_fashion_mnist("test")
        monkeypatch.delenv("D2L_DATA_DIR")
        monkeypatch.setenv("D2L_OFFLINE", "1")
        second, _ = load_fashion_mnist("test")
        np.testing.assert_array_equal(first, second)
        assert not second.flags.writeable
        assert not second.flags.owndata

    def test_cut_decoded_array_is_made_again(tmp_path, monkeypatch):
        monkeypatch.setenv("D2L_HOME", str(tmp_path))
        _, first = load_fashion_mnist("test")
        (decoded,) = (tmp_path / "fashion-mnist").glob("t10k-labels*.npy")
        expected = first.tolist()
        size = decoded.stat().st_size
        del first
        decoded.write_bytes(decoded.read_bytes()[:500])
        assert load_fashion_mnist("test")[1].tolist() == expected
        assert decoded.stat().st_size == size


@pytest.fixture
def publish(home, tmp_path, monkeypatch):
    """A function that makes two arrays the published files, on this disk."""

    def publish(images, labels):
        for kind, array in (("_IMAGES", images), ("_LABELS", labels)):
            data = encode_idx(array)
            file = Resource(f"{kind}.gz", (), hashlib.sha256(data).hexdigest(), len(data), "fashion-mnist")
            (tmp_path / "disk" / "fashion-mnist").mkdir(parents=True, exist_ok=True)
            (tmp_path / "disk" / "fashion-mnist" / file.name).write_bytes(data)
            monkeypatch.setattr(module, kind, {"test": file})
        monkeypatch.setattr(module, "_COUNTS", {"test": len(labels)})
        monkeypatch.setenv("D2L_DATA_DIR", str(tmp_path / "disk"))

    return publish


@pytest.fixture
def small_release(publish):
    """A release of two 28 x 28 images in the published format."""
    images = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    labels = np.array([9, 0], dtype=np.uint8)
    publish(images, labels)
    return images, labels


def test_full_set_from_files_on_disk(small_release, home):
    for _ in range(2):
        images, labels = load_fashion_mnist("test")
        np.testing.assert_array_equal(images, small_release[0])
        np.testing.assert_array_equal(labels, small_release[1])
        assert not images.flags.writeable
    assert len(list((home / "fashion-mnist").glob("*.npy"))) == 2


def test_full_set_without_a_writable_cache(small_release, home):
    home.write_text("a file where the folder should be")
    images, labels = load_fashion_mnist("test")
    np.testing.assert_array_equal(images, small_release[0])
    np.testing.assert_array_equal(labels, small_release[1])


def test_full_set_of_another_shape(small_release, monkeypatch):
    monkeypatch.setattr(module, "_COUNTS", {"test": 3})
    with pytest.raises(DataError, match=r"shape \(2, 28, 28\) where \(3, 28, 28\)"):
        load_fashion_mnist("test")


def resized_once(home, monkeypatch, sample):
    """Load images of size 32 twice; nothing is made the second time."""
    images, labels = load_fashion_mnist("test", sample=sample)
    for _ in range(2):
        larger, same_labels = load_fashion_mnist("test", sample=sample, size=32)
        np.testing.assert_array_equal(larger, resize_images(images, 32))
        np.testing.assert_array_equal(same_labels, labels)
        assert larger.dtype == np.uint8
        assert not larger.flags.writeable
        monkeypatch.setattr(module, "resized_in_pieces", lambda images, size: pytest.fail("made again"))
    assert len(list((home / "fashion-mnist").glob("*-32-*.npy"))) == 1


def test_images_of_another_size_are_made_once(small_release, home, monkeypatch):
    resized_once(home, monkeypatch, sample=False)


def test_sample_of_another_size_is_made_once(home, monkeypatch):
    resized_once(home, monkeypatch, sample=True)


def test_another_release_is_decoded_and_resized_anew(small_release, publish):
    images, labels = small_release
    for released in (images, 255 - images):
        publish(released, labels)
        np.testing.assert_array_equal(load_fashion_mnist("test")[0], released)
        np.testing.assert_array_equal(load_fashion_mnist("test", size=32)[0], resize_images(released, 32))


@pytest.mark.parametrize("size", [0, -1, 1025, 3.0, True, "28"])
def test_sizes_that_images_cannot_have(size):
    with pytest.raises(UsageError, match="choose a whole number from 1 to 1024"):
        load_fashion_mnist("test", sample=True, size=size)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_pickles_are_never_opened(small_release, home, tmp_path):
    load_fashion_mnist("test")
    (decoded,) = (home / "fashion-mnist").glob("_LABELS*.npy")
    decoded.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert load_fashion_mnist("test")[1].tolist() == [9, 0]
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("other", [np.zeros(3, np.uint8), np.zeros(2, np.int8)], ids=["shape", "dtype"])
def test_other_decoded_arrays_are_not_used(small_release, home, other):
    load_fashion_mnist("test")
    (decoded,) = (home / "fashion-mnist").glob("_LABELS*.npy")
    np.save(decoded, other)
    labels = load_fashion_mnist("test")[1]
    assert labels.tolist() == [9, 0]
    assert labels.dtype == np.uint8


def test_published_addresses_and_hashes():
    files = [file for files in published_files().values() for file in files]
    assert sum(file.size for file in files) == 30_878_645
    for file in files:
        assert len(file.sha256) == 64
        assert len(file.urls) == 2
        assert all(url.endswith("/" + file.name) for url in file.urls)


def test_full_set_that_cannot_be_had(home, monkeypatch):
    monkeypatch.setenv("D2L_OFFLINE", "1")
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz .*D2L_DATA_DIR"):
        load_fashion_mnist()


def test_unknown_split():
    with pytest.raises(UsageError, match="no split 'valid'; choose 'train' or 'test'"):
        load_fashion_mnist("valid")


def test_airfoil():
    features, target = load_airfoil()
    assert features.shape == (1503, len(AIRFOIL_FEATURES))
    assert target.shape == (1503,)
    assert features.dtype == target.dtype == np.float64
    assert features[0].tolist() == [800, 0, 0.3048, 71.3, 0.00266337]
    assert target[0] == 126.201
    assert np.isfinite(features).all()
    assert (target.min(), target.max()) == (103.38, 140.987)


@pytest.mark.parametrize(("split", "count"), [("train", 600), ("test", 200)])
def test_house_prices_sample(home, split, count, monkeypatch):
    monkeypatch.setenv("D2L_OFFLINE", "1")
    table = load_house_prices(split, sample=True)
    assert len(table) == 71 + (split == "train")
    assert next(iter(table)) == "Id"
    assert ("SalePrice" in table) == (split == "train")
    assert {len(cells) for cells in table.values()} == {count}
    assert {"RL", "RM"} <= set(table["MSZoning"])
    assert 0 < np.sum(table["LotFrontage"] == "NA") < count / 4
    if split == "train":
        assert table["SalePrice"][:3].tolist() == ["208500", "181500", "223500"]
    assert not home.exists()


def published_houses(tmp_path, monkeypatch, text):
    """Make a text the published training file, on this disk."""
    data = text.encode()
    name = house_prices._FILES["train"].name
    (tmp_path / "disk" / "house-prices").mkdir(parents=True)
    (tmp_path / "disk" / "house-prices" / name).write_bytes(data)
    file = Resource(name, (), hashlib.sha256(data).hexdigest(), len(data), "house-prices")
    monkeypatch.setattr(house_prices, "_FILES", {"train": file})
    monkeypatch.setenv("D2L_DATA_DIR", str(tmp_path / "disk"))


def test_full_house_prices_from_a_file_on_disk(home, tmp_path, monkeypatch):
    published_houses(tmp_path, monkeypatch, 'Id,Fence,SalePrice\n1,NA,100\n2,"a, b",200\n')
    table = load_house_prices()
    assert {name: cells.tolist() for name, cells in table.items()} == {
        "Id": ["1", "2"],
        "Fence": ["NA", "a, b"],
        "SalePrice": ["100", "200"],
    }


def test_house_prices_that_cannot_be_had(home, tmp_path, monkeypatch):
    monkeypatch.setenv("D2L_OFFLINE", "1")
    with pytest.raises(UsageError, match="no split 'valid'; choose 'train' or 'test'"):
        load_house_prices("valid")
    with pytest.raises(DataError, match=r"kaggle_house_pred_test.csv .*D2L_DATA_DIR.*house-prices"):
        load_house_prices("test")
    published_houses(tmp_path, monkeypatch, "Id,SalePrice\n1,100\n2\n")
    with pytest.raises(DataError, match="not as long as its header"):
        load_house_prices()


def test_missing_or_changed_sample_is_an_error(monkeypatch, tmp_path):
    copy = tmp_path / "samples"
    shutil.copytree(str(resources.files("d2l_core.data").joinpath("samples")), copy)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    text = copy / "time-machine" / "timemachine.txt.gz"
    whole = text.read_bytes()
    assert len(load_time_machine()) == 178_979
    for data, says in ((whole[:-9], "damaged"), (encode_idx(np.zeros(3, np.uint8)), "changed")):
        text.write_bytes(data)
        with pytest.raises(DataError, match=f"{says}; install the package again"):
            load_time_machine()
    text.unlink()
    with pytest.raises(DataError, match="missing; install the package again"):
        load_time_machine()


def test_import_is_lazy():
    script = "import sys, d2l_core.data; print(int('d2l_core.data._hub' in sys.modules), 'rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False"]


def test_public_names():
    assert sorted(d2l_core.data._HOMES) == sorted(d2l_core.data.__all__)
    assert all(getattr(d2l_core.data, name) is not None for name in d2l_core.data.__all__)
    assert set(d2l_core.data.__all__) <= set(dir(d2l_core.data))
    assert d2l_core.data.decode_idx is decode_idx
    assert d2l_core.data.fetch is fetch
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        d2l_core.data.nothing  # noqa: B018
