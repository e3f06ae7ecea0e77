"""An injected view: as it was written, and in each place where it is mounted."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from django.http import HttpRequest
from ninja.operation import AsyncOperation, Operation
from ninja.params.models import Path
from ninja.signature.details import ViewSignature

from di import overrides
from di.exceptions import UnsupportedParameterError
from di.graph import Dependant, analyze, refuse_fixed_scopes
from di.inputs import Documentation, Inputs, build_all
from di.inspection import EMPTY, Parameter, key_of
from di.markers import Marker
from di.plan import Plan, compile_plan
from di.refusal import refuse_hidden

_MOST_VARIANTS = 128

known_signatures: WeakSet[InjectedSignature] = WeakSet()
"""All there are, for the system checks."""


class Injection:
    """A view and its dependencies, before it is known where it is mounted."""

    def __init__(self, view: Callable[..., Any], dependencies: Sequence[Marker]) -> None:
        self.view = view
        self.dependencies = tuple(dependencies)
        refuse_hidden(view)
        self.root = analyze(view, dependencies)
        _check_request(self.root)

    def stand_in_signature(self) -> inspect.Signature:
        """Return what Ninja may see of the view until the operation is known.

        Ninja warns of names in a path that no parameter has, so it is told of all names;
        the models that it makes of them are replaced.
        """
        plan = compile_plan(self.root)
        inputs = [parameter for step in plan.steps for parameter in step.inputs]
        names = dict.fromkeys(map(_name_in_path, [*inputs, *plan.view.inputs[1:]]))
        return inspect.Signature(
            [
                inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD),
                *(
                    inspect.Parameter(
                        f"path_{number}",
                        inspect.Parameter.KEYWORD_ONLY,
                        default=Path(..., alias=name),
                        annotation=str,
                    )
                    for number, name in enumerate(names)
                ),
            ]
        )


class InjectedSignature(ViewSignature):
    """All that is known of an injected view in one place: plan, readers, documentation."""

    def __init__(
        self, operation: Operation, injection: Injection, inherited: Sequence[Marker]
    ) -> None:
        self.injection = injection
        self.inherited = tuple(inherited)
        self.path = operation.path
        self.is_async = isinstance(operation, AsyncOperation)
        self.view_func = operation.signature.view_func
        self.docstring = operation.signature.docstring
        self.contributed = tuple(getattr(self.view_func, "_ninja_contribute_args", ()))
        root = self._analyze(None)
        if operation.stream_format is not None:
            refuse_fixed_scopes(root, "An operation that streams its response")
        self.compiled = Compiled(root, self)
        document = Documentation(self.compiled.readers)
        self.params, self.models = document.params, document.models
        self.variants: dict[object, Compiled] = {}
        known_signatures.add(self)

    def compiled_for(self, stand_ins: overrides.StandIns) -> Compiled:
        """Return the plan in which *stand_ins* stand in, compiled once a set of them."""
        if not stand_ins or self.compiled.plan.originals.isdisjoint(stand_ins):
            return self.compiled
        key = frozenset((original, key_of(call)) for original, call in stand_ins.items())
        if key not in self.variants:
            if len(self.variants) >= _MOST_VARIANTS:
                self.variants.clear()
            self.variants[key] = Compiled(self._analyze(stand_ins), self)
        return self.variants[key]

    def _analyze(self, stand_ins: overrides.StandIns | None) -> Dependant:
        if not stand_ins and not self.inherited:
            return self.injection.root
        dependencies = (*self.inherited, *self.injection.dependencies)
        return analyze(self.injection.view, dependencies, stand_ins)


class Compiled:
    """A plan and, for each of its steps and the view, the reader of its inputs."""

    def __init__(self, root: Dependant, signature: InjectedSignature) -> None:
        self.plan: Plan = compile_plan(root)
        self.readers = [
            Inputs(signature.path, step.dependable.call, step.inputs) for step in self.plan.steps
        ]
        view = self.plan.view.dependable.call
        inputs = self.plan.view.inputs[1:]  # Ninja passes the request, by position
        self.readers.append(Inputs(signature.path, view, inputs, signature.contributed))
        build_all(self.readers)


def _check_request(root: Dependant) -> None:
    """Refuse a view whose first parameter would not take the request."""
    first = next(iter(root.dependable.parameters), None)
    if first and first in root.inputs[:1]:
        is_request = inspect.isclass(first.annotation) and issubclass(first.annotation, HttpRequest)
        if first.name == "request" or first.annotation is EMPTY or is_request:
            return
    problem = "A view takes the request as its first parameter; this one does not."
    path = [(None, root.dependable.call)]
    raise UnsupportedParameterError(problem, path=path, hint="Write def view(request, ...).")


def _name_in_path(parameter: Parameter) -> str:
    declared = parameter.default
    if isinstance(declared, Path) and declared.alias:
        return declared.alias
    metadata = getattr(parameter.annotation, "__metadata__", ())
    aliases = [item.alias for item in metadata if isinstance(item, Path) and item.alias]
    return aliases[-1] if aliases else parameter.name
