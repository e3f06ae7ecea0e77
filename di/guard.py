"""The view of one operation, with everything that happens around it."""

from __future__ import annotations

import contextvars
import functools
import inspect
import warnings
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Status
from ninja.constants import NOT_SET
from ninja.operation import Operation
from pydantic import BaseModel

from di import overrides
from di.closing import ABreakOff, BreakOff, Ending, Stream, call_at_end, watch_stream
from di.contexts import Hop, on_lasting_loop, run_apart
from di.frame import Frame
from di.inspection import WRAPPER
from di.lifetimes import Lifetime
from di.signature import Compiled, InjectedSignature


class Guard:
    """Stands in an operation for its view.

    It resolves the dependencies, calls the view (with the decorators that its API and
    routers put round it), has Ninja build the response, and closes what must be closed.
    """

    _depth = 4
    """The frames from `respond` up to Ninja's run, which its own warnings name."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.signature = cast("InjectedSignature", operation.signature)
        self.view = _bare(operation.view_func)
        functools.update_wrapper(self, operation.view_func)

    def __call__(
        self, request: HttpRequest, path_params: dict[str, Any], response: HttpResponse
    ) -> Any:
        """Answer *request*, or raise what Ninja turns into the answer."""
        compiled, frame = self.prepare(request, path_params, response)
        run: Callable[..., Any] = _run_here
        try:
            if compiled.plan.outlives_view and isinstance(request, ASGIRequest):
                # What is entered in this hop to the request's thread is closed in another,
                # and must find the same context there.
                context = contextvars.copy_context()
                run = context.run
                result = run_apart(context, compiled.resolve, frame, self.view, self.respond)
            else:
                result = compiled.resolve(frame, self.view, self.respond)
        except StopIteration as stop:
            # No future can hold one: who waits for this thread would wait for ever.
            message = "A view or a dependable raised StopIteration."
            raise RuntimeError(message) from stop
        _merge(frame.response, result)
        return self.end_later(frame, result, run)

    def prepare(
        self, request: HttpRequest, path_params: dict[str, Any], response: HttpResponse
    ) -> tuple[Compiled, Frame]:
        """Choose the plan for *request*, with the overrides that hold at its start."""
        api = self.operation.api
        stand_ins = overrides.current(getattr(api, "dependency_overrides", None))
        compiled = self.signature.compiled_for(stand_ins)
        return compiled, Frame(request, response, api, path_params)

    def respond(self, frame: Frame, result: Any) -> Any:
        """Build the response to *result*; a stream is built by Ninja afterwards."""
        if self.operation.stream_format is not None:
            return result
        # Until a dependable or the view sets a status, Django's default is the class's only.
        asked = vars(frame.response).get("status_code")
        if isinstance(result, tuple) and len(result) == 2:  # noqa: PLR2004 - a pair
            warnings.warn(_PAIR, DeprecationWarning, stacklevel=self._depth)
            result = Status(*result)
        response = self.build(frame, result)
        if response is frame.response and asked is not None and not isinstance(result, Status):
            response.status_code = asked
            if asked in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
                frame.response.content = b""
        frame.settle(response.status_code)
        return response

    def build(self, frame: Frame, result: Any) -> HttpResponseBase:
        """Have Ninja build the response, but of what is declared in it only."""
        operation = self.operation
        models = operation.response_models
        status = next(iter(models)) if len(models) == 1 else 200
        value = result
        if isinstance(result, Status):
            status, value = result.status_code, result.value
        model = _declared(operation, status, value)
        if model is None:
            return operation._result_to_response(frame.request, result, frame.response)  # noqa: SLF001 - the step of Ninja's own run that belongs inside the lifetimes
        frame.response.status_code = status
        content = model.model_construct(response=value).model_dump(
            by_alias=operation.by_alias,
            exclude_unset=operation.exclude_unset,
            exclude_defaults=operation.exclude_defaults,
            exclude_none=operation.exclude_none,
            context={"request": frame.request, "response_status": status},
        )
        return operation.api.create_response(
            frame.request, content["response"], temporal_response=frame.response
        )

    def end_later(self, frame: Frame, result: Any, run: Callable[..., Any]) -> Any:
        """Return *result*; what must wait for its last byte is then done, by way of *run*."""
        ending = _ending(frame)
        if ending is None:
            return result
        if isinstance(frame.request, (WSGIRequest, ASGIRequest)):
            call_at_end(frame.request, functools.partial(run, ending.close))
            return self.watched(result, functools.partial(run, ending.break_off))
        ending.close()  # one of Ninja's test clients, which never close a request
        return result

    def watched(self, result: Any, break_off: BreakOff | ABreakOff) -> Any:
        """Return *result*; if it is a stream, *break_off* hears of its failure."""
        if self.operation.stream_format is not None:
            return Stream(result, break_off)
        watch_stream(result, break_off)
        return result


class AsyncGuard(Guard):
    """See `Guard`."""

    _depth = 5

    async def __call__(
        self, request: HttpRequest, path_params: dict[str, Any], response: HttpResponse
    ) -> Any:
        """See `Guard.__call__`."""
        compiled, frame = self.prepare(request, path_params, response)
        if compiled.uses_app_loop:
            return await on_lasting_loop(self.answer, compiled, frame)
        return await self.answer(compiled, frame)

    async def answer(self, compiled: Compiled, frame: Frame) -> Any:
        """Resolve the dependencies and call the view; see `Guard.__call__`."""
        request = frame.request
        result = await compiled.resolve(frame, self.view, self.respond)
        _merge(frame.response, result)
        ending = _ending(frame)
        if ending is None:
            return result
        hop = frame.hop or Hop()
        is_wsgi = isinstance(request, WSGIRequest)
        if not isinstance(request, ASGIRequest) and (ending.is_async or not is_wsgi):
            # Under WSGI the loop ends with this call, and async generators with it.
            await ending.aclose(hop)
            return result
        call_at_end(request, functools.partial(ending.close_anywhere, hop))
        return self.watched(result, functools.partial(ending.abreak_off, hop))


def _bare(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return *view* without the outermost wrappers of `inject`.

    The resolver passes every argument, so it needs none of their checks, and tracebacks have
    the user's functions only.
    """
    while getattr(view, WRAPPER, None) is view:
        view = view.__wrapped__
    return view


_PAIR = (
    "Returning tuple (status_code, response) is deprecated."
    " Use Status(status_code, response) instead."
)
"""Ninja's own warning; what it deprecates becomes a `Status` here before it sees it."""


def _ending(frame: Frame) -> Ending | None:
    """Return what is left to be done after the response, None if it is nothing."""
    if frame.left is None and (frame.tasks is None or not frame.tasks.tasks):
        return None
    return Ending(frame.left or Lifetime([], frame), frame.background)


def _declared(operation: Operation, status: Any, value: Any) -> Any:
    """Return Ninja's model of the response, if *value* may have fields that it does not declare.

    Ninja sends an instance of a subclass as it is, with all fields that it has in addition:
    the password's hash of a UserInDB that is a User.
    """
    if not isinstance(value, BaseModel):
        return None
    models = operation.response_models
    model = models.get(status, models.get(Ellipsis))
    if model is None or model is NOT_SET:
        return None
    declared = model.model_fields["response"].annotation
    is_more = inspect.isclass(declared) and isinstance(value, declared)
    return model if is_more and type(value) is not declared else None


def _merge(set_by_dependables: HttpResponse, response: Any) -> None:
    """Add headers and cookies to a view's own response, which wins on a clash.

    This waits until function-scope generators are closed, because they may set some, too.
    """
    if response is set_by_dependables or not isinstance(response, HttpResponseBase):
        return
    for name, value in set_by_dependables.items():
        if name.lower() != "content-type":
            response.headers.setdefault(name, value)
    for name, morsel in set_by_dependables.cookies.items():
        if name not in response.cookies:
            response.cookies[name] = morsel


def _run_here(function: Callable[..., Any], *args: Any) -> Any:
    """Stand for a context's ``run`` where the one at hand is the right one."""
    return function(*args)
