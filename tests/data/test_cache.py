"""Cached arrays: made once, verified before use, and never in the way of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from d2l_core.data._cache import CachedArray
from d2l_core.errors import DataError

CONTENT = np.arange(7 * 300, dtype=np.int32).reshape(7, 300)


class Maker:
    """Gives the content in pieces of three rows and counts how often it was asked."""

    def __init__(self, content=CONTENT):
        self.content, self.calls = content, 0

    def __call__(self):
        self.calls += 1
        for first in range(0, len(self.content), 3):
            yield self.content[first : first + 3]


def cached(make, name="folder/numbers", key="counted", content=CONTENT):
    return CachedArray(name, key, content.shape, content.dtype, make)


def is_mapped(array):
    while array is not None and not isinstance(array, np.memmap):
        array = array.base
    return array is not None


def test_made_once_and_mapped_from_then_on(home):
    make = Maker()
    for _ in range(3):
        array = cached(make).load()
        np.testing.assert_array_equal(array, CONTENT)
        assert array.dtype == CONTENT.dtype
        assert is_mapped(array)
        assert not array.flags.writeable
    assert make.calls == 1
    (path,) = (home / "folder").iterdir()
    assert path == cached(make).path
    np.testing.assert_array_equal(np.load(path), CONTENT)


def test_forgotten_verdict_costs_a_hash_only(home):
    make = Maker()
    cached(make).load()
    (home / "verified.json").unlink()
    np.testing.assert_array_equal(cached(make).load(), CONTENT)
    assert make.calls == 1
    assert str(cached(make).path.resolve()) in json.loads((home / "verified.json").read_text())


def test_trusted_file_is_not_read_again(home, monkeypatch):
    cached(Maker()).load()
    monkeypatch.setattr(CachedArray, "_is_whole", lambda self, path: pytest.fail("hashed again"))
    np.testing.assert_array_equal(cached(Maker()).load(), CONTENT)


DAMAGE = {
    "magic": lambda data: b"\x00" + data[1:],
    "header": lambda data: data.replace(b"(7, 300)", b"(3, 700)"),
    "middle": lambda data: data[:4000] + bytes([data[4000] ^ 1]) + data[4001:],
    "hash": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "without hash": lambda data: data[:-32],
    "cut": lambda data: data[:3000],
    "longer": lambda data: data + b"\x00",
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_file_is_made_anew(home, damage):
    make = Maker()
    path = cached(make).path
    cached(make).load()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole
    np.testing.assert_array_equal(cached(make).load(), CONTENT)
    assert make.calls == 2
    assert path.read_bytes() == whole


def test_array_of_another_source_is_not_taken(home):
    old, new = Maker(CONTENT), Maker(CONTENT + 1)
    cached(old, key="first edition").load()
    np.testing.assert_array_equal(cached(new, key="second edition").load(), CONTENT + 1)
    first, second = cached(old, key="first edition").path, cached(new, key="second edition").path
    assert first != second
    second.write_bytes(first.read_bytes())  # whole, of the right shape, and of the wrong source
    np.testing.assert_array_equal(cached(new, key="second edition").load(), CONTENT + 1)
    assert (old.calls, new.calls) == (1, 2)


@pytest.mark.parametrize("wanted", [CONTENT.reshape(300, 7), CONTENT.astype(np.float32)], ids=["shape", "dtype"])
def test_array_of_another_form_is_not_taken(home, wanted):
    cached(Maker()).load()
    np.testing.assert_array_equal(cached(Maker(wanted), content=wanted).load(), wanted)


def test_without_a_cache_that_can_be_written(home):
    home.write_text("a file where the folder should be")
    make = Maker()
    for calls in (1, 2):
        array = cached(make).load()
        np.testing.assert_array_equal(array, CONTENT)
        assert not array.flags.writeable
        assert make.calls == calls


def test_failure_of_the_source_comes_through_and_leaves_nothing(home):
    def make():
        yield CONTENT[:3]
        raise DataError("The source is damaged; fetch it again.")

    with pytest.raises(DataError, match="The source is damaged"):
        cached(make).load()
    assert list((home / "folder").iterdir()) == []


@pytest.mark.parametrize("name", ["../numbers", "folder/../../numbers", "/numbers"])
def test_no_path_leaves_the_cache(home, name):
    with pytest.raises(ValueError, match="leads out of the cache"):
        cached(Maker(), name=name).load()
    assert not home.exists()


def run(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


FULL_DISK = """
    import resource, sys
    import numpy as np
    from d2l_core.data._cache import CachedArray
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    array = CachedArray("numbers", "zeros", (9, 1000), np.uint8, lambda: [np.full((9, 1000), 7, np.uint8)]).load()
    print(array.sum())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_full_disk(home):
    process = run(FULL_DISK)
    assert process.communicate()[0].split() == ["63000"]
    assert process.returncode == 0
    assert [path for path in home.rglob("*") if path.suffix != ".json"] == []


RACE = """
    import sys, time
    import numpy as np
    from d2l_core.data._cache import CachedArray

    def make():
        made.append(True)
        for first in range(0, 400, 20):
            time.sleep(0.005)
            yield np.full((20, 5000), first % 251, np.uint8)

    made = []
    print("ready", flush=True)
    sys.stdin.readline()
    array = CachedArray("numbers", "many", (400, 5000), np.uint8, make).load()
    print(int(array.sum(dtype=np.int64)), len(made))
"""


def test_processes_that_make_the_same_array_at_once(home):
    processes = [run(RACE) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    expected = str(sum(first % 251 * 20 * 5000 for first in range(0, 400, 20)))
    assert [total for total, _ in results] == [expected] * 3
    assert sum(int(made) for _, made in results) > 1  # else nothing was raced for
    (path,) = home.glob("numbers*")
    assert path.suffix == ".npy"
    assert list(home.glob(".*")) == []
    later = run(RACE)
    assert later.communicate("go\n")[0].split() == ["ready", expected, "0"]
