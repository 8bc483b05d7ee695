"""All work on the project as sessions: ``nox -l`` lists them, a bare ``nox`` runs what CI runs.

Frameworks are large, so sessions share environments: one for each backend with that framework only, and one that
holds all four; each is made when first needed. Versions come from ``constraints/``: what a user gets is what was
tested.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "none"

PYPROJECT = nox.project.load_toml("pyproject.toml")
BACKENDS = ("numpy", "torch", "jax", "tensorflow", "mxnet")
MXNET = "mxnet==1.9.1"  # its metadata asks for NumPy 1.x, which it does not need: installed without dependencies
SOURCES = ("d2l_core", "backends", "chapters", "conformance", "benchmarks", "tests", "tools", "docs", "noxfile.py")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
SHARED_PROGRAMS = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
ALL = "all"

nox.options.sessions = (
    "lint",
    "types",
    "tests",
    *(f"conformance-{backend}" for backend in BACKENDS),
    *(f"lessons-{backend}" for backend in BACKENDS),
    "wheel",
)


class Environment:
    """A virtual environment under ``.nox/`` that several sessions use."""

    def __init__(self, session: nox.Session, name: str):
        self.session = session
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        self.folder = Path(".nox", f"{name}-{version}").resolve()
        self.constraints = Path("constraints", f"{name}.txt").resolve()
        if not self.program("python").exists():
            session.run(sys.executable, "-m", "venv", str(self.folder))

    def program(self, name: str) -> Path:
        """Path of a program of this environment."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / name

    def install(self, *requirements: str) -> None:
        """Install within the constraints."""
        arguments = ("-m", "pip", "install", "--quiet", "-c", str(self.constraints), *requirements)
        self.session.run(str(self.program("python")), *arguments)

    def run(self, program: str, *arguments: str, **variables: str) -> None:
        """Run a program of this environment with environment variables set."""
        self.session.run(str(self.program(program)), *arguments, env=QUIET | variables)

    def pytest(self, *arguments: str, **variables: str) -> None:
        """Run tests, on several cores where there are some."""
        workers = str(min(4, os.cpu_count() or 1))
        self.run("pytest", "--numprocesses", workers, "--dist", "worksteal", *arguments, **variables)


def environment(session: nox.Session, name: str, *groups: str) -> Environment:
    """The environment of a backend (or of all), with the project and dependency groups."""
    made = Environment(session, name)
    frameworks = BACKENDS if name == ALL else (name,)
    extras = [backend for backend in frameworks if backend in ("torch", "jax", "tensorflow")]
    wanted = [requirement for group in groups for requirement in nox.project.dependency_groups(PYPROJECT, group)]
    made.install("-e", f".[{','.join(extras)}]" if extras else ".", *wanted)
    if "mxnet" in frameworks:
        made.install("requests", "graphviz")
        made.install("--no-deps", MXNET)
    return made


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting and the rules of the house."""
    tools = environment(session, "numpy", "lint")
    tools.run("ruff", "check", *SOURCES)
    tools.run("ruff", "format", "--check", *SOURCES)
    tools.run("python", "tools/house_rules.py")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types in the engine."""
    environment(session, "numpy", "types").run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The engine, the data, the command line and the comparison, with all four frameworks in one environment."""
    apart = ("--ignore=tests/chapters", "--ignore=tests/notebooks")
    environment(session, ALL, "test").pytest("tests", *apart, *session.posargs)


@nox.session
def compare(session: nox.Session) -> None:
    """LeNet on real images with all four frameworks: training curves, divergence and a report to look at."""
    frameworks = ",".join(backend for backend in BACKENDS if backend != "numpy")
    arguments = session.posargs or ["lenet", "--backends", frameworks, "--out", "d2l-compare"]
    environment(session, ALL).run("d2l", "compare", *arguments)


@contextlib.contextmanager
def shared_programs() -> Iterator[dict[str, str]]:
    """Environment in which workers share what a compiler has made of thousands of small programs, while they run."""
    with tempfile.TemporaryDirectory() as folder:
        yield {"JAX_COMPILATION_CACHE_DIR": folder} | SHARED_PROGRAMS


def conformance(session: nox.Session, backend: str) -> None:
    """The conformance suite on one backend, in an environment with that framework only."""
    with shared_programs() as variables:
        variables["D2L_BACKENDS"] = backend
        environment(session, backend, "test").pytest("conformance", *session.posargs, **variables)


def lessons(session: nox.Session, backend: str) -> None:
    """Every lesson and solution at smoke scale on one backend, in an environment with that framework only.

    Each worker computes on one core: with more threads than cores, small programs wait for each other.
    """
    with shared_programs() as variables:
        variables |= {"D2L_BACKEND": backend} | ONE_CORE
        environment(session, backend, "test").pytest("tests/chapters", *session.posargs, **variables)


def notebooks(session: nox.Session, backend: str) -> None:
    """Every lesson in a Jupyter kernel on one backend; D2L_SCALE=standard takes as long as readers wait."""
    with shared_programs() as variables:
        variables |= {"D2L_BACKEND": backend} | ONE_CORE
        environment(session, backend, "test").pytest("tests/notebooks", *session.posargs, **variables)


for _backend in BACKENDS:
    for _work in (conformance, lessons, notebooks):

        def _session(session: nox.Session, work=_work, backend: str = _backend) -> None:
            work(session, backend)

        _session.__doc__ = _work.__doc__
        nox.session(name=f"{_work.__name__}-{_backend}")(_session)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Training against the same training by hand in each framework, as paired ratios."""
    environment(session, ALL).run("d2l", "bench", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it in a fresh environment away from here, run one lesson and part of the suite."""
    folder = Path(session.create_tmp()).resolve()
    builder = Environment(session, "numpy")
    builder.install("build")
    builder.run("python", "-m", "build", "--wheel", "--outdir", str(folder))
    (built,) = folder.glob("*.whl")
    fresh = Environment(session, "numpy")
    fresh.folder = folder / "fresh"
    session.run(sys.executable, "-m", "venv", "--clear", str(fresh.folder))
    session.chdir(folder)
    fresh.install(str(built))
    fresh.run("d2l", "run", "linear-regression", "--backend", "numpy")
    fresh.run("d2l", "doctor")
    fresh.install(f"{built}[conformance]")
    built.unlink()
    fresh.run("d2l", "conformance", "--backend", "numpy", "-k", "conv or scan or training")


@nox.session
def verify(session: nox.Session) -> None:
    """Train every lesson at full scale on every backend and record the results beside the lessons; takes hours."""
    environment(session, ALL).run("d2l", "verify", *(session.posargs or ["all"]))


@nox.session
def constraints(session: nox.Session) -> None:
    """Write the versions in the environments to ``constraints/``, after the sessions passed with them."""
    for name in (*BACKENDS, ALL):
        latest = Environment(session, name)
        command = (str(latest.program("python")), "-m", "pip", "freeze", "--exclude-editable")
        frozen = str(session.run(*command, silent=True)).splitlines()
        pins = [line.split("+")[0] for line in frozen if "==" in line]
        latest.constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
