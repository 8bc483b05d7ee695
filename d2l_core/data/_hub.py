"""Find a data file on disk or download it, and never hand out a file that was not verified.

Every file is known by size and SHA-256 before it is asked for, so it does not matter which mirror sent it or
who put it into a folder. A mirror has the same layout as a folder in `D2L_DATA_DIR`: `<folder>/<file>`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from d2l_core._paths import cache_dir, replace_file
from d2l_core.errors import DataError

__all__ = ["Resource", "fetch"]

_TIMEOUT_S = 30.0
_CHUNK = 1 << 18
_NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_HINT = "set D2L_DATA_DIR to a folder that holds {folder}/{name}"


@dataclass(frozen=True)
class Resource:
    """One public file: what it is called, where it can be had, and how to recognise it.

    `urls` are tried in order. `folder` is the subfolder in which the file lies, in `D2L_DATA_DIR`, in the
    cache and on a mirror named by `D2L_MIRROR`.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str
    size: int
    folder: str


class _MirrorError(Exception):
    """One mirror failed; the next may do better."""


def fetch(resource: Resource) -> Path:
    """Path of the verified file: from `D2L_DATA_DIR`, else from the cache, else downloaded into the cache.

    `D2L_DATA_DIR` may name several folders, separated as in `PATH`. `D2L_MIRROR` is a base address that is
    tried before the resource's own. `D2L_OFFLINE=1` forbids the network. Raises `DataError` when a file in
    `D2L_DATA_DIR` is damaged, when no mirror delivers the right bytes, and when the cache cannot be
    written.
    """
    for path in _user_files(resource):
        problem = _problem(path, resource)
        if problem:
            raise DataError(f"{path} {problem}; replace that file or take its folder out of D2L_DATA_DIR.")
        return path
    cached = cache_dir() / resource.folder / resource.name
    if cached.is_file() and not _problem(cached, resource):
        return cached
    return _download(resource, cached)


def _user_files(resource: Resource) -> Iterator[Path]:
    roots = os.environ.get("D2L_DATA_DIR", "").split(os.pathsep)
    paths = (Path(root).expanduser() / resource.folder / resource.name for root in roots if root)
    return (path for path in paths if path.is_file())


# Verification. Hashing a large file takes longer than using it: a verdict holds until the file changes.


def _problem(path: Path, resource: Resource) -> str | None:
    """What is wrong with the file, as the end of a sentence; None when it is the right one."""
    try:
        size = path.stat().st_size
        if size != resource.size:
            return f"has {size:,} bytes instead of {resource.size:,}"
        verdict = verdict_on(path, resource.sha256)
        if is_known(path, verdict):
            return None
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != resource.sha256:
                return "is damaged or another file (its SHA-256 differs from the published one)"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    remember(path, verdict)
    return None


def verdict_on(path: Path, content: str) -> list[object]:
    """What is to be remembered of a file as it is now, once it is found to hold `content`: a hash or a description."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, content]


def is_known(path: Path, verdict: list[object]) -> bool:
    """Whether this was found earlier, in this process or another, and the file has not changed since."""
    return _verdicts().get(str(path.resolve())) == verdict


def _verdicts() -> dict[str, object]:
    try:
        verdicts = json.loads((cache_dir() / "verified.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return verdicts if isinstance(verdicts, dict) else {}


def remember(path: Path, verdict: list[object]) -> None:
    """Keep a verdict for all processes, as long as the file does not change."""
    text = json.dumps(_verdicts() | {str(path.resolve()): verdict}, indent=1, sort_keys=True)
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs another hash next time
        replace_file(cache_dir() / "verified.json", lambda part: _write_synced(part, [text.encode()]))


# Download.


def _download(resource: Resource, target: Path) -> Path:
    hint = _HINT.format(folder=resource.folder, name=resource.name)
    if os.environ.get("D2L_OFFLINE", "0") not in ("", "0"):
        raise DataError(f"{resource.name} is not on this disk and D2L_OFFLINE forbids a download; {hint}.")
    failures = []
    for url in _addresses(resource):
        try:
            replace_file(target, lambda part, url=url: _save(url, resource, part))  # type: ignore[misc]
        except _MirrorError as error:
            failures.append(f"{url}: {error}")
        except OSError as error:
            raise DataError(_disk_sentence(error, resource, target.parent)) from error
        else:
            _problem(target, resource)  # leaves the verdict for the next process
            return target
    tried = "; ".join(failures) or "it has no public address"
    raise DataError(f"{resource.name} could not be downloaded ({tried}); check the network, or {hint}.")


def _addresses(resource: Resource) -> tuple[str, ...]:
    base = os.environ.get("D2L_MIRROR")
    own = (f"{base.rstrip('/')}/{resource.folder}/{resource.name}",) if base else ()
    return own + resource.urls


def _save(url: str, resource: Resource, part: Path) -> None:
    digest = hashlib.sha256()
    received = 0

    def checked() -> Iterator[bytes]:
        nonlocal received
        for chunk in _progress(_read(url), resource):
            received += len(chunk)
            if received > resource.size:
                raise _MirrorError(f"sent more than the {resource.size:,} bytes of this file")
            digest.update(chunk)
            yield chunk

    _write_synced(part, checked())
    if received < resource.size:
        raise _MirrorError(f"the download was cut off after {received:,} of {resource.size:,} bytes")
    if digest.hexdigest() != resource.sha256:
        raise _MirrorError("sent a damaged or different file (its SHA-256 differs from the published one)")


def _write_synced(part: Path, chunks: Iterable[bytes]) -> None:
    with part.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _read(url: str) -> Iterator[bytes]:
    if not url.lower().startswith(("http://", "https://")):
        raise _MirrorError("is not an http or https address")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "d2l"})  # noqa: S310 - checked above
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            while chunk := response.read(_CHUNK):
                yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        raise _MirrorError(f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _MirrorError(f"no connection ({error.reason})") from error
    except http.client.IncompleteRead as error:
        raise _MirrorError("the download was cut off") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _MirrorError(f"the connection failed ({type(error).__name__}: {error})") from error


def _progress(chunks: Iterable[bytes], resource: Resource) -> Iterator[bytes]:
    """The same chunks; on a terminal, a bar on standard error grows as they pass."""
    if not sys.stderr.isatty():
        yield from chunks
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(resource.name, total=resource.size)
        for chunk in chunks:
            bar.update(task, advance=len(chunk))
            yield chunk


def _disk_sentence(error: OSError, resource: Resource, folder: Path) -> str:
    if error.errno in _NO_SPACE:
        return (
            f"There is no space left in {folder} for {resource.name}, which needs {resource.size:,} bytes; "
            "free some space or set D2L_HOME to a folder on a larger disk."
        )
    return (
        f"{resource.name} cannot be stored in {folder} ({error.strerror}); set D2L_HOME to a folder that you can write."
    )
