"""The Ninja operation whose view has dependencies, and `inject`, which makes it one."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja.compatibility.files import FIX_MIDDLEWARE_PATH, need_to_fix_request_files
from ninja.errors import ConfigError
from ninja.operation import AsyncOperation, Operation
from ninja.params.models import Path
from ninja.signature.details import ViewSignature

from di import overrides
from di.exceptions import UnsupportedParameterError
from di.graph import Dependant, analyze, refuse_fixed_scopes
from di.http import ensure_handled
from di.inputs import Documentation, Frame, Inputs, build_all
from di.inspection import EMPTY, Kind, Parameter, key_of, kind_of
from di.lifetimes import Hop, Lifetime, Lifetimes, run_apart
from di.markers import Marker
from di.plan import Plan, compile_plan
from di.resolver import Resolution

logger = logging.getLogger("di")

_View = TypeVar("_View", bound=Callable[..., Any])

_ATTRIBUTE = "__di_injection__"
_MOST_VARIANTS = 128


def inject(view: _View) -> _View:
    """Let *view* declare dependencies on a plain Ninja API or router.

    Put it directly above the view, below the route decorator and ``@paginate``.

    Raises:
        DependencyError: a mistake in the view's dependencies, with the path to it.
    """
    return view if injection_of(view) else inject_with(view, ())


def inject_with(view: _View, dependencies: Sequence[Marker]) -> _View:
    """Like `inject`, with *dependencies* before those that the view has already."""
    contributors = list(getattr(view, "_ninja_contribute_to_operation", ()))
    if (known := injection_of(view)) is None:
        injection = Injection(view, dependencies)
    else:
        injection = Injection(known.view, (*dependencies, *known.dependencies))
        contributors.remove(known.contribute)
    contributors.append(injection.contribute)
    wrapper = _passing_on(view)
    wrapper._ninja_contribute_to_operation = contributors  # type: ignore[attr-defined]  # noqa: SLF001 - Ninja's hook
    wrapper.__signature__ = injection.stand_in_signature()  # type: ignore[attr-defined]
    setattr(wrapper, _ATTRIBUTE, injection)
    return cast("_View", wrapper)


def injection_of(view: Callable[..., Any]) -> Injection | None:
    """Return what `inject` noted on *view*, also through decorators above it."""
    return getattr(view, _ATTRIBUTE, None)


class Injection:
    """A view and its dependencies, before it is known where it is mounted."""

    def __init__(self, view: Callable[..., Any], dependencies: Sequence[Marker]) -> None:
        self.view = view
        self.dependencies = tuple(dependencies)
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

    def contribute(self, operation: Operation) -> None:
        """Make *operation*, just created by Ninja, one that injects."""
        install(operation, self)


def install(
    operation: Operation, injection: Injection, inherited: Sequence[Marker] = ()
) -> None:
    """Make *operation* resolve *injection*, after *inherited* dependencies."""
    signature = InjectedSignature(operation, injection, inherited)
    operation.signature = signature
    operation.models = signature.models
    operation.__class__ = _injecting(type(operation))
    if need_to_fix_request_files(operation.methods, operation.models):
        message = (
            f"{operation.path!r} with {operation.methods} takes files: add"
            f" {FIX_MIDDLEWARE_PATH!r} to MIDDLEWARE."
        )
        raise ConfigError(message)


def inherit(operation: Operation, dependencies: Sequence[Marker]) -> None:
    """Add *dependencies* of an API, a mount or a router to *operation*, bound to it."""
    signature = operation.signature
    if isinstance(signature, InjectedSignature):
        install(operation, signature.injection, (*signature.inherited, *dependencies))
    else:
        install(operation, Injection(signature.view_func, ()), dependencies)


class InjectedSignature(ViewSignature):
    """All that is known of an injected view in one place: plan, readers, documentation."""

    def __init__(
        self, operation: Operation, injection: Injection, inherited: Sequence[Marker]
    ) -> None:
        self.injection = injection
        self.inherited = tuple(inherited)
        self.path = operation.path
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


class InjectedMixin(Operation):
    """An operation that leaves the work between checks and answer to a `Guard`.

    Ninja's own ``run`` stays as it is: it asks `_get_values` for arguments, passes them
    to ``view_func``, and sends on the response that it gets back.
    """

    def _get_values(
        self, request: HttpRequest, path_params: Any, temporal_response: HttpResponse
    ) -> dict[str, Any]:
        # Decorators of the API wrap view_func when it is bound, so the guard comes last.
        if not isinstance(self.view_func, Guard):
            with _lock:
                if not isinstance(self.view_func, Guard):
                    ensure_handled(self.api)
                    self.view_func = (AsyncGuard if self.is_async else Guard)(self)
        return {"path_params": path_params, "response": temporal_response}


class AsyncInjectedMixin(InjectedMixin, AsyncOperation):
    """See `InjectedMixin`."""

    async def _async_stream_response(
        self, request: HttpRequest, generator: Any, temporal_response: HttpResponse
    ) -> Any:
        # What Ninja takes for the view's generator is the guard's coroutine.
        return await super()._async_stream_response(request, await generator, temporal_response)


_lock = threading.Lock()


@functools.cache
def _injecting(operation_class: type[Operation]) -> type[Operation]:
    """Return the class of an operation like *operation_class* that injects."""
    if issubclass(operation_class, InjectedMixin):
        return operation_class
    is_async = issubclass(operation_class, AsyncOperation)
    mixin = AsyncInjectedMixin if is_async else InjectedMixin
    return type(f"Injected{operation_class.__name__}", (mixin, operation_class), {})


class Guard:
    """The view of one operation, with everything that happens around it.

    It resolves the dependencies, calls the view (with the decorators that its API and
    routers put round it), has Ninja build the response, and closes what must be closed.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.view = operation.view_func
        functools.update_wrapper(self, self.view)

    def __call__(
        self, request: HttpRequest, path_params: dict[str, Any], response: HttpResponse
    ) -> Any:
        """Answer *request*, or raise what Ninja turns into the answer."""
        lifetimes = Lifetimes()
        resolution = self.prepare(request, path_params, response, lifetimes)
        if resolution.plan.outlives_view and isinstance(request, ASGIRequest):
            # What is entered in this hop to the request's thread is closed in another,
            # and must find the same context there.
            context = contextvars.copy_context()
            result = run_apart(context, self.answer, resolution)
            self.close_later(request, lifetimes.request, context.run)
            return result
        result = self.answer(resolution)
        self.close_later(request, lifetimes.request, _run_here)
        return result

    def answer(self, resolution: Resolution[Frame]) -> Any:
        """Resolve, call the view, build the response, close the function scope."""
        lifetimes = resolution.lifetimes
        try:
            arguments = self.valid(resolution, resolution.resolve())
            result = self.respond(
                resolution, self.view(resolution.frame.request, **arguments)
            )
            if (error := lifetimes.function.close()) is not None:
                raise error
        except BaseException as error:
            if (final := lifetimes.unwind(error)) is not error:
                raise final from final.__cause__
            raise
        return result

    def prepare(
        self,
        request: HttpRequest,
        path_params: dict[str, Any],
        response: HttpResponse,
        lifetimes: Lifetimes,
    ) -> Resolution[Frame]:
        """Choose the plan for *request*, with the overrides that hold at its start."""
        api = self.operation.api
        stand_ins = overrides.current(getattr(api, "dependency_overrides", None))
        signature = cast("InjectedSignature", self.operation.signature)
        compiled = signature.compiled_for(stand_ins)
        frame = Frame(request, response, api, path_params)
        return Resolution(compiled.plan, compiled.readers, frame, lifetimes)

    def valid(
        self, resolution: Resolution[Frame], arguments: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Return *arguments*, or raise the errors that were found instead of them."""
        if arguments is None:
            raise resolution.frame.invalid()
        return arguments

    def respond(self, resolution: Resolution[Frame], result: Any) -> Any:
        """Build the response to *result*; a stream is built by Ninja afterwards."""
        if self.operation.stream_format is not None:
            return result
        frame = resolution.frame
        response = self.operation._result_to_response(frame.request, result, frame.response)  # noqa: SLF001 - the step of Ninja's own run that belongs inside the lifetimes
        frame.outcome.status_code = response.status_code
        return response

    def close_later(
        self, request: HttpRequest, lifetime: Lifetime, run: Callable[..., Any]
    ) -> None:
        """Close *lifetime*, by way of *run*, when the last byte of the response was sent."""
        if not lifetime.entered:
            return
        if isinstance(request, (WSGIRequest, ASGIRequest)):
            _on_close(request, functools.partial(run, lifetime.close))
        else:  # one of Ninja's test clients, which never close a request
            _report(run(lifetime.close))


class AsyncGuard(Guard):
    """See `Guard`."""

    async def __call__(
        self, request: HttpRequest, path_params: dict[str, Any], response: HttpResponse
    ) -> Any:
        """See `Guard.__call__`."""
        lifetimes = Lifetimes()
        hop = Hop()
        resolution = self.prepare(request, path_params, response, lifetimes)
        try:
            arguments = self.valid(resolution, await resolution.aresolve(hop))
            result = self.view(request, **arguments)
            if self.operation.stream_format is None:
                result = self.respond(resolution, await result)
            if (error := await lifetimes.function.aclose(hop)) is not None:
                raise error
        except BaseException as error:
            if (final := await lifetimes.aunwind(hop, error)) is not error:
                raise final from final.__cause__
            raise
        await self.aclose_later(request, lifetimes.request, hop)
        return result

    async def aclose_later(self, request: HttpRequest, lifetime: Lifetime, hop: Hop) -> None:
        """See `Guard.close_later`."""
        if not lifetime.entered:
            return
        if isinstance(request, ASGIRequest):
            _on_close(request, functools.partial(_close_anywhere, lifetime, hop))
        else:  # under WSGI the loop ends with this call, and our coroutines with it
            _report(await lifetime.aclose(hop))


def _run_here(close: Callable[[], BaseException | None]) -> BaseException | None:
    """Stand for a context's ``run`` where the one at hand is the right one."""
    return close()


def _close_anywhere(lifetime: Lifetime, hop: Hop) -> BaseException | None:
    """Close what an async view opened, from its request's thread or from its loop."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return hop.context.run(lifetime.close)

    async def close() -> None:
        _report(await lifetime.aclose(hop))

    task = loop.create_task(close())
    _closing.add(task)
    task.add_done_callback(_closing.discard)
    return None


_closing: set[Any] = set()
"""Tasks that close a request; a loop itself keeps only weak references."""


def _on_close(request: HttpRequest, close: Callable[[], BaseException | None]) -> None:
    """Call *close* before the request's own, once."""
    previous = request.close

    def close_both() -> None:
        request.close = previous  # type: ignore[method-assign]
        try:
            _report(close())
        finally:
            previous()

    request.close = close_both  # type: ignore[method-assign]


def _report(error: BaseException | None) -> None:
    """Log what went wrong after the response was sent: there is nobody else to tell."""
    if error is None:
        return
    if not isinstance(error, Exception):
        raise error
    logger.error(
        "A dependable failed while it was closed, after the response was sent.",
        exc_info=error,
    )


def _passing_on(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the same kind as *view* that Ninja may write attributes on."""
    kind = kind_of(view)
    if kind is Kind.COROUTINE:

        @functools.wraps(view)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            return await view(*args, **kwargs)

        return acall
    if kind is Kind.ASYNC_GENERATOR:

        @functools.wraps(view)
        async def agenerate(*args: Any, **kwargs: Any) -> Any:
            async for item in view(*args, **kwargs):
                yield item

        return agenerate

    @functools.wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return call


def _check_request(root: Dependant) -> None:
    """Refuse a view whose first parameter would not take the request."""
    first = next(iter(root.dependable.parameters), None)
    if first and first in root.inputs[:1]:
        is_request = inspect.isclass(first.annotation) and issubclass(
            first.annotation, HttpRequest
        )
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
