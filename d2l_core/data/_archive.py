"""Unpack an archive without trusting it: every member is judged before the first byte is written."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tarfile
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from d2l_core.errors import DataError

__all__ = ["extract"]

_GIB = 1 << 30
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # a compression that this Python cannot read
)
_Archive = zipfile.ZipFile | tarfile.TarFile


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    kind: str  # "file", "folder", or what it is instead
    key: zipfile.ZipInfo | tarfile.TarInfo


def extract(archive: Path, folder: Path, max_bytes: int = 4 * _GIB) -> Path:
    """Unpack a zip or tar archive (plain or compressed) as `folder` and return `folder`.

    The members appear all at once or not at all: they are written to a temporary folder that then takes the
    name. A `folder` that exists and is not empty is the result of an earlier call and is returned as it is.
    Raises `DataError` before anything is written if a member's path would leave `folder`, if a member is a
    link or a device, or if the members add up to more than `max_bytes`; also for a damaged archive.
    """
    archive, folder = Path(archive), Path(folder)
    if _is_filled(folder):
        return folder
    part = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.part"
    try:
        with _open(archive) as opened:
            members = _judged(opened, archive, max_bytes)
            part.mkdir(parents=True)
            for member in members:
                _unpack(opened, member, part)
        _rename(part, folder)
    except _DAMAGE as error:
        cause = str(error).partition("\n")[0].rstrip(":")
        raise DataError(f"{archive} is a damaged archive ({cause}); delete it and fetch it again.") from error
    except OSError as error:
        raise DataError(_sentence(error, archive, folder)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _is_filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _open(archive: Path) -> AbstractContextManager[_Archive]:
    if zipfile.is_zipfile(archive):
        return zipfile.ZipFile(archive)
    return tarfile.open(archive)


def _members(opened: _Archive) -> Iterator[_Member]:
    if isinstance(opened, zipfile.ZipFile):
        for info in opened.infolist():
            yield _Member(info.filename, info.file_size, _zip_kind(info), info)
    else:
        for entry in opened:
            yield _Member(entry.name, entry.size, _tar_kind(entry), entry)
        _expect_end_mark(opened)


def _zip_kind(info: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(info.external_attr >> 16):
        return "link"
    return "folder" if info.is_dir() else "file"


def _tar_kind(entry: tarfile.TarInfo) -> str:
    if entry.isreg():
        return "file"
    if entry.isdir():
        return "folder"
    return "link" if entry.issym() or entry.islnk() else "device"


def _expect_end_mark(opened: tarfile.TarFile) -> None:
    # A tar file cut between two members looks whole but for the block of zeros at its end.
    assert opened.fileobj is not None
    opened.fileobj.seek(opened.offset)
    if opened.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("unexpected end of data")


def _judged(opened: _Archive, archive: Path, max_bytes: int) -> list[_Member]:
    members, total = [], 0
    for member in _members(opened):
        shown = f"{archive.name} was not unpacked because its member {member.name!r}"
        if _leaves(member.name):
            raise DataError(f"{shown} would be written outside its folder; get the archive from a trusted source.")
        if member.kind not in ("file", "folder"):
            raise DataError(f"{shown} is a {member.kind}; get the archive from a trusted source.")
        total += member.size
        if total > max_bytes:
            raise DataError(
                f"{shown} takes it past the limit of {max_bytes:,} bytes; unpack it by hand if you trust it."
            )
        members.append(member)
    return members


def _leaves(name: str) -> bool:
    # A name is judged by the rules of both systems, so that an archive is safe everywhere or nowhere.
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return posix.is_absolute() or bool(windows.anchor) or ".." in posix.parts or ".." in windows.parts


def _unpack(opened: _Archive, member: _Member, part: Path) -> None:
    target = part / member.name
    if member.kind == "folder":
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with _reader(opened, member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)


def _reader(opened: _Archive, member: _Member) -> IO[bytes]:
    if isinstance(opened, zipfile.ZipFile):
        assert isinstance(member.key, zipfile.ZipInfo)
        return opened.open(member.key)
    assert isinstance(member.key, tarfile.TarInfo)
    source = opened.extractfile(member.key)
    assert source is not None  # only links and devices have no content, and they were refused
    return source


def _rename(part: Path, folder: Path) -> None:
    if folder.is_dir() and not _is_filled(folder):
        folder.rmdir()
    try:
        os.rename(part, folder)
    except OSError:
        if not _is_filled(folder):  # else another process was faster, with the same members
            raise


def _sentence(error: OSError, archive: Path, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"There is no space left in {folder.parent} to unpack {archive.name}; free some and try again."
    return f"{archive} cannot be unpacked into {folder} ({error}); check both paths and their permissions."
