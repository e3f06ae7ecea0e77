"""Who stands in for whom, here and now."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any, ParamSpec, Self, TypeVar, cast, get_args, get_origin

from di.annotations import without_aliases
from di.exceptions import NotCallableError
from di.foreign import explained
from di.inspection import key_of
from di.markers import Marker
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
        NotCallableError: a key or a stand-in is not a callable.
    """

    @explained("Write override({original: stand_in}).")
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


class LiveStandIns(dict[Any, Callable[..., Any]]):
    """Stand-ins that may be added and removed at any time.

    Raises:
        NotCallableError: a key or a stand-in is not a callable. A key that no dependency
            can have would replace nothing, and a test would run with the original.
    """

    def __setitem__(self, original: Callable[..., Any], stand_in: Callable[..., Any]) -> None:
        _check(original, stand_in)
        super().__setitem__(original, stand_in)

    def setdefault(self, original: Callable[..., Any], stand_in: Any = None) -> Any:
        """Set *stand_in* unless *original* has one, and return the one in force."""
        _check(original, stand_in)
        return super().setdefault(original, stand_in)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several; see ``dict.update``."""
        for original, stand_in in dict(*args, **kwargs).items():
            self[original] = stand_in

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]
        self.update(other)
        return self


@contextmanager
def live_override() -> Iterator[LiveStandIns]:
    """Like `override`, with stand-ins that may be added and removed while it holds."""
    below = _top.get()
    stand_ins = LiveStandIns(below.stand_ins if below else {})
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
        _check(original, stand_in)
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


def _check(original: object, stand_in: object) -> None:
    """Refuse a key that no dependency can have, and a stand-in that cannot be called."""
    if not _is_callable(original):
        problem = f"A stand-in for {_shown(original)} would never be called: it is no dependable."
        hint = f"Write the dependable itself: override({{{_named_by(original) or 'f'}: stand_in}})."
        raise NotCallableError(problem, hint=hint)
    if not _is_callable(stand_in):
        shown = _shown(stand_in)
        problem = f"The stand-in for {name_of(original)} is {shown}, which cannot be called."
        named = _named_by(stand_in)
        hint = f"Write {named} itself." if named else "Write lambda: value to hand over a value."
        raise NotCallableError(problem, hint=hint)


def _is_callable(value: object) -> bool:
    # An alias can be called as far as Python knows.
    return callable(value) and not _is_alias(value)


def _is_alias(value: object) -> bool:
    return get_origin(without_aliases(value)) is Annotated


def _named_by(value: object) -> str | None:
    """Return the name of the dependable that the marker in *value* names, if there is one."""
    found = [value, *reversed(get_args(without_aliases(value)))]
    marker = next((one for one in found if isinstance(one, Marker)), None)
    if marker is None:
        return None
    named = found[-1] if marker.dependency is None else marker.dependency
    return name_of(named).rpartition(".")[2]


def _shown(value: object) -> str:
    return "an alias of Annotated" if _is_alias(value) else repr(value)
