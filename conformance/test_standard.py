"""The namespace `d2l_core.xp` against the array API standard 2024.12: names, signatures, inspection, keywords."""

from __future__ import annotations

import inspect
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from d2l_conformance import special_values
from d2l_conformance.case import REAL
from d2l_conformance.standard import CONSTANTS, DTYPES_LEFT_OUT, LEFT_OUT, LINALG, SIGNATURES
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

from d2l_core import xp
from d2l_core.autodiff import grad
from d2l_core.backend import Backend, use_backend
from d2l_core.errors import CallError, UsageError
from d2l_core.interface import DTYPES, differentiate

# ---------------------------------------------------------------- names and signatures


def plain(function: Any) -> str:
    """A signature without annotations."""
    signature = inspect.signature(function)
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


@pytest.mark.parametrize(("module", "table"), [(xp, SIGNATURES), (xp.linalg, LINALG)], ids=["xp", "linalg"])
def test_signatures(module: ModuleType, table: dict[str, str]) -> None:
    """Names, order, kinds and defaults of all arguments are the standard's."""
    assert {name: plain(getattr(module, name)) for name in table} == table


def test_constants(backend: Backend) -> None:
    """Python's numbers, and None for a new axis."""
    assert {name: getattr(xp, name) for name in CONSTANTS} == {
        "e": np.e, "inf": np.inf, "newaxis": None, "pi": np.pi, "nan": pytest.approx(np.nan, nan_ok=True),
    }  # fmt: skip
    assert xp.__array_api_version__ == "2024.12"


def test_what_is_left_out_is_not_there(backend: Backend) -> None:
    """Nothing of what is declared missing exists half."""
    present = [name for name in (*LEFT_OUT, *DTYPES_LEFT_OUT) if hasattr(xp, name)]
    assert present == []


# ---------------------------------------------------------------- inspection


def test_capabilities() -> None:
    """Declared of the whole vocabulary, not of one framework."""
    info = xp.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": False, "data-dependent shapes": False, "max dimensions": 5}


def test_as_many_dimensions_as_declared(backend: Backend) -> None:
    """Broadcasting, reordering, reductions and products of stacks with the largest number of axes."""
    rank = xp.__array_namespace_info__().capabilities()["max dimensions"]
    shape = (2,) * rank
    x = np.arange(2.0**rank, dtype=np.float32).reshape(shape)
    column = x[:1, :, :1, :, :1]
    ours, other = (xp.asarray(one, dtype=xp.float32) for one in (x, column))
    order = tuple(reversed(range(rank)))
    for got, wanted in (
        (xp.add(ours, other), x + column),
        (xp.permute_dims(ours, order), np.transpose(x, order)),
        (xp.sum(ours, axis=(0, 2, -1)), x.sum((0, 2, -1))),
        (xp.flip(ours), np.flip(x)),
        (xp.broadcast_to(other, shape), np.broadcast_to(column, shape)),
        (xp.max(ours, axis=1), x.max(1)),
        (xp.matmul(ours, ours), x @ x),
        (xp.take(ours, xp.asarray([1, 0]), axis=2), np.take(x, [1, 0], 2)),
    ):
        np.testing.assert_array_equal(xp.to_numpy(got), wanted)


def test_devices(backend: Backend) -> None:
    """What tensors show as their device, the active one among them; names where they show none."""
    info = xp.__array_namespace_info__()
    for name, device in zip(backend.devices(), info.devices(), strict=True):
        with use_backend(backend.name, device=name):
            assert info.default_device() == device == getattr(xp.zeros(1), "device", name)


def test_default_dtypes(backend: Backend, precision: int) -> None:
    """They are those of new tensors, and every function that finds indices gives the index dtype."""
    info = xp.__array_namespace_info__()
    for device in (None, *info.devices()):
        kinds = info.default_dtypes(device=device)
        assert kinds["real floating"] == xp.zeros(1).dtype == getattr(xp, f"float{precision}")
        assert kinds["integral"] == xp.asarray([0]).dtype == xp.arange(2).dtype == xp.full(1, 3).dtype
        assert set(kinds) == {"real floating", "integral", "indexing"}
    x = xp.asarray([3.0, 0.0, 2.0])
    found = (
        xp.argmax(x), xp.argmin(x), xp.argsort(x), xp.count_nonzero(x), *xp.nonzero(x), xp.searchsorted(x, x),
        xp.top_k(x, 1)[1],
    )  # fmt: skip
    assert [one.dtype == kinds["indexing"] for one in found] == [True] * len(found)
    assert xp.take(x, found[2]).dtype == x.dtype


def test_dtypes_that_are_present(backend: Backend, precision: int) -> None:
    """At 64 bits all; at 32 those that tensors really have, by kind."""
    info = xp.__array_namespace_info__()
    present = info.dtypes()
    assert set(present) <= set(DTYPES)
    assert precision == 32 or set(present) == set(DTYPES)
    assert {"bool", "uint8", "int32", "float32"} <= set(present)
    for name in DTYPES:
        assert (xp.empty(1, dtype=getattr(xp, name)).dtype == getattr(xp, name)) is (name in present)
    assert set(info.dtypes(kind="bool")) == {"bool"}
    assert set(info.dtypes(kind=("bool", "unsigned integer"), device=info.default_device())) == {"bool", "uint8"}
    assert set(info.dtypes(kind="complex floating")) == set()
    assert info.dtypes(kind="numeric") == {name: one for name, one in present.items() if name != "bool"}
    with pytest.raises(ValueError, match="no kind of dtypes 'real'"):
        info.dtypes(kind="real")


# ---------------------------------------------------------------- keywords that adapters do not see


def test_device_of_creation(backend: Backend) -> None:
    """Each creation function takes a device by name, or as a tensor shows it; an unknown one is named."""
    name = backend.devices()[-1]
    x = xp.ones((2,), device=name)
    own = getattr(x, "device", name)
    for device in (None, name, own):
        made = [
            xp.zeros(2, device=device), xp.ones(2, device=device), xp.full(2, 1.0, device=device),
            xp.empty(2, device=device), xp.arange(2.0, device=device), xp.linspace(0.0, 1.0, 2, device=device),
            xp.eye(2, device=device), xp.zeros_like(x, device=device), xp.ones_like(x, device=device),
            xp.full_like(x, 2.0, device=device), xp.empty_like(x, device=device), xp.asarray(x, device=device),
            xp.asarray([1.0], device=device), xp.astype(x, xp.int32, device=device),
        ]  # fmt: skip
        assert device is None or all(getattr(one, "device", own) == own for one in made)
    with pytest.raises(UsageError, match=f"has no device 'abacus'.*{name}"):
        xp.zeros(2, device="abacus")


def test_copy(backend: Backend) -> None:
    """`copy=True` is new memory, `copy=False` the tensor itself or an error."""
    x = xp.asarray([1.0, 2.0])
    for copied in (xp.asarray(x, copy=True), xp.astype(x, x.dtype), xp.reshape(x, (2, 1), copy=True)):
        try:
            copied[0] = 5.0
        except TypeError:
            continue  # this framework's tensors cannot be changed
        np.testing.assert_array_equal(xp.to_numpy(x), [1.0, 2.0])
        assert float(xp.to_numpy(copied).reshape(-1)[0]) == 5.0
    assert xp.asarray(x, copy=False) is x
    assert xp.astype(x, x.dtype, copy=False) is x
    assert xp.reshape(x, (2,), copy=False) is x
    assert xp.asarray(x, dtype=x.dtype, device=xp.__array_namespace_info__().default_device(), copy=False) is x
    assert xp.astype(x, xp.int32, copy=False).dtype == xp.int32
    for call in (
        lambda: xp.asarray(x, dtype=xp.int32, copy=False),
        lambda: xp.asarray([1.0], copy=False),
        lambda: xp.reshape(x, (1, 2), copy=False),
    ):
        with pytest.raises(ValueError, match="copy"):
            call()


def test_dtype_of_accumulation(backend: Backend, precision: int) -> None:
    """Sums and products in a dtype that is named, and in the default integer where none is."""
    x = xp.asarray([100, 100, 2], dtype=xp.uint8)
    default = xp.__array_namespace_info__().default_dtypes()["integral"]
    for name, wanted in (("sum", 202), ("prod", 20000)):
        function = getattr(xp, name)
        assert int(function(x)) == wanted
        assert function(x).dtype == function(xp.astype(x, xp.bool)).dtype == default
        assert function(xp.astype(x, xp.int32)).dtype == default
        for dtype in (xp.int32, xp.float32):
            total = function(x, dtype=dtype)
            assert total.dtype == dtype
            assert float(total) == wanted
        assert function(xp.astype(x, xp.float32), dtype=xp.int32, axis=0, keepdims=True).dtype == xp.int32
    for name, wanted in (("cumulative_sum", [100, 200, 202]), ("cumulative_prod", [100, 10000, 20000])):
        function = getattr(xp, name)
        assert function(x).dtype == function(xp.astype(x, xp.int32)).dtype == default
        for dtype in (xp.int32, xp.float32):
            running = function(x, dtype=dtype)
            assert running.dtype == dtype
            np.testing.assert_array_equal(xp.to_numpy(running), wanted)
    np.testing.assert_array_equal(xp.to_numpy(xp.cumulative_sum(x, include_initial=True)), [0, 100, 200, 202])


def test_bounds_that_are_tensors(backend: Backend) -> None:
    """`clip` with tensors that broadcast, one bound, and NaN in a bound."""
    x = xp.asarray([[-2.0, 0.5, 3.0], [np.nan, 1.0, 9.0]])
    low, high = xp.asarray([-1.0, 0.75, 0.0]), xp.asarray([[2.0], [np.nan]])
    got = xp.to_numpy(xp.clip(x, low, high))
    np.testing.assert_array_equal(got, [[-1.0, 0.75, 2.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(xp.to_numpy(xp.clip(x[0], min=low)), [-1.0, 0.75, 3.0])
    whole = xp.clip(xp.asarray([1, 5, 9], dtype=xp.uint8), xp.asarray(2, dtype=xp.uint8), 6)
    np.testing.assert_array_equal(xp.to_numpy(whole), [2, 5, 6])
    assert whole.dtype == xp.uint8


def test_numbers_that_are_tensors(backend: Backend) -> None:
    """`repeat` with as many repetitions as elements, or with one for all."""
    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(xp.to_numpy(xp.repeat(x, xp.asarray([2, 0]), axis=0)), [[1.0, 2.0]] * 2)
    np.testing.assert_array_equal(xp.to_numpy(xp.repeat(x, xp.asarray([1, 0, 2, 1]))), [1.0, 3.0, 3.0, 4.0])
    np.testing.assert_array_equal(xp.to_numpy(xp.repeat(x, xp.asarray([2]), axis=-1))[0], [1.0, 1.0, 2.0, 2.0])


def test_indices(backend: Backend) -> None:
    """Negative indices count from the end; indices broadcast along the other axes."""
    x = np.arange(6.0).reshape(2, 3)
    a = xp.asarray(x)
    for name in ("int32", "int64"):
        back = xp.asarray(np.array([-1, 0, -3]), dtype=getattr(xp, name))
        np.testing.assert_array_equal(xp.to_numpy(xp.take(a, back, axis=1)), x[:, [2, 0, 0]])
        np.testing.assert_array_equal(xp.to_numpy(xp.take(a[0], back)), [2.0, 0.0, 0.0])
        found = xp.take_along_axis(a, xp.reshape(back, (1, 3)), axis=-1)
        np.testing.assert_array_equal(xp.to_numpy(found), x[:, [2, 0, 0]])
        found = xp.take_along_axis(a[:1], xp.reshape(back, (3, 1)), axis=1)
        np.testing.assert_array_equal(xp.to_numpy(found), [[2.0], [0.0], [0.0]])
    steps = xp.asarray(np.array([-1, 0]), dtype=xp.int32)
    gradient = grad(lambda t: xp.sum(xp.take(t, steps, axis=1) * 2.0))(a)
    np.testing.assert_array_equal(xp.to_numpy(gradient), [[2.0, 0.0, 2.0]] * 2)


def test_axes_of_concat_and_roll(backend: Backend) -> None:
    """Without an axis the flattened tensor counts; several axes are rolled one after the other."""
    x, y = np.arange(6.0).reshape(2, 3), np.arange(2.0)
    a, b = xp.asarray(x), xp.asarray(y)
    np.testing.assert_array_equal(xp.to_numpy(xp.concat([a, b, xp.zeros((0, 2))], axis=None)), [*range(6), 0, 1])
    for shift, axis in ((2, None), ((1, -2), (0, 1)), (1, (0, -1)), (-1, 1)):
        np.testing.assert_array_equal(xp.to_numpy(xp.roll(a, shift, axis=axis)), np.roll(x, shift, axis))
    with pytest.raises(ValueError, match="as many shifts as axes"):
        xp.roll(a, (1, 2, 3), axis=(0, 1))
    np.testing.assert_array_equal(xp.to_numpy(xp.expand_dims(b, 1)), y[:, None])


def test_stable_is_an_option(backend: Backend) -> None:
    """Orders are stable whether or not that is asked for."""
    x = xp.asarray([1.0, 0.0, 1.0, 0.0])
    for stable in (True, False):
        np.testing.assert_array_equal(xp.to_numpy(xp.argsort(x, stable=stable)), [1, 3, 0, 2])
        np.testing.assert_array_equal(xp.to_numpy(xp.sort(x, stable=stable, descending=True)), [1, 1, 0, 0])


def test_gradients_flow_through_what_the_core_adds(backend: Backend, precision: int) -> None:
    """Bounds, dtypes, copies and rearrangements that no adapter sees have gradients, in each input's own dtype."""
    x = xp.asarray([[0.5, 2.0], [3.0, -1.0]])
    low = xp.asarray([1.0, 0.0])
    narrow = xp.asarray([2.0, 3.0], dtype=xp.float32)

    def value(inputs: list[Any]) -> tuple[Any, None]:
        x, low, narrow = inputs
        parts = [
            xp.clip(x, low, 2.5),
            xp.sum(x, axis=0, dtype=x.dtype),
            xp.cumulative_sum(x[0], include_initial=True),
            xp.roll(x, 1),
            xp.concat([x, low], axis=None),
            xp.repeat(low, xp.asarray([3, 1])),
            xp.reshape(x, (4,), copy=True),
            xp.multiply(narrow, low),
        ]
        return sum(xp.sum(part) for part in parts), None

    (_, _), (dx, dlow, dnarrow) = differentiate(value)([x, low, narrow])
    np.testing.assert_array_equal(xp.to_numpy(dx), [[6.0, 6.0], [4.0, 4.0]])
    np.testing.assert_array_equal(xp.to_numpy(dlow), [7.0, 6.0])
    np.testing.assert_array_equal(xp.to_numpy(dnarrow), [1.0, 0.0])
    assert (dx.dtype, dlow.dtype, dnarrow.dtype) == (x.dtype, low.dtype, xp.float32)


# ---------------------------------------------------------------- special values

LONGEST = 40
"""No table of special values is longer."""


def columns(cases: Any, precision: int) -> list[Any]:
    """Operands and results of a table as arrays, repeated to one length, since compilers take their time over each."""
    assert len(cases) <= LONGEST
    operands = [np.array(column, REAL[precision]) for column in zip(*(one for one, _ in cases), strict=True)]
    return [np.resize(one, LONGEST) for one in (*operands, np.array([result for _, result in cases]))]


def same(name: str, got: Any, wanted: Any, precision: int) -> None:
    """Elements agree, to a few roundings where the result is not special, and zeros in their signs."""
    got = xp.to_numpy(got)
    assert (got.dtype.kind == "b") is (wanted.dtype.kind == "b"), name
    np.testing.assert_allclose(got, wanted, rtol=4 * float(np.finfo(REAL[precision]).eps), atol=0, err_msg=name)
    if wanted.dtype.kind == "f":
        zero = wanted == 0
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]), err_msg=name)


@pytest.mark.parametrize("name", special_values.SPECIAL)
def test_special_values_of_the_standard(name: str, backend: Backend, precision: int) -> None:
    """Each elementwise function does with NaN, infinities and zeros what the standard says."""
    *operands, wanted = columns(special_values.SPECIAL[name], precision)
    same(name, getattr(xp, name)(*(xp.asarray(one) for one in operands)), wanted, precision)


@pytest.mark.parametrize("name", special_values.REDUCED)
def test_special_values_in_statistics(name: str, backend: Backend, precision: int) -> None:
    """Each statistical function does with rows that hold them what the standard says."""
    *elements, wanted = columns(special_values.REDUCED[name], precision)
    rows = xp.asarray(np.stack(elements, axis=1))
    same(name, getattr(xp, name)(rows, axis=1), wanted, precision)


def test_statistics_of_nothing(backend: Backend, precision: int) -> None:
    """Functions over no elements have neutral elements, or NaN."""
    nothing = xp.zeros((3, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mean of nothing is NaN, and some frameworks warn
        for name, wanted in special_values.EMPTY.items():
            for got in (getattr(xp, name)(nothing, axis=1), getattr(xp, name)(nothing)):
                np.testing.assert_array_equal(xp.to_numpy(got), np.full(tuple(got.shape), wanted), err_msg=name)


def test_complex_numbers_are_left_out(backend: Backend, precision: int) -> None:
    """One without an imaginary part is real; others are refused. The public suite asks for the dtype of ``0j``."""
    assert xp.to_numpy(xp.asarray(complex(2.0))).dtype == REAL[precision]
    assert float(xp.to_numpy(xp.asarray(complex(2.0)))) == 2.0
    with pytest.raises(CallError, match="Complex numbers are left out"):
        xp.asarray(1j)


# ---------------------------------------------------------------- hypothesis' own strategies for the standard


@given(data=st.data())
def test_strategies_of_hypothesis(backend: Backend, precision: int, data: Any) -> None:
    """Tensors that hypothesis makes with this namespace, as the public suite does, hold what they should."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tensors are native and may lack __array_namespace__
        strategies = make_strategies_namespace(xp)
    name = data.draw(st.sampled_from(sorted(xp.__array_namespace_info__().dtypes())))
    x = data.draw(strategies.arrays(getattr(xp, name), strategies.array_shapes(min_dims=0, max_dims=2, max_side=2)))
    assert x.dtype == getattr(xp, name)
    assert xp.to_numpy(x).dtype.name == name
    assert bool(xp.all(xp.logical_or(xp.equal(x, x), xp.not_equal(x, x))))
    np.testing.assert_array_equal(xp.to_numpy(xp.flip(xp.flip(x))), xp.to_numpy(x))
