"""Calls across backends, and the context in which calls run."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_conformance.case import REAL

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.backend import Backend, adapters, current, load_backend, use_backend
from d2l_core.errors import MixedBackendsError, UsageError


def others(backend: Backend) -> list[str]:
    """Every other installed backend."""
    return [name for name, adapter in adapters().items() if name != backend.name and not adapter.missing()]


def test_foreign_tensors_are_refused(backend: Backend) -> None:
    """A tensor of one backend in a call on another is an error that names both and the function."""
    ours = xp.asarray([1.0, 2.0])
    for name in others(backend):
        with use_backend(name):
            theirs = xp.asarray([1.0, 2.0])
            with pytest.raises(MixedBackendsError, match=f"(?s)(?=.*exp)(?=.*{name})(?=.*{backend.name})"):
                xp.exp(ours)
            with pytest.raises(MixedBackendsError):
                composites.relu(ours)
        with pytest.raises(MixedBackendsError, match=f"(?s)(?=.*add)(?=.*{name})(?=.*{backend.name})"):
            xp.add(ours, theirs)


def test_tensors_travel_by_way_of_numpy(backend: Backend, precision: int) -> None:
    """What another backend's tensor holds arrives in the same bits."""
    numbers = np.linspace(-1, 1, 12).reshape(3, 4).astype(REAL[precision])
    for name in others(backend):
        with use_backend(name, precision=precision):
            carried = xp.to_numpy(xp.asarray(numbers))
        np.testing.assert_array_equal(xp.to_numpy(xp.asarray(carried)), numbers)


def test_is_tensor(backend: Backend) -> None:
    """Its own tensors are tensors; numbers, lists and other backends' tensors are not."""
    assert xp.is_tensor(xp.asarray([1.0]))
    assert xp.is_tensor(xp.sum(xp.asarray([1.0])))
    assert not xp.is_tensor(1.0)
    assert not xp.is_tensor([1.0])
    for name in others(backend):
        with use_backend(name):
            theirs = xp.asarray([1.0])
        assert not xp.is_tensor(theirs)


def test_to_numpy_is_a_copy(backend: Backend, precision: int) -> None:
    """Writing into the copy leaves the tensor as it was; so does writing into what a tensor was made of."""
    source = np.ones(3, REAL[precision])
    tensor = xp.asarray(source)
    source[0] = 5.0
    copy = xp.to_numpy(tensor)
    copy[1] = 7.0
    np.testing.assert_array_equal(xp.to_numpy(tensor), np.ones(3), "to_numpy or asarray shares memory")
    assert copy.dtype == REAL[precision]


@pytest.mark.parametrize("shape", [(3,), (1024, 784)])
def test_source_may_change_at_once(shape: tuple[int, ...], backend: Backend, precision: int) -> None:
    """A tensor is complete when `asarray` returns; several tries, for a framework that copies later wins some races."""
    for dtype in (None, backend.float32):
        for _ in range(30):
            source = np.ones(shape, REAL[precision])
            tensor = xp.asarray(source, dtype=dtype)
            source[...] = 5.0
            assert (xp.to_numpy(tensor) == 1.0).all(), "asarray shares the memory of its source"


def test_default_float(backend: Backend, precision: int) -> None:
    """Creation without a dtype, and Python numbers in arithmetic, follow the precision."""
    for tensor in (
        xp.zeros(2),
        xp.ones(()),
        xp.asarray(1.5),
        xp.linspace(0.0, 1.0, 3),
        xp.asarray(np.zeros(2)),
    ):
        assert xp.to_numpy(tensor).dtype == REAL[precision]
        assert xp.to_numpy(2.5 * tensor + 1).dtype == REAL[precision]
    assert xp.to_numpy(xp.asarray(np.zeros(2, np.float32))).dtype == np.float32


def test_operators(backend: Backend, precision: int) -> None:
    """Native operators mean what the functions mean; lessons use them."""
    a, b = (np.array(values, REAL[precision]) for values in ([[1.5, -2.0], [0.5, 4.0]], [[2.0, 0.5], [-1.0, 3.0]]))
    x, y = xp.asarray(a), xp.asarray(b)
    pairs = [
        (x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b), (-x, -a), (x**2, a**2), (x @ y, a @ b),
        (x < y, a < b), (x >= y, a >= b), (1.0 - x, 1.0 - a), (2 / x, 2 / a), (x[0], a[0]), (x[:, 1], a[:, 1]),
        (x[:, None], a[:, None]), (x[..., 0], a[..., 0]), (x[1:], a[1:]),
    ]  # fmt: skip
    for got, wanted in pairs:
        result = xp.to_numpy(got)
        np.testing.assert_allclose(result, wanted, rtol=4 * float(np.finfo(REAL[precision]).eps))
        assert result.dtype == wanted.dtype
        assert result.shape == wanted.shape
    assert tuple(x.shape) == (2, 2)


def test_scope_ends(backend: Backend, precision: int) -> None:
    """An inner block at the other precision leaves the outer one as it was."""
    with use_backend(backend.name, precision=96 - precision):
        assert xp.to_numpy(xp.zeros(1)).dtype == REAL[96 - precision]
    assert current().precision == precision
    assert xp.to_numpy(xp.zeros(1)).dtype == REAL[precision]


def test_unknown_device(backend: Backend) -> None:
    """A device that is not there is named, and so are those that are."""
    assert backend.devices()
    with pytest.raises(UsageError, match=backend.devices()[0]), use_backend(backend.name, device="abacus:7"):
        pass


def test_every_device_computes(backend: Backend, precision: int) -> None:
    """Each device named does a sum."""
    for device in load_backend(backend.name).devices():
        with use_backend(backend.name, precision=precision, device=device):
            total = xp.sum(xp.arange(4.0))
            xp.synchronise([total])
            assert float(xp.to_numpy(total)) == 6.0
