"""Array functions: `jax.numpy` speaks the array API standard, so nearly all of them are its own."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import d2l_core.composites  # noqa: F401 - declares the composites
from d2l_core._dispatch import REGISTRY
from d2l_core.axes import chosen

TENSOR_TYPES = (type(jnp.empty_like(np.zeros(0, np.float32))),)

# NumPy's dtypes are those of JAX arrays; they compare and hash faster than the scalar types of `jax.numpy`.
bool = np.dtype("bool")
uint8 = np.dtype("uint8")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
bfloat16 = np.dtype(jnp.bfloat16)
float32 = np.dtype("float32")
float64 = np.dtype("float64")

_NARROWED = {int64: int32, float64: float32}


def _narrow(dtype: Any) -> Any:
    """The dtype that exists at the active precision: JAX warns where it has to narrow by itself."""
    return dtype if jax.config.jax_enable_x64 else _NARROWED.get(dtype, dtype)


# ---------------------------------------------------------------- creation


def asarray(obj, /, *, dtype=None):
    if isinstance(obj, jax.Array):
        return _from_tensor(obj, dtype)
    if isinstance(obj, np.ndarray):
        return _from_array(obj.copy(), dtype)  # JAX reads later: what it is given must not change any more
    return jnp.array(obj, _narrow(dtype) or _kind(obj))


def _from_array(owned, dtype):
    """A tensor that takes over an array; `jnp.array` would compile a program for each new shape."""
    if dtype is None or _narrow(dtype) == _narrow(owned.dtype):
        return jax.device_put(owned)
    return jnp.array(owned, _narrow(dtype))


def _kind(obj):
    """The Python type of a scalar: JAX makes a weakly typed tensor of one whose dtype is not named."""
    return next((kind for kind in (builtins.bool, int, float) if isinstance(obj, kind)), None)


def _from_tensor(x, dtype):
    elsewhere = jax.config.jax_default_device
    if elsewhere is not None and not isinstance(x, jax.core.Tracer) and x.devices() != {elsewhere}:
        x = jnp.array(np.asarray(x), x.dtype)
    return x if dtype is None else jnp.astype(x, _narrow(dtype))


def zeros(shape, *, dtype=None):
    return jnp.zeros(shape, _narrow(dtype))


def ones(shape, *, dtype=None):
    return jnp.ones(shape, _narrow(dtype))


def full(shape, fill_value, *, dtype=None):
    return jnp.full(shape, fill_value, _narrow(dtype) or _kind(fill_value))


def arange(start, /, stop=None, step=1, *, dtype=None):
    return jnp.arange(start, stop, step, dtype=_narrow(dtype))


def linspace(start, stop, /, num, *, dtype=None, endpoint=True):
    """NumPy's values: those of `jax.numpy.linspace` are up to four units in the last place away."""
    return jnp.array(np.linspace(start, stop, num, endpoint=endpoint), _narrow(dtype) or float)


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None):
    return jnp.eye(n_rows, n_cols, k, _narrow(dtype))


def zeros_like(x, /, *, dtype=None):
    return jnp.zeros_like(x, _narrow(dtype))


def ones_like(x, /, *, dtype=None):
    return jnp.ones_like(x, _narrow(dtype))


def full_like(x, /, fill_value, *, dtype=None):
    return jnp.full_like(x, fill_value, _narrow(dtype))


# ---------------------------------------------------------------- dtypes and shapes


def astype(x, dtype, /):
    return jnp.astype(x, _narrow(dtype))


reshape = jnp.reshape
permute_dims = jnp.permute_dims
matrix_transpose = jnp.matrix_transpose
concat = jnp.concat
stack = jnp.stack
squeeze = jnp.squeeze
broadcast_to = jnp.broadcast_to
flip = jnp.flip
repeat = jnp.repeat
tile = jnp.tile
roll = jnp.roll


def expand_dims(x, /, *, axis=0):
    return jnp.expand_dims(x, axis)


def pad(x, pad_width: Sequence[tuple[int, int]], /, *, value=0.0):
    return jnp.pad(x, pad_width, constant_values=value)


# ---------------------------------------------------------------- elementwise

negative = jnp.negative
exp = jnp.exp
erf = jax.scipy.special.erf
expm1 = jnp.expm1
log = jnp.log
sqrt = jnp.sqrt
square = jnp.square
sin = jnp.sin
cos = jnp.cos
tanh = jnp.tanh
tan = jnp.tan
asin = jnp.asin
acos = jnp.acos
atan = jnp.atan
atan2 = jnp.atan2
sinh = jnp.sinh
cosh = jnp.cosh
asinh = jnp.asinh
acosh = jnp.acosh
signbit = jnp.signbit
nextafter = jnp.nextafter
modulo = jnp.remainder
integer_quotient = jnp.floor_divide
bitwise_and = jnp.bitwise_and
bitwise_or = jnp.bitwise_or
bitwise_xor = jnp.bitwise_xor
bitwise_invert = jnp.bitwise_invert
bitwise_left_shift = jnp.bitwise_left_shift
bitwise_right_shift = jnp.bitwise_right_shift
floor = jnp.floor
ceil = jnp.ceil
round = jnp.round


def sign(x, /):
    """Of a negative zero, which `jnp.sign` leaves as it is, the standard has it be a positive one."""
    return jnp.where(x == 0, jnp.zeros_like(x), jnp.sign(x))


def log1p(x, /):
    return _accurate_log1p(x) if x.dtype == float64 else jnp.log1p(x)


@jax.custom_jvp
def _accurate_log1p(x):
    """XLA's rational approximation is 80 units in the last place away at -0.41, where log(1 + x) is within two."""
    return jnp.where(x < -0.25, jnp.log(1.0 + x), jnp.log1p(x))


_accurate_log1p.defjvp(lambda primals, tangents: (_accurate_log1p(*primals), tangents[0] / (1.0 + primals[0])))
_accurate_log1p = jax.jit(_accurate_log1p)


def atanh(x, /):
    return 0.5 * (log1p(x) - log1p(-x)) if x.dtype == float64 else jnp.atanh(x)


add = jnp.add
subtract = jnp.subtract
multiply = jnp.multiply
divide = jnp.divide
pow = jnp.pow
maximum = jnp.maximum
minimum = jnp.minimum
where = jnp.where


def abs(x, /):
    """The gradient of `jnp.abs` is 1 at zero."""
    return jnp.where(x == 0, jnp.zeros_like(x), jnp.abs(x))


def clip(x, /, min=None, max=None):
    """The gradient of `jnp.clip` is one half at the limits."""
    if min is not None:
        x = jnp.where(x < min, min, x)
    return x if max is None else jnp.where(x > max, max, x)


equal = jnp.equal
not_equal = jnp.not_equal
less = jnp.less
less_equal = jnp.less_equal
greater = jnp.greater
greater_equal = jnp.greater_equal
logical_and = jnp.logical_and
logical_or = jnp.logical_or
logical_not = jnp.logical_not
isnan = jnp.isnan
isfinite = jnp.isfinite

# ---------------------------------------------------------------- reductions, sorting, searching


sum = jnp.sum
prod = jnp.prod
cumulative_sum = jnp.cumulative_sum
mean = jnp.mean
var = jnp.var
std = jnp.std
max = jnp.max
min = jnp.min
all = jnp.all
any = jnp.any
argmax = jnp.argmax
argmin = jnp.argmin
sort = jnp.sort
argsort = jnp.argsort


def take(x, indices, /, *, axis=None):
    return _take(x, indices, chosen(axis, x.ndim) % x.ndim)


@partial(jax.jit, static_argnums=2)
def _take(x, indices, axis):
    """By indexing: `jnp.take` looks for indices out of range, and whatever is fused with it does so again."""
    return x[(slice(None),) * axis + (indices,)]


take_along_axis = partial(jnp.take_along_axis, axis=-1)


def index_add(x, indices, values, /, *, axis=0):
    return x.at[(slice(None),) * (axis % x.ndim) + (indices,)].add(values)


# ---------------------------------------------------------------- linear algebra

matmul = jnp.matmul
tensordot = jnp.tensordot
einsum = jnp.einsum

logsumexp = jax.jit(jax.nn.logsumexp, static_argnames=("axis", "keepdims"))


# ---------------------------------------------------------------- composites, compiled once


def _compiled(name: str, **options):
    return jax.jit(REGISTRY[name].declaration, **options)


cumulative_prod = _compiled("cumulative_prod", static_argnames=("axis", "dtype", "include_initial"))
searchsorted = _compiled("searchsorted", static_argnames="side")
index_update = _compiled("index_update", static_argnames="axis")
