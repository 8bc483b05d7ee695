"""A state dict of PyTorch's own modules, as it is, in the same model of ours on every backend."""

import numpy as np
import pytest

from d2l_core import nn, xp
from d2l_core.errors import CheckpointError

torch = pytest.importorskip("torch")
rng = np.random.default_rng(0)


class Attending(nn.Module):
    """One sequence looks at itself."""

    def __init__(self, bias):
        super().__init__()
        self.attention = nn.MultiHeadAttention(8, 2, bias=bias)

    def forward(self, x):
        return self.attention(x, x, x)


class TheirAttending(torch.nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(8, 2, bias=bias, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]


def mlp():
    t = torch.nn
    theirs = t.Sequential(t.Flatten(), t.Linear(12, 8), t.ReLU(), t.Dropout(0.5), t.LayerNorm(8), t.Linear(8, 3))
    ours = nn.Sequential(nn.Flatten(), nn.Linear(8), nn.ReLU(), nn.Dropout(0.5), nn.LayerNorm(), nn.Linear(3))
    return theirs, ours, (5, 3, 4)


def lenet():
    t = torch.nn
    theirs = t.Sequential(
        t.Conv2d(1, 4, 3, padding=1), t.BatchNorm2d(4), t.Sigmoid(), t.AvgPool2d(2), t.Flatten(), t.Linear(36, 6),
        t.BatchNorm1d(6), t.Tanh(), t.Linear(6, 3),
    )  # fmt: skip
    ours = nn.Sequential(
        nn.Conv2d(4, 3, padding=1), nn.BatchNorm(), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(6),
        nn.BatchNorm(), nn.Tanh(), nn.Linear(3),
    )  # fmt: skip
    return theirs, ours, (5, 1, 6, 6)


def recurrent(kind, layers=1, directions=1, bias=True):
    def build():
        theirs = getattr(torch.nn, kind)(4, 5, layers, bias=bias, bidirectional=directions == 2)

        def layer():
            cells = [getattr(nn, kind)(5) for _ in range(directions)]
            return nn.Bidirectional(*cells) if directions == 2 else cells[0]

        ours = layer() if layers == 1 else nn.Stacked(*(layer() for _ in range(layers)), dropout=0.2)
        return theirs, ours, (6, 3, 4)

    return build


def attention(bias):
    return lambda: (TheirAttending(bias), Attending(bias), (2, 5, 8))


MODELS = {
    "mlp": mlp,
    "lenet": lenet,
    "rnn": recurrent("RNN"),
    "gru": recurrent("GRU"),
    "lstm-2": recurrent("LSTM", 2),
    "gru-2-both": recurrent("GRU", 2, 2),
    "lstm-both": recurrent("LSTM", 1, 2),
    "rnn-plain": recurrent("RNN", bias=False),
    "gru-plain": recurrent("GRU", 1, 2, bias=False),
    "lstm-plain": recurrent("LSTM", 2, 2, bias=False),
    "attention": attention(False),
    "attention-bias": attention(True),
}


def restless(module, precision):
    """A module of PyTorch with statistics that are not the first ones, in evaluation."""
    module = module.to(torch.float64 if precision == 64 else torch.float32)
    generator = torch.Generator().manual_seed(0)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
            tensor.copy_(noise + 0.5 if "running_var" in name else noise - 0.5)
    return module.eval()


def first(output):
    return output[0] if isinstance(output, tuple) else output


@pytest.mark.parametrize("kind", MODELS)
def test_a_state_dict_loads_as_it_is(kind, backend, precision):
    """The same model gives the same numbers; nothing is missing or left over."""
    theirs, ours, shape = MODELS[kind]()
    theirs = restless(theirs, precision)
    numbers = rng.normal(size=shape)
    x = torch.tensor(numbers, dtype=torch.float64 if precision == 64 else torch.float32)
    X = xp.asarray(numbers)
    ours.initialise(X)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    with torch.no_grad():
        wanted = first(theirs(x)).numpy()
    found = xp.to_numpy(first(ours.evaluate()(X)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 if precision == 64 else 1e-5)


def test_weights_are_copies(backend, precision):
    """Training the other model afterwards does not change ours."""
    theirs = torch.nn.Linear(3, 2, dtype=torch.float64 if precision == 64 else torch.float32)
    ours = nn.Linear(2, 3)
    ours.load_state_dict(theirs.state_dict())
    before = ours.state_dict()
    with torch.no_grad():
        theirs.weight.add_(1.0)
    np.testing.assert_array_equal(ours.state_dict()["weight"], before["weight"])
    np.testing.assert_array_equal(ours.state_dict()["bias"], theirs.bias.detach().numpy())


def test_parameters_that_require_gradients_are_taken(backend, precision):
    """So that ``dict(model.named_parameters())`` does as well."""
    theirs = torch.nn.Linear(3, 2)
    ours = nn.Linear(2, 3)
    ours.load_state_dict(dict(theirs.named_parameters()))
    np.testing.assert_array_equal(ours.state_dict()["weight"], theirs.weight.detach().numpy())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_safetensors_file_loads_by_its_path(dtype, tmp_path):
    """Half floats are widened; bfloat16 holds the upper half of a float32."""
    from safetensors.torch import save_file

    theirs = torch.nn.LSTM(4, 5, 2).to(dtype)
    save_file(theirs.state_dict(), tmp_path / "lstm.safetensors")
    ours = nn.Stacked(nn.LSTM(5, 4), nn.LSTM(5, 5))
    assert ours.load_state_dict(tmp_path / "lstm.safetensors") == ([], [])
    np.testing.assert_array_equal(ours.state_dict()["layer1.weight_ih"], theirs.weight_ih_l1.detach().float().numpy())
    ours.load_state_dict(str(tmp_path / "lstm.safetensors"))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_not_read(zipped, tmp_path):
    """Neither form of it; the sentence says what to do."""
    torch.save(torch.nn.Linear(2, 1).state_dict(), tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"is a pickle, which may run any code .* pass the dictionary of tensors"):
        nn.Linear(1, 2).load_state_dict(tmp_path / "a.pth")


def test_projections_of_their_own_sizes():
    """Keys and values of other sizes have projections of their own names."""
    theirs = torch.nn.MultiheadAttention(8, 2, bias=False, kdim=5, vdim=6, batch_first=True)
    ours = nn.MultiHeadAttention(8, 2)
    queries, keys, values = (rng.normal(size=(2, 3, n)).astype(np.float32) for n in (8, 5, 6))
    ours.initialise(*map(xp.asarray, (queries, keys, values)))
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    wanted = theirs(*map(torch.tensor, (queries, keys, values)))[0].detach().numpy()
    found = xp.to_numpy(ours(*map(xp.asarray, (queries, keys, values))))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_one_bias_of_two_is_not_taken_for_none():
    """Only a layer that has neither is a layer without biases."""
    state = torch.nn.GRU(4, 5).state_dict()
    del state["bias_hh_l0"]
    with pytest.raises(CheckpointError, match="missing: bias_hh"):
        nn.GRU(5, 4).load_state_dict(state)


def test_what_has_no_counterpart_is_named():
    """A part that ours has not is not dropped in silence."""
    theirs = torch.nn.LSTM(4, 5, proj_size=2)
    with pytest.raises(CheckpointError, match="not wanted: weight_hr_l0"):
        nn.LSTM(5, 4).load_state_dict(theirs.state_dict())
