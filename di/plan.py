"""The order in which a graph is resolved, decided once."""

from __future__ import annotations

from dataclasses import dataclass, field

from di.graph import Dependant, Dependency
from di.inspection import Dependable, Parameter, key_of
from di.limits import Limiter
from di.markers import Scope, SecurityMarker


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One call of one dependable.

    Attributes:
        scope: the life of its value, see `Dependant`.
        limiter: of how many may be inside it at once.
        own_plan: of a value that is kept for the app: how to make it, the first time.
            Nothing else about such a step belongs to a request.
        arguments: pairs of a parameter and the index of the step that fills it.
        needs: the indexes of all steps that must have succeeded before.
        inputs: the parameters that the request fills.
        security_scopes: the parameters that are told `oauth_scopes`.
        oauth_scopes: those required here, outermost first.
    """

    index: int
    dependable: Dependable
    scope: Scope | None
    limiter: Limiter | None
    own_plan: Plan | None
    arguments: tuple[tuple[str, int], ...]
    needs: tuple[int, ...]
    inputs: tuple[Parameter, ...]
    security_scopes: tuple[str, ...]
    oauth_scopes: tuple[str, ...]

    @property
    def needs_loop(self) -> bool:
        """Whether anything in it has to be awaited."""
        return self.own_plan.needs_loop if self.own_plan else self.dependable.kind.is_async

    @property
    def is_awaited(self) -> bool:
        """Whether an async view resolves it on its event loop, not in its thread."""
        is_quick = not self.own_plan and not self.dependable.is_blocking
        return self.needs_loop or self.limiter is not None or is_quick


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The steps below a view in the order of their calls, and the view itself, last.

    Attributes:
        originals: keys of all that could be overridden here.
        outlives_view: whether anything is closed after the response was sent.
    """

    steps: tuple[Step, ...]
    view: Step
    originals: frozenset[object]
    outlives_view: bool

    @property
    def needs_loop(self) -> bool:
        """Whether anything in it has to be awaited."""
        return any(step.needs_loop for step in (*self.steps, self.view))

    @property
    def uses_app_loop(self) -> bool:
        """Return True if it uses an async value of the app scope, which is tied to its loop."""
        return any(step.own_plan is not None and step.needs_loop for step in self.steps)

    def kept_calls(self) -> set[object]:
        """Return the keys of all that it asks the app scope for, and that these ask for."""
        own_plans = [step.own_plan for step in self.steps if step.own_plan is not None]
        keys = {key_of(plan.view.dependable.call) for plan in own_plans}
        return keys.union(*(plan.kept_calls() for plan in own_plans))


def compile_plan(root: Dependant) -> Plan:
    """Flatten *root*: depth first, left to right, each distinct dependable once."""
    compiler = _Compiler()
    view = compiler.step(root, None, ())
    steps = tuple(compiler.steps)
    outlives_view = any(step.scope == "request" for step in steps)
    return Plan(steps, view, frozenset(compiler.originals), outlives_view)


@dataclass(slots=True)
class _Compiler:
    steps: list[Step] = field(default_factory=list)
    shared: dict[object, int] = field(default_factory=dict)
    originals: set[object] = field(default_factory=set)

    def step(
        self, dependant: Dependant, limiter: Limiter | None, oauth_scopes: tuple[str, ...]
    ) -> Step:
        """Return the step that calls *dependant*, those before it already appended."""
        filled = [(edge.name, self.place(edge, oauth_scopes)) for edge in dependant.dependencies]
        return Step(
            index=len(self.steps),
            dependable=dependant.dependable,
            scope=dependant.scope,
            limiter=limiter,
            own_plan=None,
            arguments=tuple((name, index) for name, index in filled if name is not None),
            needs=tuple(dict.fromkeys(index for _, index in filled)),
            inputs=dependant.inputs,
            security_scopes=dependant.scopes_names,
            oauth_scopes=oauth_scopes,
        )

    def kept_step(self, dependant: Dependant) -> Step:
        """Return the step that asks for the one value of *dependant* in this process."""
        own_plan = compile_plan(dependant)
        self.originals |= own_plan.originals
        return Step(
            index=len(self.steps),
            dependable=dependant.dependable,
            scope=dependant.scope,
            limiter=None,
            own_plan=own_plan,
            arguments=(),
            needs=(),
            inputs=(),
            security_scopes=(),
            oauth_scopes=(),
        )

    def place(self, edge: Dependency, inherited: tuple[str, ...]) -> int:
        """Return the index of the step that fills *edge*."""
        own = edge.marker.oauth_scopes if isinstance(edge.marker, SecurityMarker) else ()
        oauth_scopes = tuple(dict.fromkeys((*inherited, *own)))
        self.originals.add(key_of(edge.original))
        key = self.key(edge, oauth_scopes if own or edge.dependant.reads_scopes else ())
        if edge.marker.use_cache and key in self.shared:
            return self.shared[key]
        if edge.dependant.scope == "app":
            step = self.kept_step(edge.dependant)
        else:
            step = self.step(edge.dependant, edge.marker.limiter, oauth_scopes)
        self.steps.append(step)
        self.shared.setdefault(key, step.index)
        return step.index

    def key(self, edge: Dependency, oauth_scopes: tuple[str, ...]) -> object:
        """Return what two uses must have in common to share one value."""
        dependant = edge.dependant
        # A stand-in may depend on what it stands in for: two values, one original.
        actual = key_of(dependant.dependable.call), dependant.restored
        return key_of(edge.original), actual, frozenset(oauth_scopes), dependant.scope
