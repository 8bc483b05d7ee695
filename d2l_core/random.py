"""One random stream, the same bits on every machine, NumPy version and framework.

Raw 64-bit words come from Philox-4x64-10 (Salmon et al., *Parallel random numbers: as easy as 1, 2, 3*, 2011), whose
128-bit key is a hash of the seed and of a path such as ``("init", "net.0.weight")``. A value therefore depends on
what it is for and not on what was drawn before. Words become floats by IEEE additions, multiplications, divisions
and square roots alone, which are exactly rounded, so that no mathematical library can change a bit.

Draws that happen inside a compiled function (dropout) use `d2l_core.interface.random_uniform`, whose key comes from
`key_of`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

Key = int | str


def _digest(key: tuple[Key, ...]) -> bytes:
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in key)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def key_of(*key: Key) -> int:
    """Unsigned 64-bit integer that identifies a path of integers and strings."""
    return int.from_bytes(_digest(key)[:8], "little")


class _State(ISeedSequence):
    """Gives Philox its key; when `Philox(key=...)` is called, NumPy asks the system for a seed that it does not use."""

    def __init__(self, digest: bytes):
        self.digest = digest

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        return np.frombuffer(self.digest, "<u8").astype(dtype)


def _stream(key: tuple[Key, ...]) -> np.random.Philox:
    return np.random.Philox(_State(_digest(key)))  # type: ignore[arg-type]  # the stubs leave such seeds out


def words(n: int, *key: Key) -> NDArray[np.uint64]:
    """The first `n` raw 64-bit words of the stream called `key`."""
    return np.asarray(_stream(key).random_raw(n), dtype=np.uint64)


_BLOCK = 2**14  # words at a time: what floats are made by stays in a core's cache, 97 ms for 163 with 2.4 million


def _floats(
    shape: int | tuple[int, ...], key: tuple[Key, ...], make: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Float64 made of the upper 53 bits of each word, as whole numbers."""
    shape, stream = (shape,) if isinstance(shape, int) else tuple(shape), _stream(key)
    values = np.empty(math.prod(shape))
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        block[...] = make((stream.random_raw(block.size) >> np.uint64(11)).astype(np.float64))
    return values.reshape(shape)


def uniform(shape: int | tuple[int, ...], *key: Key, low: float = 0.0, high: float = 1.0) -> NDArray[np.float64]:
    """Uniform float64 in [low, high): 53 bits of each word."""
    return _floats(shape, key, lambda bits: bits * 2.0**-53 * (high - low) + low)


def normal(shape: int | tuple[int, ...], *key: Key, mean: float = 0.0, std: float = 1.0) -> NDArray[np.float64]:
    """Normal float64 by inversion of the distribution function at the centres of 2**53 equal cells."""
    return _floats(shape, key, lambda bits: _normal_quantile((bits + 0.5) * 2.0**-53) * std + mean)


def permutation(n: int, *key: Key) -> NDArray[np.int64]:
    """A permutation of 0 ... n-1: the order of n random words."""
    return _stable_order(words(n, *key))


def _stable_order(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    """``argsort(numbers, kind="stable")`` by one sort of words whose lower bits make room for their places.

    NumPy sorts 64-bit words with vector instructions, but neither looks up an order that fast nor a stable one. If the
    bits left do not tell two numbers apart, which random words as good as never need, the slow way is taken.
    """
    places = np.uint64((1 << max(numbers.size - 1, 0).bit_length()) - 1)
    packed = numbers & ~places | np.arange(numbers.size, dtype=np.uint64)
    packed.sort()
    if np.any(packed[1:] ^ packed[:-1] <= places):
        return np.argsort(numbers, kind="stable").astype(np.int64, copy=False)
    return (packed & places).view(np.int64)


# Wichura, Algorithm AS 241 (PPND16): The percentage points of the normal distribution, Applied Statistics 37, 1988.
_CENTRE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_TAIL = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR_TAIL = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], r: NDArray[np.float64]) -> Any:
    above, below = (np.zeros_like(r), np.zeros_like(r))
    for a, b in zip(reversed(coefficients[0]), reversed(coefficients[1]), strict=True):
        above = above * r + a
        below = below * r + b
    return above / below


def _normal_quantile(p: NDArray[np.float64]) -> NDArray[np.float64]:
    q = p - 0.5
    centre = np.abs(q) <= 0.425
    x = np.empty_like(p)
    x[centre] = q[centre] * _ratio(_CENTRE, 0.180625 - q[centre] * q[centre])
    outer = ~centre
    r = np.sqrt(-_log(np.minimum(p[outer], 1.0 - p[outer])))
    tail = np.where(r <= 5.0, _ratio(_TAIL, r - 1.6), _ratio(_FAR_TAIL, r - 5.0))
    x[outer] = np.where(q[outer] < 0.0, -tail, tail)
    return x


def _log(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm of positive numbers by exactly rounded operations, within 2 ulp.

    x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s) with s = (m - 1) / (m + 1), by its Taylor series.
    """
    m, e = np.frexp(x)
    small = m < math.sqrt(0.5)
    m = np.where(small, 2.0 * m, m)
    e = np.where(small, e - 1, e)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = np.zeros_like(s)
    for k in range(23, 0, -2):
        series = series * z + 1.0 / k
    return e * 0.6931471805599453 + 2.0 * s * series
