"""Tensors and modules that cross the border between the engine and a framework, or between two backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from d2l_conformance.case import REAL
from d2l_conformance.limits import limited
from d2l_conformance.test_calls import others

from d2l_core import autodiff, nn, xp
from d2l_core.backend import Backend, use_backend
from d2l_core.errors import CallError, CheckpointError, UsageError
from d2l_core.interchange import from_native, to_native
from d2l_core.interface import DTYPES

# ---------------------------------------------------------------- memory


def arriving(dtype: str, backend: Backend, precision: int) -> set[str]:
    """The dtypes that a tensor of `dtype` may have here: its own, or a narrow one where there are no wide ones."""
    narrow = {"int64": "int32", "float64": "float32"}
    return {dtype, narrow.get(dtype, dtype)} if precision == 32 else {dtype}


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_of_every_other_backend_arrive(dtype: str, backend: Backend, precision: int) -> None:
    """Same elements, shape and dtype, with axes, without and without elements, in row-major order and not."""
    for name in others(backend):
        for shape in ((3, 4), (), (0, 2)):
            with use_backend(name, precision=precision) as giver:
                theirs = xp.asarray(np.arange(np.prod(shape)).reshape(shape) % 3, dtype=getattr(giver, dtype))
                views = [theirs, xp.permute_dims(theirs, (1, 0))] if len(shape) == 2 else [theirs]
                wanted = [xp.to_numpy(view) for view in views]
            for view, numbers in zip(views, wanted, strict=True):
                ours = xp.from_dlpack(view)
                assert xp.is_tensor(ours)
                assert xp.to_numpy(ours).dtype.name in arriving(numbers.dtype.name, backend, precision)
                np.testing.assert_array_equal(xp.to_numpy(ours), numbers)
                assert xp.to_numpy(xp.add(ours, ours) if dtype != "bool" else ours).shape == numbers.shape


def test_a_tensor_outlives_the_one_it_came_from(backend: Backend, precision: int) -> None:
    """Shared memory is held until the last owner is gone."""
    numbers = np.random.default_rng(0).normal(size=(64, 16)).astype(REAL[precision])
    for name in others(backend):
        kept = []
        for _ in range(20):
            with use_backend(name, precision=precision):
                theirs = xp.asarray(numbers)
            kept.append(xp.from_dlpack(theirs))
            del theirs
        for ours in kept:
            np.testing.assert_array_equal(xp.to_numpy(ours), numbers)


def test_computing_with_shared_memory_leaves_it_alone(backend: Backend, precision: int) -> None:
    """Not even a compiled step, which may reuse the memory of its state, writes into what was only lent."""
    numbers = np.linspace(1.0, 2.0, 1024).reshape(64, 16).astype(REAL[precision])
    for name in others(backend):
        with use_backend(name, precision=precision):
            theirs = xp.asarray(numbers)
        variable = nn.Parameter(numbers)
        variable.value = xp.from_dlpack(theirs)

        def step(variable: nn.Parameter = variable) -> Any:
            variable.value = variable.value * 2.0
            return xp.sum(variable.value)

        run = autodiff.compiled(step, [variable])
        run()
        run()
        np.testing.assert_array_equal(xp.to_numpy(variable.value), 4.0 * numbers)
        with use_backend(name, precision=precision):
            np.testing.assert_array_equal(xp.to_numpy(theirs), numbers)


class Lender:
    """Something with the two methods of the protocol and nothing else."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def test_any_object_of_the_protocol_is_taken(backend: Backend, precision: int) -> None:
    """NumPy arrays in any order of memory, and classes that nobody knows."""
    numbers = np.arange(12, dtype=REAL[precision]).reshape(3, 4)
    frozen = numbers.copy()
    frozen.flags.writeable = False
    for lent in (numbers, Lender(numbers), numbers.T, numbers[:, ::2], numbers[::-1], frozen):
        ours = xp.from_dlpack(lent)
        np.testing.assert_array_equal(xp.to_numpy(ours), getattr(lent, "array", lent))
        assert xp.to_numpy(ours).dtype == REAL[precision]
    tensor = xp.asarray(numbers)
    assert xp.from_dlpack(tensor) is tensor


def test_what_is_no_tensor_is_refused(backend: Backend) -> None:
    """One sentence, the same on every backend."""
    for wrong in ("word", object(), None):
        with pytest.raises(UsageError, match="no array of numbers; give an array or a tensor"):
            xp.from_dlpack(wrong)


def test_a_copy_can_be_asked_for_and_refused(backend: Backend, precision: int) -> None:
    """Memory of its own, memory that is shared, or an error; on a device by name."""
    numbers = np.arange(64, dtype=REAL[precision])
    for device in (None, backend.devices()[0]):
        own = xp.from_dlpack(numbers, copy=True, device=device)
        numbers[0] = 5.0
        assert float(xp.to_numpy(own)[0]) == 0.0
        assert float(xp.to_numpy(xp.from_dlpack(numbers, device=device))[0]) == 5.0
        numbers[0] = 0.0
    tensor = xp.asarray(numbers)
    assert xp.from_dlpack(tensor, copy=False) is tensor
    with pytest.raises(CallError, match="cannot be shared; leave out copy=False"):
        xp.from_dlpack([1.0, 2.0], copy=False)


# ---------------------------------------------------------------- modules


class Tower(nn.Module):
    """Parts within parts, a tied weight, a frozen one and a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(np.array([0.5]))
        self.body = nn.Sequential(nn.Linear(4), nn.Tanh(), nn.Linear(4, bias=False))
        self.twin = self.body[0]
        self.head = nn.ModuleDict({"mean": nn.Linear(2)})
        self.head.freeze()

    def forward(self, x: Any) -> Any:
        return {"y": self.head["mean"](self.body(self.twin(x)) + self.shift), "x": x}


@limited("to_native")
def test_a_native_module_computes_ours(backend: Backend, precision: int) -> None:
    """Same numbers to the last bit, outside of the block too; it gives back the weights it was given."""
    x = xp.asarray(np.random.default_rng(0).normal(size=(3, 4)))
    model = Tower().initialise(x, seed=1)
    native, wanted = to_native(model), model(x)["y"]
    np.testing.assert_array_equal(xp.to_numpy(native(x)["y"]), xp.to_numpy(wanted))
    other = Tower().initialise(x, seed=2)
    assert from_native(other, native) == ([], [])
    np.testing.assert_array_equal(xp.to_numpy(other(x)["y"]), xp.to_numpy(wanted))


@limited("to_native")
def test_weights_of_another_shape_change_nothing(backend: Backend, precision: int) -> None:
    """The first weight that does not fit is named with both shapes."""
    small, large = (nn.Sequential(nn.Linear(3, 2), nn.Linear(n, 3)).initialise(seed=0) for n in (2, 5))
    before, native = large.state_dict(), to_native(small)
    with pytest.raises(CheckpointError, match=r"1\.weight .*\(2, 3\).*\(5, 3\)"):
        from_native(large, native)
    for path, array in large.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_a_model_without_sizes_is_not_converted(backend: Backend, precision: int) -> None:
    """It has no weights that could move."""
    with pytest.raises(UsageError, match="0 has no weights yet; call initialise with an example input first"):
        to_native(nn.Sequential(nn.Linear(2)).initialise())


@limited("to_native")
def test_only_modules_of_the_framework_are_taken(backend: Backend, precision: int) -> None:
    """Anything else has a sentence that says what to do."""
    with pytest.raises(UsageError, match=r"is no .*; give one"):
        from_native(nn.Linear(2, 3).initialise(), {"weight": np.zeros((2, 3))})
