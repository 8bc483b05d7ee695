"""What the array API standard asks of the array object, which is the framework's own here: asked, not promised.

Each question is answered by trying it; an exception is a no. The answers stand in ``docs/array_api.md``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from d2l_core import xp


def _floats() -> Any:
    return xp.asarray(np.arange(6.0).reshape(2, 3), dtype=xp.float32)


def _integers() -> Any:
    return xp.asarray(np.arange(1, 7).reshape(2, 3), dtype=xp.int32)


def _is(got: Any, wanted: Any, dtype: Any = None) -> bool:
    array = xp.to_numpy(got)
    same = array.shape == np.shape(wanted) and bool(np.all(array == wanted))
    return same and (dtype is None or bool(got.dtype == dtype))


def _has(name: str) -> Callable[[], bool]:
    return lambda: hasattr(_floats(), name)


def _arithmetic() -> bool:
    """Operators between tensors of one dtype, with Python numbers on either side."""
    x, wanted = _floats() + 1, np.arange(6.0).reshape(2, 3) + 1
    operations = (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow)
    pairs = [(op(x, x), op(wanted, wanted)) for op in operations]
    pairs += [(op(x, 2.0), op(wanted, 2.0)) for op in operations] + [(op(2.0, x), op(2.0, wanted)) for op in operations]
    pairs += [(-x, -wanted), (abs(-x), wanted), (x[:, :2] @ x, wanted[:, :2] @ wanted)]
    return all(np.allclose(xp.to_numpy(one), two) for one, two in pairs)


def _division() -> bool:
    x, wanted = _floats() - 3, np.arange(6.0).reshape(2, 3) - 3
    return _is(x // 2.0, wanted // 2.0) and _is(x % 2.0, wanted % 2.0) and _is(x // xp.ones_like(x), wanted)


def _matrix_and_vector() -> bool:
    x = _floats()
    return _is(x @ x[0, :], [5.0, 14.0])


def _comparison() -> bool:
    x, wanted = _floats(), np.arange(6.0).reshape(2, 3)
    operations = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
    return all(_is(op(x, 2.0), op(wanted, 2.0), xp.bool) and _is(op(x, x), op(wanted, wanted)) for op in operations)


def _bits() -> bool:
    x, wanted = _integers(), np.arange(1, 7).reshape(2, 3)
    operations = (operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift)
    return all(_is(op(x, x), op(wanted, wanted), xp.int32) for op in operations) and _is(~x, ~wanted)


def _truths() -> bool:
    x, wanted = _floats() > 2, np.arange(6.0).reshape(2, 3) > 2
    return _is(x & ~x, wanted & ~wanted, xp.bool) and _is(x | ~x, wanted | ~wanted) and _is(x ^ x, wanted ^ wanted)


def _mixed() -> bool:
    one, two = xp.ones((2,), dtype=xp.uint8), xp.ones((2,), dtype=xp.int32)
    return _is(one + two, [2, 2], xp.int32) and _is(two * one, [1, 1], xp.int32)


def _mixed_scalar() -> bool:
    one, two = xp.ones((2,), dtype=xp.uint8), xp.ones((), dtype=xp.int32)
    return _is(one + two, [2, 2], xp.int32)


def _scalar_result() -> bool:
    x = xp.ones((), dtype=xp.float32)
    return bool(xp.is_tensor(x + x)) and bool(xp.is_tensor(_floats()[0, 0]))


def _in_place() -> bool:
    x = _floats()
    x += 1.0
    x *= x
    return _is(x, (np.arange(6.0).reshape(2, 3) + 1) ** 2)


def _conversion() -> bool:
    one = xp.asarray(1, dtype=xp.int32)
    return bool(one) and int(one) == 1 and float(xp.asarray(1.5)) == 1.5 and operator.index(one) == 1


def _slices() -> bool:
    x, wanted = _floats(), np.arange(6.0).reshape(2, 3)
    keys: tuple[Any, ...] = (0, -1, (0, 1), slice(1, None), (..., 0), (None, 0), (slice(None), slice(0, 2)))
    return all(_is(x[key], wanted[key]) for key in keys)


def _backwards() -> bool:
    x, wanted = _floats(), np.arange(6.0).reshape(2, 3)
    return _is(x[:, ::-1], wanted[:, ::-1]) and _is(x[::-1, ::2], wanted[::-1, ::2])


def _tensor_index() -> bool:
    return _is(_floats()[xp.asarray(1, dtype=xp.int32), :], [3.0, 4.0, 5.0])


def _integer_arrays() -> bool:
    return _is(_floats()[xp.asarray([1, 0]), xp.asarray([2, 0])], [5.0, 0.0])


def _masks() -> bool:
    x = _floats()
    return _is(x[x > 2], [3.0, 4.0, 5.0])


def _assignment() -> bool:
    x, wanted = _floats(), np.arange(6.0).reshape(2, 3)
    x[0, :], wanted[0, :] = 7.0, 7.0
    x[:, 1] = xp.asarray([1.0, 2.0], dtype=xp.float32)
    wanted[:, 1] = [1.0, 2.0]
    return _is(x, wanted)


def _mask_assignment() -> bool:
    x = _floats()
    x[x > 2] = 0.0
    return _is(x, [[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]])


QUESTIONS: dict[str, Callable[[], bool]] = {
    "`x.dtype == xp.float32`": lambda: bool(_floats().dtype == xp.float32 and _floats().dtype != xp.int32),
    "`x.shape == (2, 3)`": lambda: bool(_floats().shape == (2, 3)) and len(_floats().shape) == 2,
    "`x.shape` is a tuple": lambda: isinstance(_floats().shape, tuple),
    "`x.ndim`": lambda: bool(_floats().ndim == 2),
    "`x.size` is a number": lambda: bool(_floats().size == 6),
    "`x.T`": lambda: _is(_floats().T, np.arange(6.0).reshape(2, 3).T),
    "`x.mT`": lambda: _is(_floats().mT, np.arange(6.0).reshape(2, 3).T),
    "`x.device`": _has("device"),
    "`x.to_device()`": _has("to_device"),
    "`x.__array_namespace__()`": _has("__array_namespace__"),
    "`x.__dlpack__()`": _has("__dlpack__"),
    "`bool(x)`, `int(x)`, `float(x)`, `x.__index__()`": _conversion,
    "`+ - * / ** @` with one dtype and with numbers": _arithmetic,
    "`@` of a matrix and a vector": _matrix_and_vector,
    "`// %` of floats": _division,
    "comparisons": _comparison,
    "bitwise operators of integers": _bits,
    "bitwise operators of booleans": _truths,
    "operators promote two dtypes": _mixed,
    "operators promote a 0-d tensor": _mixed_scalar,
    "operators and indexing give 0-d tensors": _scalar_result,
    "operators in place": _in_place,
    "index by integers, slices, `...`, `None`": _slices,
    "index by negative steps": _backwards,
    "index by a 0-d integer tensor": _tensor_index,
    "index by integer tensors": _integer_arrays,
    "index by a boolean mask": _masks,
    "assignment to slices": _assignment,
    "assignment by a mask": _mask_assignment,
}
"""What is asked, as the page says it."""


def answers() -> dict[str, bool]:
    """The answers of the active backend."""
    found = {}
    for label, question in QUESTIONS.items():
        try:
            found[label] = bool(question())
        except Exception:
            found[label] = False
    return found
