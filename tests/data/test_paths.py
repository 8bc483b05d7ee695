"""The cache folder, and replacing a file in one step."""

from __future__ import annotations

from pathlib import Path

import pytest

from d2l_core._paths import cache_dir, replace_file


def test_cache_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("D2L_HOME", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("D2L_HOME")
    assert cache_dir() == Path.home() / ".cache" / "d2l"


def test_replaced_in_one_step(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    replace_file(path, lambda part: part.write_text("first"))
    assert path.read_text() == "first"

    def write(part: Path) -> None:
        part.write_text("second")
        assert path.read_text() == "first"

    replace_file(path, write)
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_old_file_survives_a_failure(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write(part: Path) -> None:
        part.write_text("half")
        raise error

    with pytest.raises(error):
        replace_file(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
