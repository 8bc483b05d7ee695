"""An archive is unpacked whole and inside its folder, or not at all."""

from __future__ import annotations

import io
import os
import posixpath
import stat
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core.data import extract
from d2l_core.data._archive import _leaves
from d2l_core.errors import DataError

FILES = {"a.txt": b"first", "deep/er/b.bin": bytes(range(256)) * 100, "deep/empty": b""}


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo()
            info.filename = name  # set afterwards: the constructor would tidy the name up
            archive.writestr(info, data)
    return path


def tar_entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, target, size
    return entry


def make_tar(path: Path, files: dict[str, bytes], *entries: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in files.items():
            archive.addfile(tar_entry(name, size=len(data)), io.BytesIO(data))
        for entry in entries:
            archive.addfile(entry)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(archive: Path, *says: str, max_bytes: int = 1 << 20) -> None:
    outside = archive.parent
    before = contents(outside)
    with pytest.raises(DataError) as caught:
        extract(archive, outside / "out" / "data", max_bytes=max_bytes)
    assert all(part in str(caught.value) for part in says), str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(outside) == before
    assert not (outside / "out").exists()


@pytest.mark.parametrize("name", ["data.zip", "data.tar", "data.tar.gz"])
def test_round_trip(tmp_path, name):
    make = make_zip if name.endswith("zip") else make_tar
    archive = make(tmp_path / name, FILES)
    assert extract(archive, tmp_path / "new" / "data") == tmp_path / "new" / "data"
    assert contents(tmp_path / "new") == {f"data/{path}": data for path, data in FILES.items()}


def test_earlier_result_is_returned_untouched(tmp_path):
    archive = make_zip(tmp_path / "data.zip", FILES)
    folder = extract(archive, tmp_path / "data")
    (folder / "a.txt").write_bytes(b"mine")
    assert extract(archive, folder) == folder
    assert (folder / "a.txt").read_bytes() == b"mine"


def test_empty_folder_is_filled(tmp_path):
    (tmp_path / "data").mkdir()
    assert contents(extract(make_zip(tmp_path / "data.zip", FILES), tmp_path / "data")) == FILES


def test_folders_are_members_too(tmp_path):
    archive = make_tar(tmp_path / "data.tar", {}, tar_entry("./", tarfile.DIRTYPE), tar_entry("b", tarfile.DIRTYPE))
    assert [path.name for path in extract(archive, tmp_path / "data").iterdir()] == ["b"]


ESCAPES = [
    "../evil.txt",
    "a/../../evil.txt",
    "/evil.txt",
    "\\evil.txt",
    "..\\evil.txt",
    "C:\\evil.txt",
    "C:evil.txt",
]


@pytest.mark.parametrize("name", ESCAPES)
def test_zip_member_that_leaves_its_folder(tmp_path, name):
    archive = make_zip(tmp_path / "data.zip", {"good.txt": b"good", name: b"evil"})
    assert_refused(archive, "outside its folder", repr(name))


@pytest.mark.parametrize("name", ESCAPES)
def test_tar_member_that_leaves_its_folder(tmp_path, name):
    archive = make_tar(tmp_path / "data.tar.gz", {"good.txt": b"good", name: b"evil"})
    assert_refused(archive, "outside its folder", repr(name))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE], ids=["symbolic", "hard"])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../out.txt"])
def test_tar_link(tmp_path, kind, target):
    archive = make_tar(tmp_path / "data.tar", FILES, tar_entry("door", kind, target))
    assert_refused(archive, "'door' is a link")


@pytest.mark.parametrize(
    "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE], ids=["character", "block", "pipe"]
)
def test_tar_device(tmp_path, kind):
    assert_refused(make_tar(tmp_path / "data.tar", FILES, tar_entry("null", kind)), "'null' is a device")


def test_zip_link(tmp_path):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("door")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc")
        archive.writestr("door/evil.txt", b"evil")
    assert_refused(path, "'door' is a link")


@pytest.mark.parametrize("name", ["data.zip", "data.tar", "data.tar.gz"])
def test_more_than_the_limit(tmp_path, name):
    make = make_zip if name.endswith("zip") else make_tar
    archive = make(tmp_path / name, {"a": b"0" * 600, "b": b"0" * 600})
    assert_refused(archive, "'b'", "limit of 1,000 bytes", max_bytes=1000)
    assert contents(extract(archive, tmp_path / "data", max_bytes=1200)).keys() == {"a", "b"}


@pytest.mark.parametrize("name", ["data.zip", "data.tar", "data.tar.gz"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_truncated_archive(tmp_path, name, keep):
    make = make_zip if name.endswith("zip") else make_tar
    archive = make(tmp_path / name, {"a": bytes(range(256)) * 200, "b": b"b" * 51200})
    data = archive.read_bytes().rstrip(b"\0") if name == "data.tar" else archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * keep)])
    assert_refused(archive, str(archive))


def test_damaged_member(tmp_path):
    archive = make_zip(tmp_path / "data.zip", {"a": bytes(range(256)) * 200})
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(DataError, match="damaged archive"):
        extract(archive, tmp_path / "data")
    assert not (tmp_path / "data").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["data.zip"]


def test_archive_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        extract(tmp_path / "none.zip", tmp_path / "data")


@given(st.lists(st.sampled_from(["..", ".", "a", "", "\\", "/", "C:", "b.txt"]), min_size=1).map("/".join))
def test_no_name_resolves_outside_unnoticed(name):
    inside = Path("/base/folder")
    resolved = Path(posixpath.normpath(str(inside / name)))
    assert _leaves(name) or resolved == inside or inside in resolved.parents


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_disk_without_space(tmp_path):
    archive = make_zip(tmp_path / "data.zip", {"good": b"good", "large": b"0" * 500_000})
    script = f"""
        import pathlib, resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        from d2l_core.data import extract
        from d2l_core.errors import DataError
        try:
            extract(pathlib.Path({str(archive)!r}), pathlib.Path({str(tmp_path / "data")!r}))
        except DataError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"There is no space left in {tmp_path} to unpack data.zip; free some and try again.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["data.zip"]
