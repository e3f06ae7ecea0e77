"""Markers that nothing fills, in all that a host will call.

A function that is called without one of its dependencies takes the marker itself for the
value: a check never runs, and everybody is let in. So the calls that follow from the host's
own are gone through here without running them, through partials, methods, constructors,
decorators and ``super()``, each with the arguments that its source passes on.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, TypeVar, get_origin
from weakref import WeakKeyDictionary

from di.annotations import show_signature
from di.declared import attributes_with_markers, markers_of, parameter_names, variable_names
from di.exceptions import NotInjectedError
from di.followed import (
    UNKNOWN,
    Frame,
    Passed,
    code_of,
    contents_of,
    hooks_of,
    inside,
    is_class,
    is_transparent,
    key_of_me,
    reaches_marker,
)
from di.inspection import INJECTED, WRAPPER
from di.markers import INJECTING_HINT, Depends, Marker, Security
from di.rendering import Path, describe, name_of
from di.source import Source, Use, read_source

_Call = TypeVar("_Call", bound=Callable[..., Any])

_RESOLVES = "__di_resolves__"

GUESS_HINT = (
    "Write @functools.wraps(function) above the decorator's inner function; if every dependency"
    " is passed, state that: inner.__signature__ = inspect.signature(inner)."
)

_MOST_CALLS = 500
"""Calls that are followed from one callable; no real code comes near."""

_logger = logging.getLogger("di")


@dataclass(frozen=True, slots=True)
class Finding:
    """A parameter whose marker would be its own value.

    Attributes:
        name: of the parameter.
        calls: from the host's callable to the function that has the parameter.
        hint: the line to write.
        is_certain: whether a call leaves it out; otherwise some code holds the function,
            and its source does not tell how that is called.
    """

    name: str
    calls: tuple[Callable[..., Any], ...]
    hint: str
    is_certain: bool = True


def resolves(function: _Call) -> _Call:
    """Note that *function* resolves the dependencies of the callable that it is given."""
    setattr(function, _RESOLVES, True)
    return function


def refuse_markers(view: Callable[..., Any]) -> None:
    """Refuse *view*, which nothing injects, if it declares dependencies.

    Raises:
        NotInjectedError: a parameter has a marker, in whatever form.
    """
    for name, marker in markers_of(view):
        problem = f"A view declares {name!r} with {marker!r}, but nothing would ever call it."
        raise NotInjectedError(problem, path=[(None, view)], hint=INJECTING_HINT)
    refuse_unfilled(view)


def refuse_unfilled(call: Callable[..., Any], path: Path = (), *, is_view: bool = True) -> None:
    """Refuse *call* if a marker behind it would certainly be taken for a value.

    A guess is logged instead, and told by the system check di.E203.

    Args:
        call: a view or a dependable. The parameters that it shows are filled.
        path: to *call*, if it is not the first.
        is_view: whether the host passes the request by position.

    Raises:
        NotInjectedError: a dependency is certainly not filled.
    """
    for finding in findings_of(call, is_view=is_view):
        if not finding.is_certain:
            _warn(call, finding)
            continue
        what = "view" if is_view else "dependable"
        problem = (
            f"The {what} hides a dependency: nothing fills {finding.name!r}, so its marker"
            " would be taken for the value."
        )
        way = path or ((None, call),)
        below = [(None, one) for one in finding.calls if one is not call]
        raise NotInjectedError(problem, path=(*way, *below), hint=finding.hint)


def refuse_markers_of_host(call: Callable[..., Any], what: str, positional: int, hint: str) -> None:
    """Refuse *call*, to which its host passes *positional* arguments and no others.

    Args:
        call: an object of ``auth=``, a method of a throttle, an exception handler.
        what: names its place.
        positional: how many arguments the host passes.
        hint: the way out.

    Raises:
        NotInjectedError: it, or a method that it calls, declares dependencies.
    """
    for finding in _Search(call, frozenset()).run(call, Passed(positional)):
        if not finding.is_certain:
            _warn(call, finding)
            continue
        problem = f"{what} declares a dependency, {finding.name!r}, but nothing would ever fill it."
        path = [(None, call), *((None, one) for one in finding.calls if one is not call)]
        raise NotInjectedError(problem, path=path, hint=hint)


def findings_of(call: Callable[..., Any], *, is_view: bool = True) -> Iterator[Finding]:
    """Yield the dependencies behind *call* that are not filled, or may not be."""
    shown = _shown(call)
    yield from _attributes_of(call, shown)
    passed = Passed(int(is_view), frozenset(shown[is_view:]))
    yield from _Search(call, frozenset(shown)).run(call, passed)


def _attributes_of(call: Any, shown: Iterable[str]) -> Iterator[Finding]:
    """Yield the markers that a class has as attributes, which no constructor takes."""
    source = get_origin(call) or call
    if inspect.isroutine(source):
        source = getattr(source, "__self__", None)
    cls = source if is_class(source) else type(source)
    if cls.__module__ == "builtins":
        return
    for one in cls.__mro__[:-1]:
        for name in attributes_with_markers(one):
            if name not in shown:
                hint = f"Declare it in the constructor: def __init__(self, {name}=Depends(f))."
                yield Finding(name, (cls,), hint)


def guess_of(call: Callable[..., Any], finding: Finding) -> str:
    """Return the sentence that tells of an uncertain *finding*."""
    return (
        f"{describe(_view_of(call))} holds {describe(finding.calls[-1])}, and its source does not"
        f" tell whether it passes the dependency {finding.name!r}."
    )


def _shown(call: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that *call* shows, which are filled."""
    if type(call) is FunctionType and not vars(call):  # most are, and this is quick
        return list(parameter_names(call.__code__))
    try:
        signature = show_signature(get_origin(call) or _view_of(call))
    except (TypeError, ValueError):
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [one.name for one in signature.parameters.values() if one.kind not in variable]


def _view_of(call: Any) -> Any:
    """Return the view that *call* injects, or *call* itself."""
    return getattr(getattr(call, INJECTED, None), "view", call)


@dataclass(slots=True)
class _Search:
    """All calls that follow from one of *root*, which shows the parameters *shown*."""

    root: Callable[..., Any]
    shown: frozenset[str]
    trail: list[FunctionType] = field(default_factory=list)
    seen: set[object] = field(default_factory=set)

    def run(self, call: Any, passed: Passed, *, is_direct: bool = False) -> Iterator[Finding]:
        """Yield what a call of *call* would lose; a direct one is not gone into."""
        while (inner := inside(call)) is not call:
            if isinstance(call, functools.partial):
                yield from self.bound_by(call)
                positional = passed.positional + len(call.args)
                keywords = passed.keywords.union(call.keywords)
                passed = Passed(positional, keywords, passed.is_open)
            call = inner
        for function, me in code_of(call):
            positional = passed.positional + (me is not UNKNOWN)
            here = Passed(positional, passed.keywords, passed.is_open)
            yield from self.enter(Frame(function, me, here), is_direct=is_direct)
            if is_class(me) and function.__name__ == "__call__":
                return  # a metaclass decides by itself whether the constructor runs
        if is_class(call):
            for hook, positional in hooks_of(call):
                yield from self.run(hook, Passed(positional))

    def bound_by(self, call: functools.partial[Any]) -> Iterator[Finding]:
        """Yield the markers that a partial binds as if they were values."""
        for name, value in (*call.keywords.items(), *(("", one) for one in call.args)):
            if isinstance(value, Marker):
                hint = f"Leave {name or 'it'} out of the partial: the function declares it."
                yield Finding(name or repr(value), (call,), hint)

    def enter(self, frame: Frame, *, is_direct: bool) -> Iterator[Finding]:
        function = frame.function
        key = (function, key_of_me(frame.me), frame.passed, is_direct)
        if key in self.seen or len(self.seen) > _MOST_CALLS:
            return
        self.seen.add(key)
        self.trail.append(function)
        if vars(function).get(WRAPPER) is function:
            yield from self.run(vars(function)["__wrapped__"], frame.passed, is_direct=is_direct)
        else:
            for name in frame.missing(is_direct=is_direct):
                yield Finding(name, tuple(self.trail), self.hint(name))
            if not is_direct and reaches_marker(frame, set()):
                yield from self.follow(frame)
        self.trail.pop()

    def follow(self, frame: Frame) -> Iterator[Finding]:
        """Yield what the calls in the source of a function would lose."""
        source = read_source(frame.function.__code__)
        if source is None:
            yield from self.guess(frame, ((value, False) for value, _ in frame.reached()))
            return
        unclear: list[tuple[Any, bool]] = []
        for call in source.calls:
            callee = frame.resolve(call.func, source)
            if callee is UNKNOWN:
                unclear += ((one, False) for one in frame.candidates(call.func, source))
                continue
            is_global = frame.is_global(call.func, source)
            passed = frame.passed_by(call, source)
            if passed.is_open:
                unclear.append((callee, is_global))
            is_direct = is_global and not (frame.passes_on and frame.forwards(call))
            yield from self.run(callee, passed, is_direct=is_direct)
        for uses in source.uses.values():
            if not all(_is_clear(use, frame, source) for use in uses):
                node = uses[0].node
                unclear.append((frame.resolve(node, source), frame.is_global(node, source)))
        yield from self.guess(frame, unclear)

    def guess(self, frame: Frame, held: Iterable[tuple[Any, bool]]) -> Iterator[Finding]:
        """Yield the dependencies of *held* functions that are not shown."""
        depended_on = [marker.dependency for _, marker in markers_of(self.root)]
        for value, is_global in held:
            for one in contents_of(value):
                if (is_global and not frame.passes_on) or any(one is call for call in depended_on):
                    continue
                if not self.may_stand_before(frame, one):
                    continue
                declared = markers_of(_view_of(one))
                hidden = [name for name, _ in declared if name not in self.shown]
                if hidden:
                    yield Finding(hidden[0], (*self.trail, one), GUESS_HINT, is_certain=False)

    def may_stand_before(self, frame: Frame, held: Any) -> bool:
        """Return True if *frame* may be a decorator of *held*."""
        if frame.passes_on:
            return inspect.isroutine(held) or inspect.isclass(held)
        own = frame.names[frame.me is not UNKNOWN :][:1]
        return inspect.isroutine(held) and tuple(_shown(held)[:1]) == own

    def hint(self, name: str) -> str:
        """Return the line to write for a dependency that is certainly left out."""
        function = self.trail[-1]
        caller = self.trail[-2] if len(self.trail) > 1 else None
        if name in self.shown and caller is not None:
            return f"Pass {name}={name} on where {name_of(caller)} calls it."
        if function.__name__ in ("__init__", "__new__"):
            return f"Declare {name!r} in the signature of {name_of(self.root)}, and pass it on."
        if caller is None or any(variable_names(caller.__code__)):
            return "Write @functools.wraps(function) above the decorator's inner function."
        return f"Pass {name}=... there, or declare a parameter with Depends({function.__name__})."


def _is_clear(use: Use, frame: Frame, source: Source) -> bool:
    """Return True if *use* of a callable does not call it out of sight."""
    if use.is_called or use.is_opened:
        return True
    if use.call is None:
        return False
    callee = frame.resolve(use.call.func, source)
    if is_transparent(callee):
        return use.call in source.chained
    return (
        callee is Depends
        or callee is Security
        or (type(callee) is FunctionType and _RESOLVES in vars(callee))
    )


def _warn(call: Callable[..., Any], finding: Finding) -> None:
    """Log a guess once, because servers in production run no system checks."""
    function = getattr(finding.calls[-1], "__func__", finding.calls[-1])
    text = guess_of(call, finding)
    warned = _warned.setdefault(function, set())
    if text not in warned:
        warned.add(text)
        _logger.warning("%s (di.E203) Hint: %s", text, finding.hint)


_warned: WeakKeyDictionary[Callable[..., Any], set[str]] = WeakKeyDictionary()
"""The texts that were logged, by the function that each is about."""
