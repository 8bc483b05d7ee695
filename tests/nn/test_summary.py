"""The summary: shapes, parameters and operations of every place, and a model that stays as it was."""

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import value_and_grad


def lenet():
    return nn.Sequential(
        nn.Conv2d(6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(16, 5), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(120), nn.Sigmoid(), nn.Linear(84), nn.Sigmoid(), nn.Linear(10),
    )  # fmt: skip


class TwoInputs(nn.Module):
    """Tied table, a shared layer, one part that is never called, a tuple as output."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 4)
        self.mid = nn.Linear(4, 4)
        self.again = self.mid
        self.unused = nn.ModuleList([nn.Linear(2, 2)])
        self.first = nn.Linear(4)
        self.scores = nn.Linear(7, 4)
        self.scores.weight = self.table.get("weight")

    def forward(self, x, tokens):
        h = self.again(self.mid(self.first(x) + self.table(tokens)))
        return self.scores(h), h


def two_inputs(n=3):
    return xp.ones((n, 5)), xp.asarray(np.zeros(n, np.int64))


def test_lenet_by_hand(backend, precision):
    found = nn.summary(lenet(), xp.zeros((2, 1, 28, 28)))
    rows = {row.path: row for row in found.rows}
    assert list(rows) == ["", *map(str, range(12))]
    assert rows["2"].output_shape == (2, 6, 14, 14)
    assert rows["3"].output_shape == (2, 16, 10, 10)
    assert rows["6"].output_shape == (2, 400)
    assert [rows[p].parameters for p in ("0", "3", "7", "9", "11")] == [156, 2416, 48120, 10164, 850]
    assert found.parameters == found.trainable == 61706
    assert found.bytes == 61706 * precision // 8
    products = 6 * 28 * 28 * 25 + 16 * 10 * 10 * 150 + 400 * 120 + 120 * 84 + 84 * 10
    elementwise = 6 * 28 * 28 + 16 * 10 * 10 + 120 + 84
    pooled = 4 * (6 * 14 * 14 + 16 * 5 * 5)
    assert found.flops == 2 * (2 * products + elementwise + pooled)
    assert found.uncounted == ()


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 6), st.integers(1, 4))
def test_a_stack_of_linear_layers(sizes, num_inputs, n):
    found = nn.summary(nn.Sequential(*map(nn.Linear, sizes)), xp.zeros((n, num_inputs)))
    pairs = list(zip([num_inputs, *sizes], sizes, strict=False))
    assert found.parameters == sum(i * o + o for i, o in pairs)
    assert found.flops == sum(2 * n * i * o for i, o in pairs)
    assert found.rows[0].output_shape == (n, sizes[-1])
    assert found.parameters == sum(row.parameters for row in found.rows[1:])


def test_shared_tied_unused_and_several_inputs(backend):
    model = TwoInputs()
    model.mid.freeze()
    found = nn.summary(model, *two_inputs())
    rows = {row.path: row for row in found.rows}
    assert rows[""].output_shape == ((3, 7), (3, 4))
    assert (rows["mid"].calls, rows["mid"].flops, rows["mid"].trainable) == (2, 2 * 2 * 3 * 16, 0)
    assert (rows["again"].note, rows["again"].parameters) == ("same as mid", 0)
    assert (rows["scores"].note, rows["scores"].parameters) == ("weight tied to table.weight", 7)
    assert (rows["unused.0"].output_shape, rows["unused.0"].calls, rows["unused"].parameters) == (None, 0, 6)
    assert found.parameters == 28 + 20 + 6 + 24 + 7
    assert found.parameters - found.trainable == 20
    assert found.flops == 2 * 3 * (5 * 4 + 16 + 16 + 4 * 7)


def test_a_summary_changes_nothing(backend):
    def net():
        return nn.Sequential(nn.Flatten(), nn.Linear(6), nn.BatchNorm(), nn.Dropout(0.5), nn.Linear(2))

    x = xp.asarray(random.normal((4, 1, 3, 3), "x"), dtype=xp.ones(1).dtype)
    fresh = net()
    seen = []
    fresh.register_forward_hook(lambda *call: seen.append(call))
    nn.summary(fresh, x)
    assert not seen
    assert fresh.seed is None
    assert fresh.get("2").children() == {}
    assert list(fresh.variables()) == ["3.calls"]
    model, control = net().initialise(x, seed=4), net().initialise(x, seed=4)
    model[1].evaluate()
    nn.summary(model, x)
    assert [m.training for m in model] == [True, False, True, True, True]
    model.train()
    for network in (model, control):
        optimiser = optim.SGD(network, 0.1)
        optimiser.update(value_and_grad(lambda network=network: xp.sum(network(x) ** 2), network)()[1])
    state = control.state_dict()
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, state[path], err_msg=path)


def test_a_count_of_ones_own_speaks_for_the_parts_below():
    class Squash(nn.Module):
        def forward(self, x):
            return x * x

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 2)

        def forward(self, x):
            return self.inner(x)

    model = nn.Sequential(Block(), Squash())
    plain = nn.summary(model, xp.zeros((1, 2)))
    assert (plain.flops, plain.rows[1].flops, plain.uncounted) == (12, 12, ("1",))
    assert "not counted, for want of a formula: 1" in str(plain)
    nn.counts_flops(Block)(lambda layer, inputs, output: 100)
    nn.counts_flops(Squash)(lambda layer, inputs, output: 3)
    found = {row.path: row.flops for row in nn.summary(model, xp.zeros((1, 2))).rows}
    assert found == {"": 103, "0": 100, "0.inner": 12, "1": 3}


def test_recurrent_normalised_and_dropped(backend):
    x = xp.zeros((5, 2, 3))
    assert nn.summary(nn.RNN(4), x).flops == 5 * 2 * 4 * (2 * (3 + 4) + 1)
    stack = nn.Sequential(nn.BatchNorm(), nn.Dropout(0.5), nn.MaxPool2d((2, 1)))
    assert [row.flops for row in nn.summary(stack, xp.zeros((1, 2, 4, 4))).rows] == [96, 64, 0, 32]


def test_as_text_and_as_a_rich_table(backend, precision):
    from rich.console import Console

    found = nn.summary(TwoInputs(), *two_inputs())
    text = str(found)
    assert text == repr(found)
    assert "\x1b" not in text
    line = next(line for line in text.splitlines() if line.strip().startswith("first"))
    assert line.split() == ["first", "Linear", "(3,", "4)", "24", "yes", "120", str(24 * precision // 8)]
    assert "a multiplication with an addition counts as two" in text
    console = Console(file=io.StringIO(), width=200)
    console.print(found)
    assert "weight tied to table.weight" in console.file.getvalue()
