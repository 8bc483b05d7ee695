"""The special cases of the array API standard 2024.12: what NaN, infinities and zeros become.

Each line of a table is ``operands -> result``. Written from the specification, not computed: unlike the oracle of the
table of cases, this has no library behind it. The sign of a zero counts, that of NaN does not. Where the standard says
"may", nothing is asked.
"""

from __future__ import annotations

import math

HALF_PI, QUARTER_PI = math.pi / 2, math.pi / 4
_NAMES = {
    "pi": math.pi,
    "pi/2": HALF_PI,
    "pi/4": QUARTER_PI,
    "3pi/4": 3 * QUARTER_PI,
    "T": True,
    "F": False,
}


def _number(word: str) -> float | bool:
    sign = -1.0 if word.startswith("-") else 1.0
    bare = word.lstrip("-")
    value = _NAMES.get(bare)
    if isinstance(value, bool):
        return value
    return math.copysign(float(bare) if value is None else value, sign)


def _cases(text: str) -> list[tuple[tuple[float | bool, ...], float | bool]]:
    found = []
    for case in text.replace("\n", ";").split(";"):
        if case.strip():
            operands, result = case.split("->")
            found.append((tuple(_number(word) for word in operands.split()), _number(result.strip())))
    return found


_KEEPS_ZERO = "nan -> nan; 0 -> 0; -0 -> -0"
_ROUNDS = f"{_KEEPS_ZERO}; inf -> inf; -inf -> -inf; 3 -> 3; -3 -> -3"
_ORDERED = "nan nan -> F; nan 1 -> F; 1 nan -> F; 0 -0 -> {0}; -0 0 -> {0}; inf inf -> {0}; -inf -inf -> {0}"

SPECIAL = {
    name: _cases(text)
    for name, text in {
        # ------------------------------------------------------------ one operand
        "abs": "nan -> nan; -0 -> 0; 0 -> 0; inf -> inf; -inf -> inf",
        "acos": "nan -> nan; 1.5 -> nan; -1.5 -> nan; 1 -> 0; inf -> nan",
        "acosh": "nan -> nan; 0.5 -> nan; -1 -> nan; 1 -> 0; inf -> inf; -inf -> nan",
        "asin": f"{_KEEPS_ZERO}; 1.5 -> nan; -1.5 -> nan; inf -> nan; 1 -> pi/2; -1 -> -pi/2",
        "asinh": f"{_KEEPS_ZERO}; inf -> inf; -inf -> -inf",
        "atan": f"{_KEEPS_ZERO}; inf -> pi/2; -inf -> -pi/2",
        "atanh": f"{_KEEPS_ZERO}; -1.5 -> nan; 1.5 -> nan; -1 -> -inf; 1 -> inf; inf -> nan",
        "ceil": f"{_ROUNDS}; -0.5 -> -0; 0.5 -> 1; 2.25 -> 3",
        "cos": "nan -> nan; 0 -> 1; -0 -> 1; inf -> nan; -inf -> nan",
        "cosh": "nan -> nan; 0 -> 1; -0 -> 1; inf -> inf; -inf -> inf",
        "exp": "nan -> nan; 0 -> 1; -0 -> 1; inf -> inf; -inf -> 0",
        "expm1": f"{_KEEPS_ZERO}; inf -> inf; -inf -> -1",
        "floor": f"{_ROUNDS}; 0.5 -> 0; -0.5 -> -1; 2.75 -> 2",
        "isfinite": "nan -> F; inf -> F; -inf -> F; 0 -> T; -0 -> T; 1 -> T",
        "isinf": "nan -> F; inf -> T; -inf -> T; 0 -> F; 1 -> F",
        "isnan": "nan -> T; inf -> F; -inf -> F; 0 -> F; 1 -> F",
        "log": "nan -> nan; -1 -> nan; -inf -> nan; 0 -> -inf; -0 -> -inf; 1 -> 0; inf -> inf",
        "log1p": f"{_KEEPS_ZERO}; -2 -> nan; -1 -> -inf; inf -> inf",
        "log2": "nan -> nan; -1 -> nan; 0 -> -inf; -0 -> -inf; 1 -> 0; inf -> inf",
        "log10": "nan -> nan; -1 -> nan; 0 -> -inf; -0 -> -inf; 1 -> 0; inf -> inf",
        "negative": "nan -> nan; 0 -> -0; -0 -> 0; inf -> -inf; -inf -> inf; 1 -> -1",
        "positive": f"{_KEEPS_ZERO}; inf -> inf; -inf -> -inf; -1 -> -1",
        "reciprocal": "nan -> nan; 0 -> inf; -0 -> -inf; inf -> 0; -inf -> -0; 2 -> 0.5",
        "round": f"{_ROUNDS}; 0.5 -> 0; -0.5 -> -0; 1.5 -> 2; 2.5 -> 2; -2.5 -> -2",
        "sign": "nan -> nan; 0 -> 0; -0 -> 0; 2 -> 1; -2 -> -1; inf -> 1; -inf -> -1",
        "signbit": "0 -> F; -0 -> T; inf -> F; -inf -> T; 1 -> F; -1 -> T; nan -> F; -nan -> T",
        "sin": f"{_KEEPS_ZERO}; inf -> nan; -inf -> nan",
        "sinh": f"{_KEEPS_ZERO}; inf -> inf; -inf -> -inf",
        "sqrt": f"{_KEEPS_ZERO}; -1 -> nan; -inf -> nan; inf -> inf",
        "square": "nan -> nan; 0 -> 0; -0 -> 0; inf -> inf; -inf -> inf",
        "tan": f"{_KEEPS_ZERO}; inf -> nan; -inf -> nan",
        "tanh": f"{_KEEPS_ZERO}; inf -> 1; -inf -> -1",
        "trunc": f"{_ROUNDS}; 0.5 -> 0; -0.5 -> -0; -2.75 -> -2",
        # ------------------------------------------------------------ two operands
        "add": """
            nan 1 -> nan; 1 nan -> nan; inf -inf -> nan; -inf inf -> nan; inf inf -> inf; -inf -inf -> -inf
            inf 1 -> inf; -inf 1 -> -inf; 1 inf -> inf; 1 -inf -> -inf; -0 -0 -> -0; -0 0 -> 0; 0 -0 -> 0; 0 0 -> 0
            0 1 -> 1; -0 1 -> 1; 1 -1 -> 0
        """,
        "subtract": """
            nan 1 -> nan; 1 nan -> nan; inf inf -> nan; -inf -inf -> nan; inf -inf -> inf; -inf inf -> -inf
            0 0 -> 0; -0 0 -> -0; 0 -0 -> 0; 1 1 -> 0
        """,
        "multiply": """
            nan 1 -> nan; 1 nan -> nan; inf 0 -> nan; -inf 0 -> nan; 0 inf -> nan; -0 inf -> nan; inf inf -> inf
            inf -inf -> -inf; -inf -inf -> inf; inf 2 -> inf; inf -2 -> -inf; 0 -2 -> -0; -0 -2 -> 0; 0 2 -> 0
        """,
        "divide": """
            nan 1 -> nan; 1 nan -> nan; inf inf -> nan; -inf inf -> nan; 0 0 -> nan; 0 -0 -> nan; -0 0 -> nan
            0 1 -> 0; -0 1 -> -0; 0 -1 -> -0; -0 -1 -> 0; 1 0 -> inf; 1 -0 -> -inf; -1 0 -> -inf; -1 -0 -> inf
            inf 1 -> inf; inf -1 -> -inf; -inf 1 -> -inf; -inf -1 -> inf; 1 inf -> 0; 1 -inf -> -0; -1 inf -> -0
            -1 -inf -> 0
        """,
        "floor_divide": """
            nan 1 -> nan; 1 nan -> nan; inf inf -> nan; inf -inf -> nan; 0 0 -> nan; -0 0 -> nan; 0 1 -> 0; -0 1 -> -0
            0 -1 -> -0; -0 -1 -> 0; 1 inf -> 0; -1 -inf -> 0; 3 2 -> 1; -3 2 -> -2; 3 -2 -> -2; -3 -2 -> 1
        """,
        "remainder": """
            nan 1 -> nan; 1 nan -> nan; inf inf -> nan; inf 1 -> nan; -inf 2 -> nan; 0 0 -> nan; 1 0 -> nan
            -1 -0 -> nan
            0 1 -> 0; -0 1 -> 0; 0 -1 -> -0; -0 -1 -> -0; 1 inf -> 1; 1 -inf -> -inf; -1 inf -> inf; -1 -inf -> -1
            4 2 -> 0; 4 -2 -> -0; -4 2 -> 0; -4 -2 -> -0; 3 2 -> 1; -3 2 -> 1; 3 -2 -> -1
        """,
        "pow": """
            2 nan -> nan; nan 0 -> 1; nan -0 -> 1; nan 1 -> nan; 0 0 -> 1; 2 0 -> 1; inf -0 -> 1; 2 inf -> inf
            -2 inf -> inf; 2 -inf -> 0; -2 -inf -> 0; 1 inf -> 1; -1 inf -> 1; 1 -inf -> 1; -1 -inf -> 1; 1 nan -> 1
            0.5 inf -> 0; -0.5 inf -> 0; 0.5 -inf -> inf; inf 2 -> inf; inf -2 -> 0; -inf 3 -> -inf; -inf 2 -> inf
            -inf -3 -> -0; -inf -2 -> 0; 0 2 -> 0; 0 -2 -> inf; -0 3 -> -0; -0 2 -> 0; -0 -3 -> -inf; -0 -2 -> inf
            -2 0.5 -> nan; -2 3 -> -8; -inf 0.5 -> inf; -inf -0.5 -> 0; -0 0.5 -> 0; -0 -0.5 -> inf
        """,
        "atan2": """
            nan 1 -> nan; 1 nan -> nan; 1 0 -> pi/2; 1 -0 -> pi/2; 0 1 -> 0; 0 0 -> 0; 0 -0 -> pi; 0 -1 -> pi
            -0 1 -> -0; -0 0 -> -0; -0 -0 -> -pi; -0 -1 -> -pi; -1 0 -> -pi/2; -1 -0 -> -pi/2; 1 inf -> 0; 1 -inf -> pi
            -1 inf -> -0; -1 -inf -> -pi; inf 1 -> pi/2; -inf 1 -> -pi/2; inf inf -> pi/4; inf -inf -> 3pi/4
            -inf inf -> -pi/4; -inf -inf -> -3pi/4
        """,
        "copysign": """
            1 0 -> 1; 1 -0 -> -1; -1 0 -> 1; -1 -0 -> -1; 0 -1 -> -0; -0 1 -> 0; inf -1 -> -inf; -inf 1 -> inf
            nan 1 -> nan; nan -1 -> nan; 2 -nan -> -2; 2 nan -> 2; 2 inf -> 2; 2 -inf -> -2
        """,
        "hypot": """
            inf 1 -> inf; -inf 1 -> inf; 1 inf -> inf; inf nan -> inf; nan -inf -> inf; nan 1 -> nan; 1 nan -> nan
            0 0 -> 0; -0 -0 -> 0; 0 -2 -> 2; 3 4 -> 5
        """,
        "logaddexp": """
            nan 1 -> nan; 1 nan -> nan; inf 1 -> inf; 1 inf -> inf; -inf -inf -> -inf; -inf 1 -> 1; inf nan -> nan
        """,
        "maximum": "nan 1 -> nan; 1 nan -> nan; nan nan -> nan; inf 1 -> inf; -inf 1 -> 1; 1 -inf -> 1",
        "minimum": "nan 1 -> nan; 1 nan -> nan; nan nan -> nan; inf 1 -> 1; -inf 1 -> -inf; 1 inf -> 1",
        "nextafter": "nan 1 -> nan; 1 nan -> nan; 0 0 -> 0; -0 0 -> 0; 0 -0 -> -0; 2 2 -> 2; inf inf -> inf",
        "equal": "nan nan -> F; nan 1 -> F; 0 -0 -> T; inf inf -> T; -inf -inf -> T; inf -inf -> F; 1 1 -> T",
        "not_equal": "nan nan -> T; nan 1 -> T; 0 -0 -> F; inf inf -> F; inf -inf -> T; 1 1 -> F",
        "greater": _ORDERED.format("F") + "; inf 1 -> T; 1 -inf -> T; 1 inf -> F; -inf 1 -> F",
        "greater_equal": _ORDERED.format("T") + "; inf 1 -> T; 1 -inf -> T; 1 inf -> F; -inf 1 -> F",
        "less": _ORDERED.format("F") + "; inf 1 -> F; 1 -inf -> F; 1 inf -> T; -inf 1 -> T",
        "less_equal": _ORDERED.format("T") + "; inf 1 -> F; 1 -inf -> F; 1 inf -> T; -inf 1 -> T",
    }.items()
}
"""For each elementwise function of floats: operands and result."""

REDUCED = {
    name: _cases(text)
    for name, text in {
        "max": "1 nan -> nan; nan 1 -> nan; inf 1 -> inf; -inf 1 -> 1; -inf -inf -> -inf",
        "min": "1 nan -> nan; nan 1 -> nan; inf 1 -> 1; -inf 1 -> -inf; inf inf -> inf",
        "sum": "1 nan -> nan; inf 1 -> inf; -inf 1 -> -inf; inf -inf -> nan; inf inf -> inf",
        "prod": "1 nan -> nan; inf 2 -> inf; inf -2 -> -inf; inf 0 -> nan; -inf -inf -> inf",
        "mean": "1 nan -> nan; inf 1 -> inf; -inf 1 -> -inf; inf -inf -> nan",
        "var": "1 nan -> nan; inf 1 -> nan; 2 2 -> 0",
        "std": "1 nan -> nan; inf 1 -> nan; 2 2 -> 0",
        "all": "nan 1 -> T; inf 1 -> T; 0 1 -> F; -0 1 -> F; nan 0 -> F",
        "any": "nan 0 -> T; inf 0 -> T; 0 0 -> F; -0 0 -> F",
        "count_nonzero": "nan 0 -> 1; inf nan -> 2; 0 -0 -> 0",
    }.items()
}
"""For each statistical function: the elements of a row and what becomes of them."""

EMPTY = {"sum": 0.0, "prod": 1.0, "mean": math.nan, "var": math.nan, "std": math.nan, "all": True, "any": False}
"""What functions give for no elements. The largest and smallest of none are an error or left open."""
