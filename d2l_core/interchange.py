"""Models that move between the engine and the frameworks: ours as a framework's own, and its weights into ours."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from d2l_core import interface
from d2l_core.autodiff import _lent, _with_effects
from d2l_core.backend import Context, current, use_backend
from d2l_core.errors import UsageError
from d2l_core.interface import Tensor
from d2l_core.nn import Module, Parameter, StateMismatch, Variable, _state

__all__ = ["from_native", "to_native"]


def to_native(module: Module) -> Any:
    """The active backend's own kind of module with the weights of `module`, to be trained with its own tools.

    It owns copies of all parameters and buffers, under our paths: `module` stays as it is, whatever becomes of the
    other. Its forward pass is the code of a copy of `module`, without hooks, computed by the framework's functions;
    it may stand outside ``use_backend``. The framework's own mode decides whether it trains, frozen parameters are
    frozen there, and what a forward pass writes, such as the running statistics of a batch normalisation, lands in its
    buffers. A tied parameter is there once, under its first path.

    Returns:
        A ``torch.nn.Module``, a ``flax.nnx.Module``, a ``keras.Model`` or a ``gluon.Block``.

    Raises:
        UsageError: a layer has yet to learn its sizes.
        BackendError: the framework has no modules.
    """
    _check_complete(module)
    context = current()
    twin = module.clone()
    variables = {path: (_kind(variable), variable.value) for path, variable in twin.variables().items()}
    return interface.native_module(_pure_call(twin, context), variables)


def from_native(module: Module, native: Any) -> StateMismatch:
    """Give `module` the weights of a module of the active backend's framework; nothing changes if one does not fit.

    `native` comes from `to_native`, or is written in the framework with its own layers: linear, convolutional,
    recurrent, embedding and normalising ones, whose layouts are translated. If all names agree, they decide; else the
    weights are taken in the order of definition. Weights alone are taken: settings, such as the epsilon of a
    normalisation or the activation between layers, are those of `module`.

    Raises:
        UsageError: `native` is no module of the framework, or has a layer whose layout is not known.
        CheckpointError: a weight has no counterpart of its shape.
        BackendError: the framework has no modules.
    """
    return _state.load_native(module, interface.native_state(native))


def _check_complete(module: Module) -> None:
    for path, part in module.named_modules():
        learns = type(part).build is not Module.build and not part._built and not part._variables
        if learns or part.seed is None:
            raise UsageError(
                f"{path or type(module).__name__} has no weights yet; call initialise with an example input first."
            )


def _kind(variable: Variable) -> str:
    if not isinstance(variable, Parameter):
        return "buffer"
    return "parameter" if variable.trainable else "frozen"


def _pure_call(twin: Module, context: Context) -> Callable[..., tuple[Any, dict[str, Tensor]]]:
    """`twin` as a function of the values of its variables; see `interface.native_module`."""
    variables = twin.variables()
    paths = {variable: path for path, variable in variables.items()}

    def call(
        values: dict[str, Tensor], training: bool, inputs: tuple[Any, ...], options: dict[str, Any], device: str | None
    ) -> tuple[Any, dict[str, Tensor]]:
        with _scope(context, values, device), _lent(list(variables.values()), [values[path] for path in variables]):
            if twin.training is not training:
                twin.train(training)
            output, effects = _with_effects(functools.partial(twin, **options), *inputs)
        pairs = zip(effects.variables, effects.values, strict=True)
        return output, {paths[variable]: value for variable, value in pairs if variable in paths}

    return call


def _scope(context: Context, values: dict[str, Tensor], device: str | None) -> AbstractContextManager[Any]:
    """The backend of the module at the precision of its weights, which their owner may have changed since."""
    backend = context.backend
    widths = {backend.float32: 32, backend.float64: 64}
    precision = next((widths[v.dtype] for v in values.values() if v.dtype in widths), context.precision)
    wanted = Context(backend, precision, device or context.device)
    return (
        contextlib.nullcontext()
        if wanted == current()
        else use_backend(backend.name, precision=precision, device=wanted.device)
    )
