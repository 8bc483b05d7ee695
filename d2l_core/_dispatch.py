"""How a declaration of the contract becomes a function that runs on the active backend."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from d2l_core import backend as _backend
from d2l_core._explain import explained
from d2l_core._requirements import REQUIREMENTS

F = TypeVar("F", bound=Callable[..., Any])

REGISTRY: dict[str, Primitive] = {}

EXPLAINED = ("arrays", "linalg", "network")
"""Groups whose functions take no functions, so that an error in a call is about the call."""


@dataclass(frozen=True)
class Primitive:
    """One entry of the contract.

    Attributes:
        name: what it is called, in the contract and in every adapter.
        group: the adapter module that implements it.
        declaration: signature and docstring; for a composite also the default implementation.
        composite: True if it is composed of other primitives and an adapter may leave it out.
    """

    name: str
    group: str
    declaration: Callable[..., Any]
    composite: bool


Around = Callable[..., Any]
"""A function of an adapter's function and the arguments of a call; see `d2l_core._standard`."""


def primitive(group: str, *, accepts_foreign: bool = False, around: Around | None = None) -> Callable[[F], F]:
    """Declare a function that every adapter must implement in its module `group`.

    What the declaration promises beyond the adapter's part (keywords, mixed dtypes) is done by `around`, which is
    called as ``around(implementation, *args, **kwargs)``.
    """
    return functools.partial(_declare, group=group, composite=False, accepts_foreign=accepts_foreign, around=around)


def composite(group: str, *, accepts_foreign: bool = False) -> Callable[[F], F]:
    """Declare a function composed of primitives; an adapter may replace it by a faster native form."""
    return functools.partial(_declare, group=group, composite=True, accepts_foreign=accepts_foreign)


def _declare(declaration: F, *, group: str, composite: bool, accepts_foreign: bool, around: Around | None = None) -> F:
    name = declaration.__name__
    REGISTRY[name] = Primitive(name, group, declaration, composite)
    current = _backend._CURRENT
    explains = group in EXPLAINED
    require = REQUIREMENTS.get(name)

    @functools.wraps(declaration)
    def dispatch(*args: Any, **kwargs: Any) -> Any:
        context = current.get() or _backend.current()
        backend = context.backend
        foreign = backend.foreign
        for value in args:
            if type(value) in foreign and not accepts_foreign:
                raise _backend.mixed(backend, name, value)
        function = getattr(backend, name)
        if not explains:
            return function(*args, **kwargs)
        try:
            if require is not None:
                require(*args, **kwargs)
            return function(*args, **kwargs) if around is None else around(function, *args, **kwargs)
        except Exception as error:  # whatever the framework raises
            cause = explained(error, backend, declaration, args, kwargs)
            if cause is error:
                raise
            raise cause from cause.__cause__

    return dispatch  # type: ignore[return-value]
