"""Who stands in for whom, here and now."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, Self, TypeVar, cast

from di.exceptions import NotCallableError
from di.inspection import key_of
from di.rendering import name_of

StandIns = Mapping[object, Callable[..., Any]]
"""Stand-ins by `key_of` what they stand in for."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


class FixedStandIns(dict[object, Callable[..., Any]]):
    """Stand-ins that nobody changes any more: what tells them from others is known."""

    @functools.cached_property
    def identity(self) -> object:
        """See `identity_of`."""
        return _identity(self)


@dataclass(frozen=True, slots=True)
class _Layer:
    stand_ins: StandIns
    below: _Layer | None


_top: ContextVar[_Layer | None] = ContextVar("di_overrides", default=None)


class override:  # noqa: N801 - used as a statement and as a decorator, like Django's own
    """Replace dependables in this thread or task for a while.

    Use it as ``with override({get_session: fake}):``, with ``async with``, or as a
    decorator of a sync or async function. Blocks nest; each is undone however it ends.

    Args:
        stand_ins: what to call instead, by the dependable it stands in for.

    Raises:
        NotCallableError: a stand-in cannot be called, or stands in for nothing.
    """

    def __init__(self, stand_ins: Mapping[Callable[..., Any], Callable[..., Any]]) -> None:
        self.stand_ins = FixedStandIns(keyed(stand_ins))

    def __enter__(self) -> Self:
        below = _top.get()
        stand_ins = self.stand_ins
        if below is not None:
            stand_ins = FixedStandIns({**below.stand_ins, **stand_ins})
        _top.set(_Layer(stand_ins, below))
        return self

    def __exit__(self, *_: object) -> None:
        layer = _top.get()
        _top.set(layer.below if layer else None)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Decorate *function*: the stand-ins hold while it runs.

        Raises:
            TypeError: it is a class, whose methods run later.
        """
        if inspect.isclass(function):
            message = (
                f"override() decorates functions, and {name_of(function)} is a class. Decorate"
                " its methods, or use a fixture that does: with override(...): yield."
            )
            raise TypeError(message)
        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def agenerate(*args: _P.args, **kwargs: _P.kwargs) -> AsyncIterator[object]:
                with self:
                    async for item in function(*args, **kwargs):
                        yield item

            return cast("Callable[_P, _R]", agenerate)

        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generate(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[object]:
                with self:
                    yield from function(*args, **kwargs)

            return cast("Callable[_P, _R]", generate)

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def arun(*args: _P.args, **kwargs: _P.kwargs) -> object:
                with self:
                    return await function(*args, **kwargs)

            return cast("Callable[_P, _R]", arun)

        @functools.wraps(function)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with self:
                return function(*args, **kwargs)

        return run


@contextmanager
def live_override() -> Iterator[dict[Any, Callable[..., Any]]]:
    """Like `override`, with stand-ins that may be added and removed while it holds."""
    below = _top.get()
    stand_ins = dict(below.stand_ins) if below else {}
    _top.set(_Layer(stand_ins, below))
    try:
        yield stand_ins
    finally:
        _top.set(below)


def keyed(stand_ins: Mapping[Callable[..., Any], Callable[..., Any]]) -> StandIns:
    """Return *stand_ins* by `key_of` what they stand in for."""
    if not isinstance(stand_ins, Mapping):
        problem = f"Stand-ins are a mapping, and this is {stand_ins!r}."
        raise NotCallableError(problem, hint="Write {original: stand_in}.")
    for original, stand_in in stand_ins.items():
        if not callable(stand_in):
            problem = (
                f"The stand-in for {name_of(original)} is {stand_in!r}, which cannot be called."
            )
            raise NotCallableError(problem, hint="Write lambda: value to hand over a value.")
    return {key_of(original): stand_in for original, stand_in in stand_ins.items()}


def current(more: Mapping[Callable[..., Any], Callable[..., Any]] | None = None) -> StandIns:
    """Return the stand-ins in force here: *more*, and over them those of `override`."""
    layer = _top.get()
    here: StandIns = layer.stand_ins if layer else {}
    return {**keyed(more), **here} if more else here


def identity_of(stand_ins: StandIns) -> object:
    """Return what is equal for two mappings if the same stand in for the same."""
    return stand_ins.identity if isinstance(stand_ins, FixedStandIns) else _identity(stand_ins)


def _identity(stand_ins: StandIns) -> object:
    return frozenset((original, key_of(call)) for original, call in stand_ins.items())
