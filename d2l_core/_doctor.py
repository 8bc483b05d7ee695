"""An examination of the installation: each check gives findings, each finding says how to mend it."""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from d2l_core._paths import cache_dir
from d2l_core._probe import Probe, probe_all
from d2l_core.backend import Adapter, adapters, default_name
from d2l_core.errors import D2LError, UsageError

__all__ = ["BROKEN", "FINE", "NOTE", "Finding", "examine"]

FINE, NOTE, BROKEN = "fine", "note", "broken"
_DISTRIBUTION = "d2l-core"
_PYTHON = "D2L_PYTHON_"
_FEW_BYTES = 500_000_000

# fmt: off
SAMPLES = {
    "airfoil/airfoil_self_noise.dat.gz":
        "dee01791d3033c441cb7ebdf56baae497938f285e2cdad48321331ae1e435b9c",
    "fashion-mnist/t10k-images-idx3-ubyte.gz":
        "1d883f3966f98d7fc5011e0ff22f6e190d3b994ad0583bfd53c4b120eb39f754",
    "fashion-mnist/t10k-labels-idx1-ubyte.gz":
        "4f81dd80fbbee90c38545ee999e120b1c191bf127f0aa516f21ef7e023d316a9",
    "fashion-mnist/train-images-idx3-ubyte.gz":
        "8cdd6eb3db9f71d038db812672f156fd89a164a94f767144b5586d415d3cfa4f",
    "fashion-mnist/train-labels-idx1-ubyte.gz":
        "ad10c5b63cc571a1b1e3466e319c5712cf94438f98643f47a64c2239b56ea625",
    "house-prices/kaggle_house_pred_test.csv.gz":
        "1f7f7c9ffe07cefd71809c3dad8597b5620b5a614172c90fb5d7c99085ba8661",
    "house-prices/kaggle_house_pred_train.csv.gz":
        "b815dabdac4c74e3eac51c06fb51d80becea95dfab9f8e6930ab9aa623f7b58d",
    "time-machine/timemachine.txt.gz":
        "292c97dc6189731e5a9ad4df5a0c579955274412c582fedef25effd5cf167abe",
}
# fmt: on
"""SHA-256 of each embedded data file."""

VARIABLES = {
    "D2L_BACKEND": "name of the default backend",
    "D2L_BACKENDS": "backends of a test run",
    "D2L_COMPILER": "compiler of steps, where the backend has one to choose",
    "D2L_CONFORMANCE": "how thorough the conformance tests are",
    "D2L_DATA_DIR": "folders with data files that are on this disk already",
    "D2L_DEVICE": "default device",
    "D2L_HOME": "folder for downloads and unfinished runs",
    "D2L_MIRROR": "address that downloads are tried from first",
    "D2L_OFFLINE": "1 forbids downloads",
    "D2L_PRECISION": "32 or 64, bits of the default float",
    "D2L_SCALE": "default scale of a lesson",
}
"""The environment variables that mean something, besides ``D2L_PYTHON_<BACKEND>``."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        area: such as ``backends``.
        what: was looked at.
        state: ``fine``, ``note`` (worth knowing, breaks nothing by itself) or ``broken`` (breaks a run).
        found: the facts.
        remedy: what to do; empty when there is nothing to do.
    """

    area: str
    what: str
    state: str
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return asdict(self)


def examine() -> list[Finding]:
    """All findings, in the order in which a person would mend them."""
    unloadable, known = _adapters()
    probes = probe_all(known.values())
    parts: tuple[Iterator[Finding], ...] = (
        _python(),
        _packages(),
        iter(unloadable),
        _backends(probes),
        _settings(probes),
        _samples(),
        _folders(),
        _threads(),
        _variables(known),
    )
    return [finding for part in parts for finding in part]


# ------------------------------------------------------------ what is installed


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    try:
        classifiers = importlib.metadata.metadata(_DISTRIBUTION).get_all("Classifier") or []
    except importlib.metadata.PackageNotFoundError:
        classifiers = []
    prefix = "Programming Language :: Python :: "
    tested = [text.removeprefix(prefix) for text in classifiers if text.startswith(prefix + "3.")]
    if tested and ".".join(version.split(".")[:2]) not in tested:
        remedy = f"d2l-core is tested on Python {', '.join(tested)}; use one of these if something fails"
        yield Finding("installed", "Python", NOTE, version, remedy)
    else:
        yield Finding("installed", "Python", FINE, f"{version}, {platform.platform()}")


def _packages() -> Iterator[Finding]:
    required, optional = _requirements()
    for name in (_DISTRIBUTION, *required):
        version = _version(name)
        remedy = f"pip install {name}" if version is None else ""
        yield Finding("installed", name, FINE if version else BROKEN, version or "not installed", remedy)
    absent = [name for name in optional if _version(name) is None]
    if absent:
        remedy = f'pip install "{_DISTRIBUTION}[notebook]"'
        yield Finding("installed", "notebooks and figures", NOTE, f"without {', '.join(absent)}", remedy)
    else:
        yield Finding("installed", "notebooks and figures", FINE, ", ".join(f"{n} {_version(n)}" for n in optional))


def _requirements() -> tuple[list[str], list[str]]:
    """Distributions that every run needs, and those of the extra ``notebook``."""
    try:
        texts = importlib.metadata.requires(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        texts = []
    split = [text.partition(";") for text in texts]
    always = [_bare(name) for name, mark, _ in split if not mark]
    notebook = [_bare(name) for name, _, condition in split if "notebook" in condition]
    return always, notebook


def _bare(requirement: str) -> str:
    return next(word for word in requirement.replace("[", " ").translate(_RELATIONS).split())


_RELATIONS = str.maketrans(dict.fromkeys("<>=!~(,", " "))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


# ------------------------------------------------------------ backends


def _adapters() -> tuple[list[Finding], dict[str, Adapter]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        adapters.cache_clear()
        known = adapters()
    remedy = "upgrade or uninstall the package that registers it"
    return [Finding("backends", "an adapter", NOTE, str(w.message), remedy) for w in caught], known


def _backends(probes: list[Probe]) -> Iterator[Finding]:
    for probe in probes:
        name = probe.adapter.name
        if probe.available:
            devices = ", ".join(probe.devices)
            yield Finding("backends", name, FINE, f"{probe.adapter.title} {probe.version or ''} on {devices}")
        elif probe.missing:
            yield Finding("backends", name, NOTE, str(probe.problem), f"to make it available: {probe.adapter.install}")
        else:
            found = f"{probe.adapter.title} {probe.version or ''}: {probe.problem}"
            yield Finding("backends", name, BROKEN, found, f"install it again: {probe.adapter.install}")


def _settings(probes: list[Probe]) -> Iterator[Finding]:
    """What the environment asks for must be there."""
    try:
        name = default_name()
    except (UsageError, StopIteration) as error:
        found = str(error) or "no backend is installed"
        yield Finding(
            "settings",
            "default backend",
            BROKEN,
            found,
            "set D2L_BACKEND to an available backend or unset it",
        )
        return
    chosen = next(probe for probe in probes if probe.adapter.name == name)
    source = "D2L_BACKEND" if os.environ.get("D2L_BACKEND") else "the first that is installed"
    state = FINE if chosen.available else BROKEN
    remedy = "" if chosen.available else f"{chosen.adapter.install}, or set D2L_BACKEND to an available backend"
    yield Finding("settings", "default backend", state, f"{name} ({source})", remedy)
    device = os.environ.get("D2L_DEVICE")
    if device and chosen.available and device not in chosen.devices:
        known = ", ".join(chosen.devices)
        yield Finding(
            "settings", "D2L_DEVICE", BROKEN, f"{name} has no device {device!r}", f"set it to one of: {known}"
        )


# ------------------------------------------------------------ files


def _samples() -> Iterator[Finding]:
    from d2l_core.data._samples import sample_bytes

    wrong = []
    for path, digest in SAMPLES.items():
        try:
            intact = hashlib.sha256(sample_bytes(path)).hexdigest() == digest
        except D2LError:
            intact = False
        if not intact:
            wrong.append(path)
    if wrong:
        remedy = f"pip install --force-reinstall --no-deps {_DISTRIBUTION}"
        yield Finding("files", "embedded data", BROKEN, f"missing or changed: {', '.join(wrong)}", remedy)
    else:
        yield Finding("files", "embedded data", FINE, f"{len(SAMPLES)} files intact")


def _folders() -> Iterator[Finding]:
    cache = cache_dir()
    problem = _unwritable(cache)
    if problem:
        remedy = "set D2L_HOME to a folder that you can write"
        yield Finding("files", "cache", BROKEN, f"{cache} cannot be written ({problem})", remedy)
    else:
        free = shutil.disk_usage(_existing(cache)).free
        remedy = "free some space, or set D2L_HOME to a folder on a larger disk" if free < _FEW_BYTES else ""
        yield Finding("files", "cache", NOTE if remedy else FINE, f"{cache}, {free / 1e9:.1f} GB free", remedy)
    for text in filter(None, os.environ.get("D2L_DATA_DIR", "").split(os.pathsep)):
        folder = Path(text).expanduser()
        if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
            yield Finding("files", "D2L_DATA_DIR", FINE, str(folder))
        else:
            yield Finding("files", "D2L_DATA_DIR", NOTE, f"{folder} is not a readable folder", "correct D2L_DATA_DIR")


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _unwritable(folder: Path) -> str | None:
    """Why nothing can be stored in a folder that may not exist yet; nothing is left behind."""
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


# ------------------------------------------------------------ the process


def _threads() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    found = f"{cores} cores for this process" + (f", OMP_NUM_THREADS={limit}" if limit else "")
    if limit.isdigit() and int(limit) > cores:
        yield Finding(
            "process",
            "threads",
            NOTE,
            found,
            f"more threads than cores are slow; set OMP_NUM_THREADS={cores}",
        )
    else:
        yield Finding("process", "threads", FINE, found)


def _variables(known: dict[str, Adapter]) -> Iterator[Finding]:
    interpreters = {_PYTHON + name.upper().replace("-", "_") for name in known}
    for name, value in sorted(os.environ.items()):
        if not name.startswith("D2L_") or name == "D2L_DATA_DIR":  # that one is among the folders
            continue
        if name in interpreters:
            yield _interpreter(name, value)
        elif name not in VARIABLES:
            near = difflib.get_close_matches(name, [*VARIABLES, *interpreters], n=1)
            remedy = f"did you mean {near[0]}?" if near else f"known are: {', '.join(VARIABLES)}"
            yield Finding("environment", name, NOTE, f"{value!r} has no effect", remedy)
        elif name in _CHECKS and (remedy := _CHECKS[name](value)):
            yield Finding("environment", name, BROKEN, repr(value), remedy)
        else:
            yield Finding("environment", name, FINE, f"{value!r}: {VARIABLES[name]}")


def _interpreter(name: str, value: str) -> Finding:
    found = shutil.which(value)
    if found is None:
        return Finding("environment", name, BROKEN, f"{value!r} is no program", "name a Python interpreter")
    return Finding("environment", name, FINE, f"{value!r}: interpreter of that backend in d2l compare")


def _check_precision(value: str) -> str:
    return "" if value in ("32", "64") else "set it to 32 or 64"


def _check_scale(value: str) -> str:
    from d2l_core.lessons import SCALES

    return "" if value in ("", *SCALES) else f"set it to one of: {', '.join(SCALES)}"


def _check_mirror(value: str) -> str:
    return "" if not value or value.startswith(("http://", "https://")) else "set it to an http or https address"


_CHECKS: dict[str, Callable[[str], str]] = {
    "D2L_PRECISION": _check_precision,
    "D2L_SCALE": _check_scale,
    "D2L_MIRROR": _check_mirror,
}
