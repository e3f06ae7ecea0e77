"""The Ninja operation whose view has dependencies, and `inject`, which makes it one."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja.compatibility.files import FIX_MIDDLEWARE_PATH, need_to_fix_request_files
from ninja.errors import ConfigError
from ninja.operation import AsyncOperation, Operation
from ninja.params.models import ParamModel
from ninja.signature.utils import get_path_param_names

from di.annotations import show_signature
from di.closing import Stream, watch_stream
from di.declared import markers_of
from di.exceptions import NotInjectedError
from di.guard import AsyncGuard, Guard
from di.inspection import INJECTED, WRAPPER, Kind, kind_of
from di.markers import Marker
from di.signature import InjectedSignature, Injection
from di.source import names_in

_View = TypeVar("_View", bound=Callable[..., Any])


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
        contributors.remove(_Contribution(known))
    contributors.append(_Contribution(injection))
    wrapper = _passing_on(view)
    wrapper._ninja_contribute_to_operation = contributors  # type: ignore[attr-defined]  # noqa: SLF001 - Ninja's hook
    wrapper.__signature__ = injection.stand_in_signature()  # type: ignore[attr-defined]
    setattr(wrapper, INJECTED, injection)
    setattr(wrapper, WRAPPER, wrapper)
    return cast("_View", wrapper)


def injection_of(view: Callable[..., Any]) -> Injection | None:
    """Return what `inject` noted on *view*, also through decorators above it."""
    return getattr(view, INJECTED, None)


@dataclass(frozen=True, slots=True)
class _Contribution:
    """What Ninja calls with the operation that it has just created for a view."""

    injection: Injection

    def __call__(self, operation: Operation) -> None:
        install(operation, self.injection)


def install(operation: Operation, injection: Injection, inherited: Sequence[Marker] = ()) -> None:
    """Make *operation* resolve *injection*, after *inherited* dependencies.

    Raises:
        NotInjectedError: the operation does not run views as Ninja does.
    """
    _require_run_of_ninja(operation, injection)
    operation.signature = InjectedSignature(operation, injection, inherited, operation.path)
    operation.__class__ = _injecting(type(operation))  # type: ignore[arg-type]
    if need_to_fix_request_files(operation.methods, operation.models):
        message = (
            f"{operation.path!r} with {operation.methods} takes files: add"
            f" {FIX_MIDDLEWARE_PATH!r} to MIDDLEWARE."
        )
        raise ConfigError(message)


def _require_run_of_ninja(operation: Operation, injection: Injection) -> None:
    """Refuse an operation whose class replaces ``run`` without calling Ninja's own steps.

    Such a class never asks `InjectedMixin` for the arguments of its view: ninja_extra's
    operations read the models of the signature by themselves.
    """
    cls = type(operation)
    code = getattr(inspect.unwrap(cls.run), "__code__", None)
    if code is None or not names_in(code).isdisjoint({"run", "_get_values"}):
        return
    problem = (
        f"{cls.__module__}.{cls.__qualname__} runs views in its own way, so nothing would"
        " resolve the dependencies of this one."
    )
    hint = 'Write it as a function on a di.Router: api.add_router("/prefix", router).'
    raise NotInjectedError(problem, path=[(None, injection.view)], hint=hint)


def inherit(operation: Operation, dependencies: Sequence[Marker]) -> None:
    """Add *dependencies* of an API, a mount or a router to *operation*, bound to it."""
    signature = operation.signature
    if isinstance(signature, InjectedSignature):
        install(operation, signature.injection, (*signature.inherited, *dependencies))
    else:
        install(operation, Injection(signature.view_func, ()), dependencies)


class InjectedMixin(Operation):
    """An operation that leaves the work between checks and answer to a `Guard`.

    Ninja's own ``run`` stays as it is: it asks `_get_values` for arguments, passes them
    to ``view_func``, and sends on the response that it gets back.
    """

    @property
    def models(self) -> list[type[ParamModel]]:
        """What the document shows; Ninja asks for it when all is mounted."""
        self.settle()
        return self.signature.models

    @models.setter
    def models(self, models: list[type[ParamModel]]) -> None:
        """Leave them where they are: Ninja's copies have the signature too."""

    def settle(self) -> None:
        """Read again which parameters are in the path, now with the prefix of the mount."""
        signature = cast("InjectedSignature", self.signature)
        mounted = _mounted_path(self) or self.path
        if get_path_param_names(mounted) != get_path_param_names(signature.path):
            injection, inherited = signature.injection, signature.inherited
            self.signature = InjectedSignature(self, injection, inherited, mounted)

    def _get_values(
        self,
        request: HttpRequest,  # noqa: ARG002 - Ninja's signature
        path_params: Any,
        temporal_response: HttpResponse,
    ) -> dict[str, Any]:
        # Decorators of the API wrap view_func when it is bound, so the guard comes last.
        if not isinstance(self.view_func, Guard):
            with _lock:
                if not isinstance(self.view_func, Guard):  # pragma: no branch - another thread
                    self.settle()
                    self.view_func = (AsyncGuard if self.is_async else Guard)(self)
        return {"path_params": path_params, "response": temporal_response}

    def _stream_response(
        self, request: HttpRequest, generator: Any, temporal_response: HttpResponse
    ) -> Any:
        content = generator.content if isinstance(generator, Stream) else generator
        response = super()._stream_response(request, content, temporal_response)
        return _started(response, generator, temporal_response)


class AsyncInjectedMixin(InjectedMixin, AsyncOperation):
    """See `InjectedMixin`."""

    async def _async_stream_response(
        self, request: HttpRequest, generator: Any, temporal_response: HttpResponse
    ) -> Any:
        # What Ninja takes for the view's generator is the guard's coroutine.
        stream = await generator
        content = stream.content if isinstance(stream, Stream) else stream
        response = await super()._async_stream_response(request, content, temporal_response)
        return _started(response, stream, temporal_response)


def _started(
    response: StreamingHttpResponse, stream: Any, set_by_dependables: HttpResponse
) -> StreamingHttpResponse:
    """Return *response*, ready for its first byte.

    Ninja adds headers and cookies after the last item, when they have long been sent.
    """
    for name, value in set_by_dependables.items():
        if name.lower() != "content-type":
            response[name] = value
    response.cookies.update(set_by_dependables.cookies)
    if isinstance(stream, Stream):
        watch_stream(response, stream.break_off, stream.content)
    return response


def _mounted_path(operation: Operation) -> str | None:
    """Return the whole path of *operation* within its API, None before it is bound."""
    for bound in getattr(operation.api, "_bound_routers_cache", None) or ():
        for path, path_view in bound.path_operations.items():
            if operation in path_view.operations:
                return f"{bound.prefix}/{path}"
    return None


_lock = threading.Lock()


@functools.cache
def _injecting(operation_class: Any) -> Any:
    """Return the class of an operation like *operation_class* that injects."""
    if issubclass(operation_class, InjectedMixin):
        return operation_class
    is_async = issubclass(operation_class, AsyncOperation)
    mixin = AsyncInjectedMixin if is_async else InjectedMixin
    return type(f"Injected{operation_class.__name__}", (mixin, operation_class), {})


def _passing_on(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the same kind as *view* that Ninja may write attributes on.

    It claims the first lines of *view* as its own, since Ninja's warnings name the file of
    what it was given beside the line of what that wraps. So these lines here seem never to
    run.
    """
    kind = kind_of(view)
    checked = _arguments_check(view)
    call: Callable[..., Any]
    if kind is Kind.COROUTINE:

        async def call(*args: Any, **kwargs: Any) -> Any:  # pragma: no cover - see above
            return await view(*args, **checked(args, kwargs))

    elif kind is Kind.ASYNC_GENERATOR:

        async def call(*args: Any, **kwargs: Any) -> Any:  # pragma: no cover - see above
            async for item in view(*args, **checked(args, kwargs)):
                yield item

    else:

        def call(*args: Any, **kwargs: Any) -> Any:  # pragma: no cover - see above
            return view(*args, **checked(args, kwargs))

    if code := getattr(inspect.unwrap(view), "__code__", None):
        call.__code__ = call.__code__.replace(
            co_filename=code.co_filename, co_firstlineno=code.co_firstlineno
        )
    return functools.wraps(view)(call)


def _arguments_check(
    view: Callable[..., Any],
) -> Callable[[Sequence[Any], Mapping[str, Any]], Mapping[str, Any]]:
    """Return what hands on the *kwargs* of a call, unless a marker would be its own value."""
    injected = {name for name, _ in markers_of(view)}

    def checked(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
        if injected <= kwargs.keys():
            return kwargs
        passed = show_signature(view).bind_partial(*args, **kwargs).arguments
        if missing := sorted(injected - passed.keys()):
            problem = f"The view was called without its dependency {missing[0]!r}."
            hint = (
                "Let a route decorator of Ninja call it, directly above @inject or through"
                " decorators written with functools.wraps, or pass a value yourself."
            )
            raise NotInjectedError(problem, path=[(None, view)], hint=hint)
        return kwargs

    return checked
