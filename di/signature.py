"""An injected view: as it was written, and in each place where it is mounted."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakSet

from django.apps import apps
from django.http import HttpRequest
from ninja.operation import AsyncOperation, Operation
from ninja.params.models import Path
from ninja.signature.details import ViewSignature, is_pydantic_model

import di.adapters  # noqa: F401 - it is registered by being imported
from di import overrides
from di.annotations import find_marker, plain_types
from di.codegen import compile_resolver
from di.documentation import Documentation
from di.exceptions import NotInstalledError, UnsupportedParameterError
from di.graph import Dependant, Way, analyze, refuse_fixed_scopes, ways_from
from di.inputs import Inputs, build_all
from di.inspection import EMPTY, Dependable, Parameter
from di.markers import Marker
from di.plan import Plan, compile_plan
from di.sensitive import is_sensitive

_MOST_VARIANTS = 128

known_signatures: WeakSet[InjectedSignature] = WeakSet()
"""All there are, for the system checks."""


class Injection:
    """A view and its dependencies, before it is known where it is mounted.

    Attributes:
        request_count: the number of the view's parameters that take the request: one, or
            none if ``*args`` takes it.
    """

    def __init__(self, view: Callable[..., Any], dependencies: Sequence[Marker]) -> None:
        _require_app()
        self.view = view
        self.dependencies = tuple(dependencies)
        self.root = analyze(view, dependencies)
        self.request_count = _check_request(self.root)

    def stand_in_signature(self) -> inspect.Signature:
        """Return what Ninja may see of the view until the operation is known.

        Ninja warns of names in a path that no parameter has, so it is told of all names;
        the models that it makes of them are replaced.
        """
        plan = compile_plan(self.root)
        inputs = [parameter for step in plan.steps for parameter in step.inputs]
        inputs += plan.view.inputs[self.request_count :]
        names = dict.fromkeys(name for one in inputs for name in _names_in_path(one))
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
        self,
        operation: Operation,
        injection: Injection,
        inherited: Sequence[Marker],
        path: str,
    ) -> None:
        self.injection = injection
        self.inherited = tuple(inherited)
        self.path = path
        self.is_async = isinstance(operation, AsyncOperation)
        self.view_func = operation.signature.view_func
        self.docstring = operation.signature.docstring
        self.contributed = tuple(getattr(self.view_func, "_ninja_contribute_args", ()))
        self.is_stream = operation.stream_format is not None
        root = self._analyze(None)
        if self.is_stream:
            refuse_fixed_scopes(root, "An operation that streams its response")
        self.compiled = Compiled(root, self)
        document = Documentation(self.compiled.documented)
        self.params, self.models = document.params, document.models
        self.variants: dict[object, Compiled] = {}
        known_signatures.add(self)

    def compiled_for(self, stand_ins: overrides.StandIns) -> Compiled:
        """Return the plan in which *stand_ins* stand in, compiled once a set of them."""
        if not stand_ins or self.compiled.plan.originals.isdisjoint(stand_ins):
            return self.compiled
        key = overrides.identity_of(stand_ins)
        # Another thread may clear them at any time.
        if (variant := self.variants.get(key)) is None:
            if len(self.variants) >= _MOST_VARIANTS:
                self.variants.clear()
            variant = self.variants[key] = Compiled(self._analyze(stand_ins), self)
        return variant

    def _analyze(self, stand_ins: overrides.StandIns | None) -> Dependant:
        if not stand_ins and not self.inherited:
            return self.injection.root
        dependencies = (*self.inherited, *self.injection.dependencies)
        return analyze(self.injection.view, dependencies, stand_ins)


class Compiled:
    """A plan and, for each of its steps and the view, the reader of its inputs.

    Attributes:
        root: what the plan was compiled from.
        readers: in the order of the plan.
        documented: the same in the order of the document, as in FastAPI: each callable
            before what it depends on.
    """

    def __init__(self, root: Dependant, signature: InjectedSignature) -> None:
        self.root = root
        self.plan: Plan = compile_plan(root)
        ways = ways_from(root)
        readers: dict[Dependable, Inputs] = {}
        self.readers = []
        for step in self.plan.steps:
            way = ways[step.dependable]
            _check_positions(step.dependable.parameters, way)
            self.readers.append(Inputs(signature.path, way, step.inputs))
            readers[step.dependable] = self.readers[-1]
        view, way = self.plan.view, ways[root.dependable]
        # Ninja passes the request, by position.
        count = signature.injection.request_count
        _check_positions(view.dependable.parameters[count:], way)
        inputs = view.inputs[count:]
        self.readers.append(Inputs(signature.path, way, inputs, signature.contributed))
        readers[view.dependable] = self.readers[-1]
        build_all(self.readers)
        self.view_func = signature.view_func
        self.is_async = signature.is_async
        self.uses_app_loop = self.plan.uses_app_loop
        self.is_stream = signature.is_stream
        self.documented = [readers[dependable] for dependable in ways if dependable in readers]

    @functools.cached_property
    def resolve(self) -> Callable[..., Any]:
        """The function that carries out the plan; see `compile_resolver`."""
        _require_app()  # an API may be written before Django knows its apps
        return compile_resolver(
            self.plan,
            [reader.reading() for reader in self.readers],
            is_async=self.is_async,
            view_call="await" if self.is_async and not self.is_stream else "call",
            first="request",
            is_hidden=is_sensitive(self.plan, self.view_func),
        )


def _require_app() -> None:
    """Refuse to inject if Django's apps are known and `di` is not one of them."""
    if apps.apps_ready and not apps.is_installed("di"):
        problem = (
            "di is not in INSTALLED_APPS, so its system checks do not run, and a view of plain"
            " Ninja could lose its dependencies."
        )
        raise NotInstalledError(problem, hint='Write "di" in INSTALLED_APPS.')


def _check_positions(parameters: Sequence[Parameter], way: Way) -> None:
    """Refuse what cannot be passed by name."""
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            problem = f"Parameter {parameter.name!r} can only be passed by position."
            raise UnsupportedParameterError(problem, path=way, hint="Remove the / after it.")


def _check_request(root: Dependant) -> int:
    """Return the number of parameters that take the request; refuse a view that cannot."""
    signature = inspect.signature(root.dependable.call)
    declared = next(iter(signature.parameters.values()), None)
    if declared and declared.kind is declared.VAR_POSITIONAL:
        return 0
    first = next(iter(root.dependable.parameters), None)
    if first and first in root.inputs[:1]:
        is_request = inspect.isclass(first.annotation) and issubclass(first.annotation, HttpRequest)
        if first.name == "request" or first.annotation is EMPTY or is_request:
            return 1
    problem = "A view takes the request as its first parameter; this one does not."
    path = [(None, root.dependable.call)]
    raise UnsupportedParameterError(problem, path=path, hint="Write def view(request, ...).")


def _names_in_path(parameter: Parameter) -> Iterator[str]:
    """Yield the names that *parameter* would have in a path."""
    declared = find_marker(parameter.annotation)[1] or parameter.default
    annotation = plain_types(parameter.annotation)[0]
    if isinstance(declared, Path) and is_pydantic_model(annotation):
        for name, field in annotation.model_fields.items():
            yield field.alias or name
    elif isinstance(declared, Path) and declared.alias:
        yield declared.alias
    else:
        yield parameter.name
