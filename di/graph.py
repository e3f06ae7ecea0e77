"""The tree of dependables below a view, checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast, get_origin

from di.annotations import is_special, without_aliases
from di.exceptions import (
    DependencyCycleError,
    DependencyDepthError,
    DependencyError,
    DependencyScopeError,
    InvalidLimitError,
    NotCallableError,
    StreamingSessionError,
)
from di.inspection import (
    EMPTY,
    Dependable,
    Parameter,
    inspect_callable,
    is_constructible,
    key_of,
    refuse_foreign,
)
from di.markers import SCOPES, Marker, Scope, SecurityScopes
from di.rendering import describe
from di.security.base import find_scheme
from di.unfilled import refuse_unfilled

Way = tuple[tuple[str | None, Callable[..., Any]], ...]
"""The part of a path that lies below a dependable."""

_Adapt = TypeVar("_Adapt", bound=Callable[[Any], Any])

MOST_LEVELS = 100
"""Far below what Python's own recursion limit leaves to an import."""


@dataclass(frozen=True, slots=True, eq=False)
class Dependant:
    """A callable, analyzed: what fills its parameters.

    Attributes:
        scope: the life of what it yields, None if it does not yield; "app" also if it
            returns: its value is kept then.
        dependencies: those of ``dependencies=`` first, then its parameters in order.
        inputs: its other parameters, for the request to fill.
        scopes_names: its parameters that take a `SecurityScopes`.
        reads_scopes: whether it, or anything below it, takes a `SecurityScopes` or is a
            security scheme.
        shortest: the way to the shortest-lived thing that its value rests on.
        reads_request: the way to what reads inputs or required scopes below it.
        is_replaced: whether it, or anything below it, is a stand-in.
        restored: keys of what is replaced outside and itself again below here, inside its
            stand-in.
    """

    dependable: Dependable
    scope: Scope | None
    dependencies: tuple[Dependency, ...]
    inputs: tuple[Parameter, ...]
    scopes_names: tuple[str, ...]
    reads_scopes: bool
    shortest: tuple[Scope, Way] | None
    reads_request: Way | None
    is_replaced: bool
    restored: frozenset[object]


@dataclass(frozen=True, slots=True, eq=False)
class Dependency:
    """One edge: *marker* on parameter *name* (None in ``dependencies=``).

    `original` is what the marker names; `dependant` may be its stand-in. `restored` is as
    in `Dependant`, seen from above.
    """

    name: str | None
    marker: Marker
    original: Callable[..., Any]
    dependant: Dependant
    restored: frozenset[object]


_adapters: list[Callable[[Any], Any]] = []


def adapter(adapt: _Adapt) -> _Adapt:
    """Ask *adapt* of each dependable for the callable to use, or to refuse it."""
    _adapters.append(adapt)
    return adapt


def analyze(
    view: Callable[..., Any],
    dependencies: Sequence[Marker] = (),
    overrides: Mapping[object, Callable[..., Any]] | None = None,
) -> Dependant:
    """Read *view* and all that it depends on.

    Args:
        view: the callable at the root.
        dependencies: markers that come before its own parameters.
        overrides: stand-ins by `key_of` what they stand in for. Inside its own stand-in
            a dependable is itself again, so that a stand-in may wrap it.

    Raises:
        DependencyError: one of its children, each with the path from *view*.
    """
    return _Analysis(overrides or {}).read(view, dependencies)


class _Analysis:
    def __init__(self, overrides: Mapping[object, Callable[..., Any]]) -> None:
        self.overrides = overrides
        self.known: dict[object, Dependant] = {}
        self.path: list[tuple[str | None, Callable[..., Any]]] = []
        self.keys: list[object] = []
        self.replaced: list[object] = []

    def read(self, view: Callable[..., Any], dependencies: Sequence[Marker]) -> Dependant:
        return self._read(None, view, None, dependencies)

    def _read(
        self,
        name: str | None,
        call: Callable[..., Any],
        marker: Marker | None,
        dependencies: Sequence[Marker] = (),
        *,
        is_stand_in: bool = False,
    ) -> Dependant:
        self.path.append((name, call))
        self.keys.append(self._key(call))
        try:
            return self._read_dependencies(call, marker, dependencies, is_stand_in=is_stand_in)
        except DependencyError as error:
            if error.path[:1] != tuple(self.path[:1]):
                error.path = tuple(self.path)
            raise
        finally:
            self.keys.pop()
            self.path.pop()

    def _read_dependencies(
        self,
        call: Callable[..., Any],
        marker: Marker | None,
        extra: Sequence[Marker],
        *,
        is_stand_in: bool,
    ) -> Dependant:
        refuse_unfilled(call, tuple(self.path), is_view=marker is None)
        dependable = inspect_callable(call)
        edges = [self._follow(None, marker, EMPTY) for marker in extra]
        inputs, scopes_names = [], []
        for parameter in dependable.parameters:
            if parameter.marker is not None:
                edges.append(self._follow(parameter.name, parameter.marker, parameter.annotation))
            elif is_special(parameter.annotation, SecurityScopes):
                scopes_names.append(parameter.name)
            else:
                inputs.append(parameter)
        is_replaced = is_stand_in or any(edge.dependant.is_replaced for edge in edges)
        scope = self._scope_of(dependable, marker, is_replaced=is_replaced)
        read = [*(parameter.name for parameter in inputs), *scopes_names]
        return Dependant(
            dependable=dependable,
            scope=scope,
            dependencies=tuple(edges),
            inputs=tuple(inputs),
            scopes_names=tuple(scopes_names),
            reads_scopes=bool(scopes_names)
            or find_scheme(dependable.call) is not None
            or any(edge.dependant.reads_scopes for edge in edges),
            shortest=self._shortest(scope, edges),
            reads_request=self._reads_request(scope, read, edges),
            is_replaced=is_replaced,
            restored=frozenset().union(*(edge.restored for edge in edges)),
        )

    def _follow(self, name: str | None, marker: Marker, annotation: object) -> Dependency:
        if not isinstance(marker, Marker):
            refuse_foreign(marker, "dependencies=[...]", self.path)
            problem = f"dependencies=[...] holds {describe(marker)}, which is not a marker."
            raise NotCallableError(problem, path=self.path, hint="Wrap it: Depends(f).")
        original = marker.dependency
        if original is None:
            original = self._shortcut(name, annotation)
        key = key_of(original)
        stand_in = None if key in self.replaced else self.overrides.get(key)
        if stand_in is not None:
            self.replaced.append(key)
        try:
            is_stand_in = stand_in is not None
            call = self._adapted(name, original if stand_in is None else stand_in)
            dependant = self._visit(name, call, marker, is_stand_in=is_stand_in)
        finally:
            if stand_in is not None:
                self.replaced.pop()
        restored = dependant.restored - {key}
        if key in self.replaced:
            restored |= {key}
        return Dependency(name, marker, original, dependant, restored)

    def _adapted(self, name: str | None, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return *call* in the form in which a host can call it."""
        path = (*self.path, (name, call))
        if get_origin(without_aliases(call)) is Annotated:
            problem = "Depends() was given an alias of Annotated, which holds a marker itself."
            hint = "Annotate the parameter with the alias, and leave Depends out."
            raise NotCallableError(problem, path=path, hint=hint)
        try:
            for adapt in _adapters:
                call = adapt(call)
        except DependencyError as error:
            error.path = (*self.path, (name, call), *error.path[1:])
            raise
        return call

    def _visit(
        self, name: str | None, call: Callable[..., Any], marker: Marker, *, is_stand_in: bool
    ) -> Dependant:
        path = (*self.path, (name, call))
        if self._key(call) in self.keys:
            problem = "A dependable depends on itself."
            hint = "Move what both need into a third dependable and depend on that."
            raise DependencyCycleError(problem, path=path, hint=hint)
        if len(path) > MOST_LEVELS:
            problem = f"Dependables are nested more than {MOST_LEVELS} deep."
            hint = "Let some of them be plain functions, which a dependable calls."
            raise DependencyDepthError(problem, path=path[:3], hint=hint)
        known = (self._key(call), marker.scope)
        if known not in self.known:
            self.known[known] = self._read(name, call, marker, is_stand_in=is_stand_in)
        return self.known[known]

    def _key(self, call: Callable[..., Any]) -> object:
        """Return what tells *call* from others here: what it rests on may be replaced."""
        return key_of(call), tuple(self.replaced)

    def _shortcut(self, name: str | None, annotation: object) -> Callable[..., Any]:
        if is_constructible(annotation):
            return cast("Callable[..., Any]", annotation)
        where, hint = "stands in dependencies=[...]", "Write Depends(f)."
        if name:
            where = f"is on parameter {name!r}, which has no annotation"
            if annotation is not EMPTY:
                shown = inspect.formatannotation(annotation)
                where = f"is on parameter {name!r}, whose annotation {shown} is no class to call"
            hint = "Write Depends(f), or annotate the parameter with a class to be called."
        problem = f"Depends() has nothing to call: it {where}."
        raise NotCallableError(problem, path=self.path, hint=hint)

    def _scope_of(
        self, dependable: Dependable, marker: Marker | None, *, is_replaced: bool
    ) -> Scope | None:
        if marker is None:
            return None  # a view that is a generator streams; nobody closes it
        asked = marker.scope
        if dependable.has_fixed_scope and asked not in (None, dependable.scope):
            problem = f'This dependable always lives for "{dependable.scope}", not "{asked}".'
            raise DependencyScopeError(problem, hint="Leave scope= out of its marker.")
        scope = asked or dependable.scope
        if scope == "app":
            if marker.limiter is not None:
                problem = (
                    'A value of scope "app" is made once for all requests, so max_concurrency'
                    " limits nothing."
                )
                hint = "Leave max_concurrency out, or limit the dependables that use the value."
                raise InvalidLimitError(problem, hint=hint)
            if not is_replaced:
                return scope
            scope = None  # what stands in for a while must not outlive it
        return scope or "request" if dependable.kind.is_generator else None

    def _shortest(
        self, scope: Scope | None, edges: Sequence[Dependency]
    ) -> tuple[Scope, Way] | None:
        below = [
            (inner, _through(edge, way))
            for edge in edges
            if edge.dependant.shortest
            for inner, way in [edge.dependant.shortest]
        ]
        shortest = min(below, key=lambda found: SCOPES.index(found[0]), default=None)
        if scope is None:
            return shortest
        if shortest is not None and SCOPES.index(shortest[0]) < SCOPES.index(scope):
            problem = (
                f'A dependable of scope "{scope}" uses one of scope "{shortest[0]}", which is'
                " closed earlier."
            )
            hint = (
                f'Write scope="{shortest[0]}" in the marker of the first, or scope="{scope}" in'
                " the marker of the second."
            )
            raise DependencyScopeError(problem, path=(*self.path, *shortest[1]), hint=hint)
        return scope, ()

    def _reads_request(
        self, scope: Scope | None, read: Sequence[str], edges: Sequence[Dependency]
    ) -> Way | None:
        ways = [
            _through(edge, edge.dependant.reads_request)
            for edge in edges
            if edge.dependant.reads_request is not None
        ]
        way = () if read else next(iter(ways), None)
        if scope != "app" or way is None:
            return way
        problem = (
            'A dependable of scope "app" would keep inputs of one request for all others:'
            f" {', '.join(map(repr, read)) or 'those of the last dependable here'}."
        )
        hint = "Read the inputs in another dependable, without scope, that depends on this one."
        raise DependencyScopeError(problem, path=(*self.path, *way), hint=hint)


def _through(edge: Dependency, way: Way) -> Way:
    return ((edge.name, edge.dependant.dependable.call), *way)


def ways_from(root: Dependant) -> dict[Dependable, Way]:
    """Return the first way from *root* to each dependable, each before what it depends on."""
    ways: dict[Dependable, Way] = {}
    waiting: list[tuple[Way, Dependant]] = [(((None, root.dependable.call),), root)]
    while waiting:
        way, dependant = waiting.pop()
        if dependant.dependable in ways:
            continue
        ways[dependant.dependable] = way
        waiting += [
            ((*way, (edge.name, edge.dependant.dependable.call)), edge.dependant)
            for edge in reversed(dependant.dependencies)
        ]
    return ways


def refuse_fixed_scopes(dependant: Dependant, what: str) -> None:
    """Refuse whatever below *dependant* may live in one scope only.

    Raises:
        StreamingSessionError: there is such a thing; *what* names who asks.
    """
    path = ((None, dependant.dependable.call),)
    _refuse_fixed_scopes(dependant, what, path, set())


def _refuse_fixed_scopes(dependant: Dependant, what: str, path: Way, seen: set[int]) -> None:
    for edge in dependant.dependencies:
        below = (*path, (edge.name, edge.dependant.dependable.call))
        if edge.dependant.dependable.has_fixed_scope:
            problem = f"{what} uses a dependable that is closed before the first byte is sent."
            hint = (
                "Read with a ReadSession, or write in a dependable that is done before the"
                " stream begins."
            )
            raise StreamingSessionError(problem, path=below, hint=hint)
        if id(edge.dependant) not in seen:
            seen.add(id(edge.dependant))
            _refuse_fixed_scopes(edge.dependant, what, below, seen)
