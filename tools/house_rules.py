"""The rules of the house that no general linter knows; exits with 1 and says what breaks which rule.

1. No framework is named in code outside its adapter, the tests of adapters and the noxfile: not as a name, not in a
   string.
2. An adapter holds at most 1,000 lines of code.
3. Every package of the repository is in the wheel.
4. CI runs exactly the test command of the README.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

FRAMEWORKS = re.compile(
    r"(?<![a-z])(pytorch|torch|jax|jaxlib|flax|optax|tensorflow|keras|mxnet|gluon)(?![a-z])", re.IGNORECASE
)
NEUTRAL = ("d2l_core", "chapters", "conformance", "tests")
OF_ADAPTERS = Path("tests", "adapters")
BUDGET = 1000


def code_tokens(path: Path) -> Iterator[tuple[int, str]]:
    """Names and strings of a file with their lines; docstrings and comments are prose and do not count."""
    at_start = True
    readline = io.StringIO(path.read_text(encoding="utf-8")).readline
    for token in tokenize.generate_tokens(readline):
        if token.type == tokenize.STRING and at_start:
            continue
        if token.type in (tokenize.NAME, tokenize.STRING) or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            yield token.start[0], token.string
        at_start = token.type in (
            tokenize.NEWLINE,
            tokenize.NL,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.COMMENT,
            tokenize.ENCODING,
        )


def framework_names(root: Path) -> Iterator[str]:
    """Rule 1."""
    for folder in NEUTRAL:
        for path in sorted((root / folder).rglob("*.py")):
            if path.is_relative_to(root / OF_ADAPTERS):
                continue
            for line, text in code_tokens(path):
                match = FRAMEWORKS.search(text)
                if match:
                    yield f"{path.relative_to(root)}:{line} names {match[0]}; only its adapter may."


def adapter_budgets(root: Path) -> Iterator[str]:
    """Rule 2."""
    for folder in sorted(path for path in (root / "backends").iterdir() if (path / "__init__.py").exists()):
        lines = sum(
            1
            for path in folder.glob("*.py")
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.strip().startswith("#")
        )
        if lines > BUDGET:
            yield f"backends/{folder.name} holds {lines} lines of code; the budget is {BUDGET}."


def packages_in_wheel(root: Path) -> Iterator[str]:
    """Rule 3."""
    setuptools = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    for name, folder in setuptools["package-dir"].items():
        for path in (root / folder).rglob("__init__.py"):
            package = ".".join((name, *path.parent.relative_to(root / folder).parts))
            if package not in setuptools["packages"]:
                yield f"The package {package} is missing from tool.setuptools.packages in pyproject.toml."


def same_command(root: Path) -> Iterator[str]:
    """Rule 4."""
    command = (root / ".ci" / "run").read_text(encoding="utf-8").strip().splitlines()[-1]
    if command not in (root / "README.md").read_text(encoding="utf-8").splitlines():
        yield f"The README does not show the test command that .ci/run calls: {command}"


def main(root: Path) -> int:
    """Check all rules; the number of breaches, at most 1."""
    rules = (framework_names, adapter_budgets, packages_in_wheel, same_command)
    breaches = [breach for rule in rules for breach in rule(root)]
    for breach in breaches:
        sys.stderr.write(breach + "\n")
    return min(1, len(breaches))


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
