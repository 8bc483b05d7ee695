"""Mistakes that adapters and engines really make, put in on purpose: what keeps the suite from passing on anything.

Each fault is put into the loaded reference backend, or into the engine, and taken out again. It names the tests that
must find it; each of them must pass without the fault, and say with it what is at fault. ``python -m
d2l_conformance.faults FILE`` runs those tests with and without every fault in one process and writes what came of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pytest.runner import runtestprotocol
from d2l_conformance._run import REFERENCE

from d2l_core import composites as nn_of
from d2l_core import interface as xp
from d2l_core import nn, optim, random
from d2l_core.backend import load_backend
from d2l_core.composites import sigmoid
from d2l_core.nn import functional, initialisers

Function = Callable[..., Any]
Change = Callable[[Function], Function]


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Attributes:
        name: what is wrong, in a few words.
        put_in: makes a context in which it is.
        tests: those that must fail, as ``test`` or ``test[parameter]`` without the backend.
        says: what the message of each must contain: the function or layer at fault.
        precision: at which the tests are run.
    """

    name: str
    put_in: Callable[[], AbstractContextManager[None]]
    tests: tuple[str, ...]
    says: str
    precision: int = 64


# ---------------------------------------------------------------- ways to put one in


@contextlib.contextmanager
def patched(owner: Any, attribute: str, change: Change) -> Iterator[None]:
    """An attribute replaced by what `change` makes of it, for a while."""
    before = vars(owner)[attribute]
    setattr(owner, attribute, change(before))
    try:
        yield
    finally:
        setattr(owner, attribute, before)


def of_function(name: str, fault: str, change: Change, *tests: str, precision: int = 64) -> Fault:
    """A fault of one function of the contract; tests without a parameter get its case."""
    of_table = ("test_value", "test_special_values", "test_compiled", "test_gradient")
    found_by = tuple(f"{test}[{name}]" if test in of_table else test for test in tests or ("test_value",))
    return Fault(f"{name}: {fault}", lambda: patched(load_backend(REFERENCE), name, change), found_by, name, precision)


OF_OPTIMISERS = ("test_optimiser_is_the_formula", "test_compiled_step_follows_the_schedule")


def of_optimiser(kind: str, fault: str, attribute: str, change: Change, case: str | None = None) -> Fault:
    """A fault of one optimiser, which its case of the written formulas must find."""
    owner = getattr(optim, kind)
    tests = tuple(f"{test}[{case or kind}]" for test in OF_OPTIMISERS)
    return Fault(f"{kind}: {fault}", lambda: patched(owner, attribute, change), tests, kind)


def instead(function: Function) -> Change:
    """Another function in place of the right one."""
    return lambda original: function


def given(change: Callable[..., tuple[Any, ...]]) -> Change:
    """The right function of wrong arguments; `change` makes the positional ones."""
    return lambda original: lambda *args, **kwargs: original(*change(*args), **kwargs)


def then(change: Function) -> Change:
    """A wrong function of the right result."""
    return lambda original: lambda *args, **kwargs: change(original(*args, **kwargs))


# ---------------------------------------------------------------- arrays


def _half_away(x: Any) -> Any:
    return xp.sign(x) * xp.floor(xp.abs(x) + 0.5)


def _towards_zero(x1: Any, x2: Any) -> Any:
    quotient = np.trunc(np.divide(x1, x2, dtype=np.float64))
    return quotient.astype(np.result_type(x1, x2))


def _last_largest(argmax: Function) -> Function:
    def search(x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
        last = (np.size(x) if axis is None else x.shape[axis]) - 1
        return last - argmax(np.flip(x, axis), axis=axis, keepdims=keepdims)

    return search


def _descending_by_flipping(argsort: Function) -> Function:
    def order(x: Any, *, axis: int = -1, descending: bool = False) -> Any:
        ordered = argsort(x, axis=axis)
        return xp.flip(ordered, axis=axis) if descending else ordered

    return order


def _counted_once(take: Function) -> Function:
    """The gradient of a repeated index reaches its element once: the other uses are constants."""

    def gather(x: Any, indices: Any, *, axis: int | None = None) -> Any:
        taken = take(x, indices, axis=axis)
        place, flat = (axis or 0) % x.ndim, np.reshape(indices, -1)
        first = np.isin(np.arange(flat.size), np.unique(flat, return_index=True)[1]).reshape(np.shape(indices))
        mask = first.reshape(*first.shape, *(1 for _ in x.shape[place + 1 :]))
        return xp.where(np.broadcast_to(mask, taken.shape), taken, xp.stop_gradient(taken))

    return gather


def _overwritten(x: Any, indices: Any, values: Any, *, axis: int = 0) -> Any:
    added = np.moveaxis(np.array(x), axis, 0)
    added[indices] = added[indices] + np.moveaxis(np.asarray(values), axis, 0)
    return np.moveaxis(added, 0, axis)


def _more_correction(var: Function) -> Function:
    return lambda x, correction=0.0, **kwargs: var(x, correction=correction + 1.0, **kwargs)


def _short_mantissa(x: Any) -> Any:
    """Ten bits of mantissa, as graphics cards multiply float32 when they are allowed to."""
    if not isinstance(x, np.ndarray) or x.dtype != np.float32:
        return x
    return (np.ascontiguousarray(x).view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)


def _in_float32(exp: Function) -> Function:
    return lambda x: exp(x.astype(np.float32)).astype(x.dtype)


def _as_bytes(x: Any) -> Any:
    return x.astype(np.uint8) if x.dtype.kind == "i" else x


def _sum_of_powers(x: Any, **kwargs: Any) -> Any:
    return xp.log(xp.sum(xp.exp(x), **kwargs))


def _along_the_first(concat: Function) -> Function:
    return lambda arrays, axis=0: concat(arrays)


def _same_memory(obj: Any, *, dtype: Any = None) -> Any:
    return np.asarray(obj, dtype)


ARRAYS = [
    of_function("var", "divided by N - 1 without being asked", _more_correction),
    of_function("std", "divided by N - 1 without being asked", _more_correction),
    of_function("var", "its gradient is silently zero", then(xp.stop_gradient), "test_gradient", "test_compiled"),
    of_function("round", "halves go away from zero", instead(_half_away), "test_special_values"),
    of_function("integer_quotient", "rounded towards zero", instead(_towards_zero)),
    of_function("modulo", "the sign is the dividend's", instead(np.fmod)),
    of_function("argmax", "the last of several largest", _last_largest),
    of_function("argsort", "descending ties are turned round", _descending_by_flipping),
    of_function("take", "gradients of repeated indices overwrite each other", _counted_once, "test_gradient"),
    of_function("index_add", "repeated indices overwrite each other", instead(_overwritten)),
    of_function("exp", "float64 is computed in float32", _in_float32),
    of_function("matmul", "ten bits of mantissa", given(lambda *xs: map(_short_mantissa, xs)), precision=32),
    of_function("mean", "float32 becomes float64", then(lambda x: x.astype(np.float64)), precision=32),
    of_function("sum", "booleans are not counted", then(_as_bytes)),
    of_function("maximum", "NaN is ignored", instead(np.fmax), "test_special_values"),
    of_function("concat", "the axis is left out", _along_the_first),
    of_function("logsumexp", "not shifted, so it overflows", instead(_sum_of_powers), "test_special_values"),
    of_function(
        "asarray", "shares the memory of its source", instead(_same_memory), "test_source_may_change_at_once[shape0]"
    ),
    of_function("to_numpy", "is a view", instead(np.asarray), "test_to_numpy_is_a_copy"),
]  # fmt: skip


# ---------------------------------------------------------------- layers


def _eps_outside(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    axes = tuple(range(-weight.ndim, 0))
    return (x - xp.mean(x, axis=axes, keepdims=True)) / (xp.std(x, axis=axes, keepdims=True) + eps) * weight + bias


def _window_turned(x: Any, weight: Any, *rest: Any) -> tuple[Any, ...]:
    return x, xp.flip(weight, axis=tuple(range(2, weight.ndim))), *rest


def _window_transposed(x: Any, weight: Any, *rest: Any) -> tuple[Any, ...]:
    square = weight.ndim == 4 and weight.shape[2] == weight.shape[3]
    return x, xp.matrix_transpose(weight) if square else weight, *rest


def _bias_constant(x: Any, weight: Any, bias: Any = None) -> tuple[Any, ...]:
    return x, weight, None if bias is None else xp.stop_gradient(bias)


def _bias_forgotten(linear: Function) -> Function:
    """The bias gets no gradient where the weight is a constant."""

    def layer(x: Any, weight: Any, bias: Any = None) -> Any:
        if bias is not None and type(weight) in load_backend(REFERENCE).tensor_types:
            bias = xp.stop_gradient(bias)
        return linear(x, weight, bias)

    return layer


def _frame_of(x: Any, padding: Any, value: float) -> Any:
    widths = (padding,) * (x.ndim - 2) if isinstance(padding, int) else padding
    return xp.pad(x, [(0, 0), (0, 0), *((p, p) for p in widths)], value=value)


def _without_padding(avg_pool: Function) -> Function:
    def pool(x: Any, window: Any, *, stride: Any = None, padding: Any = 0) -> Any:
        total = avg_pool(x, window, stride=stride, padding=padding)
        return total / avg_pool(xp.ones_like(x), window, stride=stride, padding=padding)

    return pool


def _zeros_around(max_pool: Function) -> Function:
    return lambda x, window, stride=None, padding=0: max_pool(_frame_of(x, padding, 0.0), window, stride=stride)


def _unshifted(x: Any, *, axis: int = -1) -> Any:
    powers = xp.exp(x)
    return powers / xp.sum(powers, axis=axis, keepdims=True)


def _reordered(order: tuple[int, ...]) -> Change:
    """The blocks of the weights of a recurrent layer read in another order of the gates."""

    def shuffled(x: Any, state: Any, *weights: Any) -> tuple[Any, ...]:
        blocks = [np.split(np.arange(w.shape[0]), len(order)) for w in weights]
        return x, state, *(w[np.concatenate([b[i] for i in order])] for w, b in zip(weights, blocks, strict=True))

    return given(shuffled)


def _reset_before(x: Any, state: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Any:
    """The gated unit as first published: the reset gate meets the state before the product."""
    size = state.shape[-1]
    outputs = []
    for inputs in x:
        ahead, back = xp.matmul(weight_ih, inputs.T).T + bias_ih, xp.matmul(weight_hh, state.T).T + bias_hh
        r, z = (sigmoid(ahead[:, i * size : (i + 1) * size] + back[:, i * size : (i + 1) * size]) for i in (0, 1))
        n = xp.tanh(ahead[:, 2 * size :] + xp.matmul(weight_hh[2 * size :], (r * state).T).T + bias_hh[2 * size :])
        state = (1.0 - z) * n + z * state
        outputs.append(state)
    return xp.stack(outputs), state


def _unbiased_batch(batch_norm: Function) -> Function:
    def layer(x: Any, weight: Any, bias: Any, eps: float) -> Any:
        y, mean, var = batch_norm(x, weight, bias, eps)
        count = x.size // x.shape[1]
        return y, mean, var * (count / (count - 1))

    return layer


def _biased_running(forward: Function) -> Function:
    def layer(self: Any, x: Any) -> Any:
        before = self.running_var
        y = forward(self, x)
        if self.training:
            count = x.size // x.shape[1]
            moved = self.running_var - (1.0 - self.momentum) * before
            self.running_var = (1.0 - self.momentum) * before + moved * ((count - 1) / count)
        return y

    return layer


def _ignored_counted(loss: Function) -> Function:
    def mean_over_all(logits: Any, labels: Any, *, ignore_index: int | None = None, **options: Any) -> Any:
        value = loss(logits, labels, ignore_index=ignore_index, **options)
        return value if ignore_index is None else value * np.mean(labels != ignore_index)

    return mean_over_all


def _mask(compare: Function) -> Function:
    steps = np.arange
    return lambda size: compare(steps(size)[None, :], steps(size)[:, None])


def _tanh_form(x: Any) -> Any:
    return 0.5 * x * (1.0 + xp.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x * x * x)))


def _straight_through(x: Any) -> Any:
    return 0.5 * (x + xp.abs(x)) if np.ndim(x) else xp.maximum(x, xp.zeros_like(x))


def _dropped(scale: float, share: Callable[[float], float]) -> Function:
    def layer(x: Any, p: float, key: int, counter: Any) -> Any:
        keep = xp.random_uniform(key, counter, tuple(x.shape)) >= share(p)
        return xp.where(keep, x * (scale or 1.0 / (1.0 - p)), xp.zeros_like(x))

    return layer


def _log_of_softmax(x: Any, *, axis: int = -1) -> Any:
    return xp.log(nn_of.softmax(x, axis=axis))


def _nothing_seen(scores: Any, mask: Any = None) -> Any:
    return _unshifted(scores if mask is None else xp.where(mask, scores, np.full_like(scores, -np.inf)))


def _divided_again(queries: Any, *rest: Any) -> tuple[Any, ...]:
    return queries * queries.shape[-1] ** -0.5, *rest


def _without_eps(*args: Any) -> tuple[Any, ...]:
    return *args[:-1], 0.0


def _ten_eps(*args: Any) -> tuple[Any, ...]:
    return *args[:-1], 10 * args[-1]


def _one_bias(x: Any, state: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> tuple[Any, ...]:
    return x, state, weight_ih, weight_hh, bias_ih, 0.0 * bias_hh


def _without_extra(conv_transpose: Function) -> Function:
    return lambda *args, output_padding=0, **kwargs: conv_transpose(*args, **kwargs)


def _corners_matched(resize: Function) -> Function:
    """One axis, for the others follow: the outermost pixels keep their places."""

    def resized(x: Any, size: Any, *, method: str = "linear") -> Any:
        if x.ndim > 3 or method != "linear":
            return resize(x, size, method=method)
        places = np.linspace(0, x.shape[-1] - 1, size if isinstance(size, int) else size[0])
        return np.apply_along_axis(lambda line: np.interp(places, np.arange(x.shape[-1]), line), -1, x)

    return resized


def _first_draw(x: Any, p: float, key: int, counter: Any) -> tuple[Any, ...]:
    return x, p, key, 0


LAYERS = [
    of_function("layer_norm", "epsilon outside the root", instead(_eps_outside)),
    of_function("group_norm", "no epsilon", given(_without_eps)),
    of_function("rms_norm", "epsilon ten times as large", given(_ten_eps)),
    of_function("conv", "true convolution: the kernel is turned round", given(_window_turned)),
    of_function("conv", "square kernels are transposed", given(_window_transposed)),
    of_function("linear", "no gradient for the bias", given(_bias_constant), "test_gradient"),
    of_function(
        "linear", "no gradient for the bias where the weight is constant", _bias_forgotten,
        "test_gradient_does_not_depend_on_who_asks[linear]",
    ),
    of_function("avg_pool", "the padding is left out of the count", _without_padding),
    of_function("max_pool", "padded with zeros", _zeros_around),
    of_function("softmax", "not shifted, so it overflows", instead(_unshifted), "test_special_values"),
    of_function("log_softmax", "the logarithm of 0", instead(_log_of_softmax), "test_special_values"),
    of_function("causal_mask", "off by one", instead(_mask(np.less))),
    of_function("length_mask", "off by one", given(lambda lengths, size: (lengths + 1, size))),
    of_function("attention", "scores divided by D, not by its root", given(_divided_again)),
    of_function("masked_softmax", "a row that sees nothing is NaN", instead(_nothing_seen)),
    of_function("lstm", "gates in the order i, f, o, g", _reordered((0, 1, 3, 2))),
    of_function("gru", "reset and update gate exchanged", _reordered((1, 0, 2))),
    of_function("gru", "the reset gate before the product", instead(_reset_before)),
    of_function("rnn_tanh", "one bias only", given(_one_bias)),
    of_function("batch_norm_train", "the variance of the batch is unbiased", _unbiased_batch),
    of_function("batch_norm_infer", "no epsilon", given(_without_eps)),
    of_function("gelu", "the form with tanh", instead(_tanh_form)),
    of_function("relu", "half a gradient at 0", instead(_straight_through), "test_gradient_at_a_kink[relu]"),
    of_function("dropout", "the rest is not scaled", instead(_dropped(1.0, lambda p: p))),
    of_function("dropout", "p is the share that is kept", instead(_dropped(0.0, lambda p: 1.0 - p))),
    of_function("conv_transpose", "output_padding is ignored", _without_extra),
    of_function("resize", "corners are matched, not centres", _corners_matched),
    Fault(
        "BatchNorm: the running variance is biased", lambda: patched(nn.BatchNorm, "forward", _biased_running),
        ("test_batch_norm_keeps_running_statistics",), "BatchNorm",
    ),
    Fault(
        "Dropout: the same mask at every call", lambda: patched(load_backend(REFERENCE), "dropout", given(_first_draw)),
        ("test_dropout_draws_by_its_path",), "Dropout",
    ),
    Fault(
        "cross_entropy: ignored items are counted", lambda: patched(functional, "cross_entropy", _ignored_counted),
        ("test_cross_entropy_counts_what_it_should[ignoring]",), "cross_entropy",
    ),
]  # fmt: skip


# ---------------------------------------------------------------- control, random numbers, training


def _one_step_less(scan: Function) -> Function:
    def loop(f: Any, init: Any, xs: Any) -> Any:
        if len(xs) < 2:
            return scan(f, init, xs)
        last, ys = scan(f, init, xs[:-1])
        return last, xp.concat([ys, ys[-1:]])

    return loop


def _root_of_sum(self: Any, parameter: Any, gradient: Any, lr: Any, *slots: Any) -> tuple[Any, ...]:
    """Adam's rule with epsilon under the root."""
    first = self.beta1 * slots[0] + (1.0 - self.beta1) * gradient
    second = self.beta2 * slots[1] + (1.0 - self.beta2) * gradient * gradient
    progress = self.progress.value
    return parameter - lr / progress[0] * first / xp.sqrt(second / progress[1] + self.eps), first, second


def _roots_of_sums(self: Any, parameters: Any, gradients: Any, lr: Any, *slots: Any) -> Any:
    rows = zip(parameters, gradients, *slots, strict=True)
    return list(zip(*[_root_of_sum(self, p, g, lr, *others) for p, g, *others in rows], strict=True))


def _rms_root_of_sum(self: Any, parameter: Any, gradient: Any, lr: Any, *slots: Any) -> tuple[Any, ...]:
    squares = self.rho * slots[0] + (1.0 - self.rho) * gradient * gradient
    return parameter - lr * gradient / xp.sqrt(squares + self.eps), squares


def _uncorrected(self: Any) -> None:
    self.progress.value = xp.ones_like(self.progress.value)


def _dampened(self: Any, parameter: Any, gradient: Any, lr: Any, *slots: Any) -> tuple[Any, ...]:
    velocity = self.momentum * slots[0] + (1.0 - self.momentum) * gradient
    return parameter - lr * velocity, velocity


def _mean_started_at_one(self: Any, parameter: Any, gradient: Any, lr: Any, *slots: Any) -> tuple[Any, ...]:
    squares = slots[0] + gradient * gradient
    return parameter - lr * gradient / (xp.sqrt(squares + 0.1) + self.eps), squares


def _one_turn_more(condition: Any, body: Any, init: Any) -> tuple[Any, ...]:
    return condition, body, body(init)


def _next_counter(key: int, counter: Any, shape: Any) -> tuple[Any, ...]:
    return key, counter + 1, shape


def _later_positions(uniform: Function) -> Function:
    return lambda key, counter, shape: uniform(key, counter, int(np.prod(shape)) + 1)[1:].reshape(shape)


def _later_words(words: Function) -> Function:
    return lambda n, *key: words(n + 1, *key)[1:]


def _step_ahead(rate: Function) -> Function:
    return lambda self, step, total: rate(self, step + 1, total)


CONTROL = [
    of_function("cond", "the other branch", given(lambda p, a, b, *rest: (p, b, a, *rest))),
    of_function("scan", "the last step is left out", _one_step_less),
    of_function("while_loop", "one turn too many", given(_one_turn_more)),
    of_function("stop_gradient", "lets the gradient through", instead(lambda x: x), "test_stop_gradient"),
    of_function("random_uniform", "the counter is one ahead", given(_next_counter)),
    of_function("random_uniform", "the positions are one ahead", _later_positions),
    Fault(
        "random.words: the stream is one word ahead", lambda: patched(random, "words", _later_words),
        ("test_words_are_pinned",), "words",
    ),
    Fault(
        "initialisers: fan-in and fan-out are exchanged",
        lambda: patched(initialisers, "_fans", then(lambda fans: fans[::-1])),
        ("test_bits_are_pinned[HeUniform]",), "HeUniform",
    ),
    of_optimiser("Adam", "epsilon under the root", "rules", instead(_roots_of_sums), "Adam with decay"),
    of_optimiser("RMSprop", "epsilon under the root", "rule", instead(_rms_root_of_sum)),
    of_optimiser("Adam", "no bias correction", "before_update", instead(_uncorrected)),
    of_optimiser("SGD", "momentum is dampened", "rule", instead(_dampened), "SGD with momentum"),
    of_optimiser("AdamW", "the decay is coupled", "decoupled", instead(False)),  # type: ignore[arg-type]
    of_optimiser("Adagrad", "the sum of squares starts at 0.1", "rule", instead(_mean_started_at_one)),
    Fault(
        "Trainer: the schedule is one step ahead", lambda: patched(optim.Optimiser, "rate", _step_ahead),
        ("test_trainer_follows_the_schedule",), "schedule",
    ),
]  # fmt: skip

FAULTS = [*ARRAYS, *LAYERS, *CONTROL]


# ---------------------------------------------------------------- the trial


class Trial:
    """A plugin of pytest that runs, in place of all tests, those of each fault: without it and with it."""

    def __init__(self) -> None:
        self.outcomes: dict[str, dict[str, Any]] = {}
        self._message: str | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
        """Keep what a test says when it fails."""
        report: Any = yield
        if report.failed and call.excinfo is not None:
            self._message = f"{type(call.excinfo.value).__name__}: {call.excinfo.value}"
        return report  # type: ignore[no-any-return]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fault after fault."""
        for fault in FAULTS:
            chosen = [item for item in session.items if _name(item, fault.precision) in fault.tests]
            healthy = {item.nodeid: self._message_of(item) for item in chosen}
            with fault.put_in():
                broken = {item.nodeid: self._message_of(item) for item in chosen}
            self.outcomes[fault.name] = {"healthy": healthy, "broken": broken}
        return True

    def _message_of(self, item: pytest.Item) -> str | None:
        """What a test says, None if it passes."""
        self._message = None
        item._initrequest()  # type: ignore[attr-defined] # a function's fixtures are made once otherwise
        runtestprotocol(item, log=False, nextitem=None)
        return self._message


def _name(item: pytest.Item, precision: int) -> str:
    """The test as a fault names it; other precisions get a name that none has."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return item.name
    backend = f"{REFERENCE}-{precision}"
    parts = callspec.id.replace(backend, "", 1).strip("-") if "backend" in callspec.params else callspec.id
    if "backend" in callspec.params and backend not in callspec.id:
        return ""
    name = getattr(item, "originalname", item.name)
    return f"{name}[{parts}]" if parts else name


def main(file: str) -> None:
    """Write to a file what each fault's tests say without and with it."""
    folder = Path(__file__).resolve().parent
    os.environ |= {"D2L_BACKENDS": REFERENCE, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    trial = Trial()
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-c", str(folder / "scorecard.ini")]
    status = pytest.main([str(folder), *quiet], plugins=[trial])
    if status != pytest.ExitCode.OK:
        sys.exit(f"The suite could not be collected: {status!r}.")
    Path(file).write_text(json.dumps(trial.outcomes, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
