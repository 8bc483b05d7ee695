"""Modules made of ours as PyTorch's own, and PyTorch's own layers as ours."""

import copy

import numpy as np
import pytest

from d2l_core import nn, xp
from d2l_core.backend import use_backend
from d2l_core.errors import CheckpointError
from d2l_core.interchange import from_native, to_native

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def active_backend():
    """PyTorch at precision 32."""
    with use_backend("torch", precision=32, device="cpu") as active:
        yield active


def network():
    X = xp.asarray(np.random.default_rng(0).normal(size=(4, 1, 6, 6)))
    layers = [nn.Conv2d(3, 3), nn.BatchNorm(), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(2)]
    return nn.Sequential(*layers).initialise(X, seed=0), X


def test_state_dicts_have_our_paths(tmp_path):
    """They go there and back, by PyTorch's own files too."""
    model, X = network()
    native = to_native(model)
    assert list(native.state_dict()) == list(model.variables())
    assert [name for name, _ in native.named_parameters()] == list(model.parameters())
    torch.save(native.state_dict(), tmp_path / "weights.pth")
    native(X)
    assert native.state_dict()["4.calls"].item() == 1
    native.load_state_dict(torch.load(tmp_path / "weights.pth", weights_only=True))
    assert native.state_dict()["4.calls"].item() == 0
    model.load_state_dict(native.state_dict())


def test_modes_and_frozen_parameters_are_pytorchs():
    """`eval` stops dropout and the statistics; what is frozen with us asks for no gradient there."""
    model, X = network()
    model[0].freeze()
    native = to_native(model)
    assert not native.get_parameter("0.weight").requires_grad
    native(X).sum().backward()
    assert native.get_parameter("0.weight").grad is None
    assert native.get_parameter("5.weight").grad is not None
    seen = native.get_buffer("1.running_mean").clone()
    assert not torch.equal(seen, torch.zeros(3))
    native.eval()
    assert torch.equal(native(X), native(X))
    assert torch.equal(native.get_buffer("1.running_mean"), seen)


def test_it_works_outside_of_the_block_and_at_another_precision():
    """`double` makes float64 of it; results stay what they are."""
    model, X = network()
    native, wanted = to_native(model).eval(), model.evaluate()(X)
    with use_backend("numpy", precision=64):
        assert torch.equal(native(X), wanted)
        wide = native.double()(X.double())
    assert wide.dtype == torch.float64
    torch.testing.assert_close(wide.float(), wanted)


def test_copies_are_independent():
    """A deep copy is trained alone."""
    model, X = network()
    native = to_native(model)
    twin = copy.deepcopy(native)
    with torch.no_grad():
        twin.get_parameter("5.bias").add_(1.0)
    assert not torch.equal(native.get_parameter("5.bias"), twin.get_parameter("5.bias"))
    assert torch.equal(native.eval()(X) + 1.0, twin.eval()(X))


def test_functional_calls_and_traces_work():
    """`torch.func` swaps the parameters; `torch.export` records the operations, for evaluation."""
    model, X = network()
    native = to_native(model).eval()
    doubled = {name: 2.0 * p.detach() for name, p in native.named_parameters()}
    assert not torch.equal(torch.func.functional_call(native, doubled, (X,)), native(X))
    exported = torch.export.export(native, (X,)).module()
    assert torch.equal(exported(X + 1.0), native(X + 1.0))


class ByHand(torch.nn.Module):
    """Other names than ours, layers that hold several of ours, and one with two directions."""

    def __init__(self, classes=3):
        super().__init__()
        self.table = torch.nn.Embedding(7, 4)
        self.reader = torch.nn.LSTM(4, 5, 2, bidirectional=True)
        self.norm = torch.nn.LayerNorm(10)
        self.look = torch.nn.MultiheadAttention(10, 2)
        self.out = torch.nn.Linear(10, classes)

    def forward(self, tokens):
        states = self.norm(self.reader(self.table(tokens))[0])
        return self.out(self.look(states, states, states)[0])


class Ours(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.rnn = nn.Stacked(*(nn.Bidirectional(nn.LSTM(5), nn.LSTM(5)) for _ in range(2)))
        self.layer_norm = nn.LayerNorm()
        self.attention = nn.MultiHeadAttention(10, 2, bias=True)
        self.head = nn.Linear(3)

    def forward(self, tokens):
        states = xp.permute_dims(self.layer_norm(self.rnn(self.embedding(tokens))[0]), (1, 0, 2))
        return xp.permute_dims(self.head(self.attention(states, states, states)), (1, 0, 2))


def test_layers_written_by_hand_are_taken_in_their_order():
    """Names disagree; shapes and roles decide."""
    tokens = torch.randint(0, 7, (6, 3))
    theirs, ours = ByHand(), Ours().initialise(tokens, seed=0)
    for bias in (theirs.look.in_proj_bias, theirs.look.out_proj.bias):
        torch.nn.init.normal_(bias)
    assert from_native(ours, theirs) == ([], [])
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=0, atol=1e-5)


def test_what_does_not_fit_is_named_and_changes_nothing():
    """The first weight in the order of definition."""
    ours = Ours().initialise(torch.zeros(6, 3, dtype=torch.int64), seed=0)
    before = ours.state_dict()
    with pytest.raises(CheckpointError, match=r"has out\.weight \(4, 10\), this one has head\.weight \(3, 10\)"):
        from_native(ours, ByHand(4))
    with pytest.raises(CheckpointError, match=r"embedding\.weight \(7, 4\)"):
        from_native(ours, torch.nn.Linear(7, 4))
    more, fewer = ByHand(), ByHand()
    more.extra = torch.nn.Linear(1, 1)
    del fewer.out
    with pytest.raises(CheckpointError, match=r"extra\.weight is left over"):
        from_native(ours, more)
    with pytest.raises(CheckpointError, match=r"head\.weight \(3, 10\) is missing"):
        from_native(ours, fewer)
    for path, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_a_scale_is_not_taken_for_a_shift():
    """Equal shapes are not enough: a weight is no bias."""

    class Swapped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(3, 3, bias=False)
            self.norm = torch.nn.LayerNorm(3)

    ours = nn.Sequential(nn.Linear(3, 3), nn.RMSNorm(3)).initialise(seed=0)
    with pytest.raises(CheckpointError, match=r"has norm\.weight \(3,\), this one has 0\.bias \(3,\)"):
        from_native(ours, Swapped())


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_recurrent_layers_without_biases(kind):
    """Theirs are zero; the order of definition finds their place, too."""
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), getattr(torch.nn, kind)(4, 5, 2, bias=False))
    ours = nn.ModuleDict({"in": nn.Linear(4, 3), "body": nn.Stacked(*(getattr(nn, kind)(5, n) for n in (4, 5)))})
    x = torch.randn(6, 2, 3)
    assert from_native(ours.initialise(seed=0), theirs) == ([], [])
    torch.testing.assert_close(ours["body"](ours["in"](x))[0], theirs(x)[0], rtol=0, atol=1e-5)
