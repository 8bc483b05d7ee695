"""Many compiled steps in one piece on PyTorch: a copy of the state is handed on, to the bits of single steps."""

import numpy as np
import pytest
import torch
from d2l_conformance.course import Course
from d2l_conformance.families import FAMILIES
from test_torch_replay import Meter, bits

from d2l_core import composites, nn, optim, tree
from d2l_core import interface as xp
from d2l_core.autodiff import compiled_steps, value_and_grad
from d2l_core.backend import load_backend, use_backend
from d2l_core.nn.functional import squared_error

STEPS = 6


@pytest.fixture(params=[32, 64])
def precision(request):
    """PyTorch on the CPU at both precisions."""
    with use_backend("torch", precision=request.param, device="cpu"):
        yield request.param


@pytest.fixture
def copies(monkeypatch):
    """How many copies of tensors the last step of a piece made."""
    found, walked = [], load_backend("torch").compile_steps.__globals__["_walked"]

    def counted(recording, state, rows, start, stop, constants):
        results, state = walked(recording, state, rows, start, stop - 1, constants)
        with Clones() as clones:
            more, state = recording.onwards(*state, *[x[stop - 1] for x in tree.leaves(rows)], *constants)
        found.append((recording.copies, clones.count))
        return [*results, more], state

    class Clones(Meter):
        count = 0

        def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
            self.count += operator is torch.ops.aten.clone.default
            return super().__torch_dispatch__(operator, types, args, kwargs)

    monkeypatch.setitem(load_backend("torch").compile_steps.__globals__, "_walked", counted)
    return found


def walked(make, cuts):
    """Results and all state after the steps of a run that is cut into pieces."""
    step, variables, rows, constants = make()
    run = compiled_steps(step, variables)
    results = [run(rows, start, stop, *constants) for start, stop in zip([0, *cuts], [*cuts, STEPS], strict=True)]
    columns = zip(*map(tree.leaves, results), strict=True)
    return [np.concatenate(column).tobytes() for column in columns], bits([v.value for v in variables])


def family(name):
    """The steps of a family, its batches side by side."""

    def make():
        course = Course(FAMILIES[name])
        batches = [(course.rates(i), *course.batch(i)) for i in range(STEPS)]
        rows = tree.map(lambda *leaves: xp.stack(leaves), *batches)
        return (lambda row: course._turns(*row)), list(course.variables.values()), rows, ()

    return make


@pytest.mark.parametrize("name", FAMILIES)
def test_a_piece_has_the_bits_of_its_steps(name, precision, monkeypatch):
    """However a run is cut, and as plain code."""
    whole = walked(family(name), [1])
    assert walked(family(name), [2, 4]) == whole
    assert walked(family(name), range(1, STEPS)) == whole
    monkeypatch.setattr(load_backend("torch"), "compile", lambda f: f)
    monkeypatch.setattr(load_backend("torch"), "compile_steps", composites.compile_steps.__wrapped__)
    assert walked(family(name), [1]) == whole


def regression(optimiser):
    """A line with two parameters, five examples a step."""

    def make():
        model = nn.Linear(1)
        rows = xp.asarray(np.linspace(-1.0, 1.0, STEPS * 5).reshape(STEPS, 5, 1))
        model.initialise(rows[0], seed=0)
        made = optimiser(model)
        gradient_of = value_and_grad(lambda x: squared_error(model(x), 3.0 * x - 1.0), model)

        def step(x, scale):
            value, gradients = gradient_of(x * scale)
            made.update(gradients)
            return value

        return step, [*model.variables().values(), *made.slots.values()], rows, (xp.ones(()),)

    return make


def test_adam_writes_into_what_it_was_handed(precision, copies):
    """No copy of parameters and moments in any step after the first of a piece; plain descent needs none at all."""
    walked(regression(lambda model: optim.Adam(model, 0.1)), [1])
    walked(regression(lambda model: optim.SGD(model, 0.1)), [1])
    assert copies == [(True, 0), (False, 0)]


def test_state_that_others_hold_does_not_change(precision):
    """Neither what the variables held before a piece nor what they hold after it."""
    step, variables, rows, constants = regression(lambda model: optim.Adam(model, 0.1))()
    run, kept = compiled_steps(step, variables), []
    for start, stop in ((0, 1), (1, 3), (3, STEPS), (0, STEPS)):
        kept += [(v.value, v.value.clone()) for v in variables]
        run(rows, start, stop, *constants)
    assert all(torch.equal(x, copy) for x, copy in kept)


def test_tensors_that_share_memory_are_not_written_into(precision):
    """Two parts of the state that are one tensor, a constant as state, and a result that is the state."""
    constant = xp.full((2,), 7.0)
    ones = xp.ones((2,))

    def moved(x):
        return composites.adam([x], [ones], [x], [x * x], xp.full((3,), 1.0), 0.1, 0.9, 0.99, 1e-3)[0][0]

    def f(state, row):
        a, _, c = state
        new = moved(a) + row
        return (new, moved(c)), [new, new, constant]

    first = [xp.full((2,), 1.0), xp.full((2,), 2.0), xp.full((2,), 3.0)]
    rows = xp.asarray(np.arange(1.0, 1.0 + STEPS))
    run = composites.compile_steps(f)
    run(first, rows, 0, 1)
    results, state = run(first, rows, 0, STEPS)
    wanted, expected = [], first
    for row in rows:
        result, expected = f(expected, row)
        wanted.append(result)
    assert bits(state) == bits(expected)
    assert [x.tolist() for x in results[0]] == [x.tolist() for x, _ in wanted]
    assert constant.tolist() == [7.0, 7.0]


def test_a_piece_that_fails_in_the_middle_is_taken_step_by_step(precision):
    """Negative indices, which PyTorch's lookup refuses, after others, with a state that was written into."""

    def make(order):
        table = nn.Embedding(4, 2).initialise(xp.asarray([0]), seed=0)
        optimiser = optim.Adam(table, 0.1)
        gradient_of = value_and_grad(lambda i: xp.sum(xp.take(table.weight, i, axis=0)), table)

        def step(i):
            value, gradients = gradient_of(i)
            optimiser.update(gradients)
            return value

        variables = [*table.variables().values(), *optimiser.slots.values()]
        return lambda: (step, variables, xp.asarray(np.asarray(order)[:, None]), ())

    assert walked(make([0, 1, 2, -1, 3, -4]), [1]) == walked(make([0, 1, 2, 3, 3, 0]), [1])


def test_gradients_of_another_layout(precision):
    """The kernel would go through their memory in its own order."""
    x, g, m = (xp.asarray(np.arange(6.0).reshape(3, 2) + i) for i in range(3))
    rest = [x], xp.full((3,), 1.0), 0.1, 0.9, 0.99, 1e-3
    wanted = composites.adam([x], [g], [m], *rest)
    turned = [[y.T.contiguous().T] for y in (g, m)]
    found = composites.adam([x], *turned, *rest)
    assert bits([y for (y,) in found]) == bits([y for (y,) in wanted])
