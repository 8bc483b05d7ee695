"""Compiled steps on PyTorch: what was recorded is replayed, to the bits of plain code, or not at all."""

import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from _replaying import bits, counted
from d2l_backends.torch import autodiff, recording
from d2l_conformance import _run
from d2l_conformance.course import Course
from d2l_conformance.families import FAMILIES
from d2l_conformance.table import CASES
from torch.utils._python_dispatch import TorchDispatchMode

from d2l_core import composites, nn, optim, tree
from d2l_core import interface as xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.backend import load_backend, use_backend
from d2l_core.errors import CallError
from d2l_core.lessons import lessons
from d2l_core.nn.functional import cross_entropy

LENGTH = 4


@pytest.fixture(params=[32, 64])
def precision(request):
    """PyTorch on the CPU at both precisions."""
    with use_backend("torch", precision=request.param, device="cpu"):
        yield request.param


@pytest.fixture
def plain(monkeypatch):
    """Call it, and `compile` is the identity from then on, `compile_steps` a loop over it."""

    def switch():
        monkeypatch.setattr(load_backend("torch"), "compile", lambda f: f)
        monkeypatch.setattr(load_backend("torch"), "compile_steps", composites.compile_steps.__wrapped__)

    return switch


@pytest.fixture
def replays(monkeypatch):
    """Whether each recording that was made could be replayed."""
    kept, found = autodiff.recorded, []

    def noted(*args):
        result, replay = kept(*args)
        found.append(replay is not None)
        return result, replay

    monkeypatch.setattr(autodiff, "recorded", noted)
    return found


# ---------------------------------------------------------------- the same bits


@pytest.mark.parametrize("name", FAMILIES)
def test_families_train_to_the_same_bits(name, precision, plain, replays):
    """Losses and all state after some steps, of which all but the first are replayed."""

    def course():
        made = Course(FAMILIES[name])
        return [made.take(step) for step in range(LENGTH)], {k: x.tobytes() for k, x in made.state().items()}

    replayed = course()
    assert replays == [True]
    plain()
    assert course() == replayed


@pytest.mark.parametrize("name", [name for name, lesson in lessons().items() if lesson.header.main])
def test_lessons_train_to_the_same_bits(name, plain):
    """Every job at smoke scale: the losses of all steps and the validation."""

    def losses():
        with use_backend("torch", precision=32, device="cpu"):
            return [
                [history.losses, [{k: x for k, x in record.items() if "seconds" not in k} for record in history.epochs]]
                for history in (job.run("smoke", 0).history for job in lessons()[name].jobs().values())
            ]

    replayed = losses()
    plain()
    assert losses() == replayed


BY_VALUE = {"cond", "while_loop"}
MODE_CHOOSES = {"prod"}  # its gradient has another formula under a mode, which looks at no value


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.compiled])
def test_primitives_give_the_same_bits(name, precision, replays):
    """All samples of a case and their gradients in one function, as recorded and as replayed."""
    case = CASES[name]
    made = case.make(case.samples, precision)
    smooth = _run.differentiable_samples(case, precision) if case.differentiable else []

    def program(state, tensors, bent):
        results = [_run.call(case, one, some) for one, some in zip(made, tensors, strict=True)]
        return state, results, [_run.gradients(case, one, *both) for one, both in zip(smooth, bent, strict=True)]

    weights = [[_run.to_tensor(w) for w in _run.weights_of(case, one, precision)] for one in smooth]
    bent = [(_run.tensors_of(one), some) for one, some in zip(smooth, weights, strict=True)]
    args = [xp.zeros(())], [_run.tensors_of(one) for one in made], bent
    program, runs = counted(program)
    wanted, step = bits(program(*args)), xp.compile(program)
    first, second, third = (bits(step(*args)) for _ in range(3))
    assert replays == [name not in BY_VALUE]
    assert len(runs) == (4 if name in BY_VALUE else 2)
    assert first == second == third
    assert first == wanted or name in MODE_CHOOSES


# ---------------------------------------------------------------- what is not replayed


def reads(value):
    """Functions of a tensor that let Python see its numbers."""
    return {
        "item": lambda: value.item(),
        "float": lambda: float(value),
        "bool": lambda: bool(value > 0),
        "numpy": lambda: value.numpy(),
        "tolist": lambda: value.tolist(),
        "asarray": lambda: np.asarray(value),
        "to_numpy": lambda: xp.to_numpy(value),
        "nonzero": lambda: torch.nonzero(value),
        "mask": lambda: value[value > 0],
    }


@pytest.mark.parametrize("how", reads(None))
def test_steps_that_see_numbers_stay_plain(how, precision, replays):
    """What they do with them holds at each call."""

    def f(state, x):
        seen = reads(x)[how]()
        positive = len(seen) if how in ("nonzero", "mask") else seen > 0
        return state, x * (2.0 if positive else 3.0)

    step = xp.compile(f)
    for number, wanted in (
        (1.0, 2.0),
        (0.0 if how == "nonzero" else -1.0, 0.0 if how == "nonzero" else -3.0),
        (2.0, 4.0),
    ):
        assert float(step([xp.zeros(())], xp.asarray(number))[1]) == wanted
    assert replays == [False]


def test_long_steps_stay_plain(precision, replays, monkeypatch):
    """They would need more memory and time than they save."""
    monkeypatch.setattr(recording, "LONGEST", 50)

    def f(state, xs):
        return xp.scan(lambda carry, x: (carry + x, carry), state[0], xs)

    f, runs = counted(f)
    step, short, long = xp.compile(f), xp.ones((10,)), xp.ones((100,))
    for xs in (short, long, short, long):
        total, _ = step([xp.zeros(())], xs)
        assert float(total) == len(xs)
    assert replays == [True, False]
    assert len(runs) == 3


def test_steps_that_write_into_tensors_of_outside_stay_plain(precision, replays):
    """They are not pure, and are not made worse."""
    total = torch.zeros(())

    def f(state, x):
        total.add_(1.0)
        return state, x + total

    step = xp.compile(f)
    assert [float(step([xp.zeros(())], xp.zeros(()))[1]) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert replays == [False]


def test_inside_a_gradient_the_step_is_differentiated(precision):
    """A replay has no derivative, so there is none."""
    step = xp.compile(lambda state, x: (state, xp.sum(x * x)))
    x = xp.asarray([1.0, 2.0])
    for _ in range(3):
        step([xp.zeros(())], x)
        (_, _), grads = xp.differentiate(lambda inputs: (step([xp.zeros(())], inputs[0])[1], None))([x])
        assert grads[0].tolist() == [2.0, 4.0]
    mine = x.clone().requires_grad_()
    step([xp.zeros(())], mine)[1].backward()
    step([xp.zeros(())], mine)[1].backward()
    assert mine.grad.tolist() == [4.0, 8.0]


# ---------------------------------------------------------------- what a replay is


def test_errors_have_the_words_of_plain_code(precision, replays):
    """A replay that fails gives way to the function itself."""
    step = xp.compile(lambda state, x, y: (state, cross_entropy(x, y)))
    x, good, bad = xp.ones((2, 3)), xp.asarray([0, 1]), xp.asarray([0, 7])
    for _ in range(2):
        step([xp.zeros(())], x, good)
    with pytest.raises(CallError) as replayed:
        step([xp.zeros(())], x, bad)
    with pytest.raises(CallError) as wanted:
        cross_entropy(x, bad)
    assert str(replayed.value) == str(wanted.value)
    assert replays == [True]
    step([xp.zeros(())], x, good)


def test_negative_indices_after_others(precision):
    """PyTorch's lookup refuses them, and the adapter then goes another way."""
    step = xp.compile(lambda state, indices: (state, xp.take(state[0], indices)))
    x = xp.asarray([1.0, 2.0, 3.0])
    for indices in ([0, 1], [2, 2], [-1, 0], [1, 1], [-3, -2]):
        assert step([x], xp.asarray(indices))[1].tolist() == [x[i] for i in indices]


def test_values_that_are_kept_do_not_change(precision):
    """Neither the state that went in nor what came out of earlier steps, constants included."""
    constant = torch.arange(3.0, dtype=xp.zeros(()).dtype)

    def f(state, x):
        weight = state[0] - 0.1 * x
        return [weight], {"zero": xp.zeros_like(x), "constant": constant * 2.0, "double": weight * 2.0, "same": x}

    step, state, kept = xp.compile(f), [xp.ones((3,))], []
    for i in range(4):
        kept.append((state[0], state[0].clone()))
        state, results = step(state, xp.full((3,), float(i)))
        kept += [(x, x.clone()) for x in results.values()]
        results["zero"].add_(5.0)
        kept.pop(-4)
    assert all(torch.equal(x, copy) for x, copy in kept)
    assert step(state, xp.ones((3,)))[1]["zero"].tolist() == [0.0, 0.0, 0.0]


def test_one_tensor_in_two_places_is_two_arguments(precision, replays):
    """The next call may have two tensors there."""
    step = xp.compile(lambda state, x, y: ([state[0] + x], x - y))
    one, two = xp.ones((2,)), xp.full((2,), 2.0)
    for x, y in ((one, one), (one, two), (two, one)):
        state, difference = step([x], x, y)
        assert difference.tolist() == (x - y).tolist()
        assert state[0].tolist() == (x + x).tolist()
    assert replays == [True]


def test_strides_are_part_of_the_signature(precision, replays):
    """A view that one layout allows may be a copy in another."""
    step = xp.compile(lambda state, x: (state, x.reshape(6) * 1.0))
    x = xp.asarray(np.arange(6.0).reshape(2, 3))
    for y in (x, x, x.T.contiguous().T, x.T.contiguous().T):
        assert step([xp.zeros(())], y)[1].tolist() == list(range(6))
    assert replays == [True, True]


def test_random_operators_draw_anew(precision, replays):
    """PyTorch's own generator moves on in a replay as in plain code, and used or not."""

    def f(state, x):
        torch.rand(2)
        return state, x + torch.rand(3)

    def draws(step):
        torch.manual_seed(0)
        return [step([xp.zeros(())], xp.zeros((3,)))[1].tolist() for _ in range(3)]

    assert draws(xp.compile(f)) == draws(f)
    assert replays == [True]


def test_results_are_ordinary_tensors(precision):
    """They can be differentiated and written into."""
    step = xp.compile(lambda state, x: ([state[0] * 2.0], x.mT))
    for _ in range(2):
        state, turned = step([xp.ones((2,))], xp.ones((2, 3)))
        assert not any(x.requires_grad or x.is_inference() for x in (*state, turned))
        turned.add_(1.0)
        leaf = state[0].requires_grad_()
        (leaf * leaf).sum().backward()
        assert leaf.grad.tolist() == [4.0, 4.0]


# ---------------------------------------------------------------- what a replay costs


def perceptron():
    """A compiled step of 784 - 256 - 10 and its batch."""
    model = nn.Sequential(nn.Linear(256), nn.ReLU(), nn.Linear(10))
    X, y = xp.ones((32, 784)), xp.asarray(np.arange(32) % 10)
    model.initialise(X, seed=0)
    optimiser = optim.SGD(model, 0.1)
    gradient_of = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)

    def step(X, y):
        value, gradients = gradient_of(X, y)
        optimiser.update(gradients)
        return value

    step, runs = counted(step)
    return compiled(step, list(model.variables().values())), runs, (X, y)


class Meter(TorchDispatchMode):
    """Counts operators, and the most bytes that tensors made inside the block held at a time."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False

    def __init__(self):
        super().__init__()
        self.operators, self.peak, self._made = 0, 0, []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        result = operator(*args, **(kwargs or {}))
        self.operators += 1
        self._made += [weakref.ref(x) for x in tree.leaves(result) if isinstance(x, torch.Tensor)]
        self._made = [x for x in self._made if x() is not None]
        storages = {x().untyped_storage()._cdata: x().untyped_storage().nbytes() for x in self._made}
        self.peak = max(self.peak, sum(storages.values()))
        return result


def test_a_step_is_few_operators_and_no_python(precision):
    """The count does not depend on the machine: 17 that compute, 4 products' transposes among the rest."""
    step, runs, batch = perceptron()
    for _ in range(4):
        step(*batch)
    with Meter() as meter:
        step(*batch)
    assert len(runs) == 1
    assert meter.operators <= 28


def test_a_replay_needs_no_more_memory_than_plain_code(precision, plain):
    """What has died is freed or written into."""
    peaks = []
    for _ in range(2):
        step, _, batch = perceptron()
        step(*batch)
        step(*batch)
        with Meter() as meter:
            step(*batch)
        peaks.append(meter.peak)
        plain()
    assert 0 < peaks[0] < peaks[1]


def test_a_recording_holds_no_tensors_of_the_step(precision):
    """Only constants: state and intermediate results are let go as in plain code."""
    step = xp.compile(lambda state, x: ([state[0] * 2.0], (x * x).sum()))
    state, x = [xp.ones((1000,))], xp.ones((100_000,))
    watched = [weakref.ref(state[0]), weakref.ref(x)]
    step(state, x)
    del state, x
    assert [x() for x in watched] == [None, None]


def test_recording_does_not_import_the_compiler_of_pytorch():
    """It would take longer than PyTorch itself."""
    program = (
        "import sys\nfrom d2l_core.backend import use_backend\nfrom d2l_core import interface as xp\n"
        "with use_backend('torch', device='cpu'):\n"
        "    step = xp.compile(lambda state, x: (state, x * 2.0))\n"
        "    [step([xp.zeros(())], xp.ones(3)) for _ in range(2)]\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
