"""The view of one operation, with everything that happens around it."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Status
from ninja.operation import Operation

from di import overrides
from di.closing import ABreakOff, BreakOff, Ending, Stream, call_at_end, watch_stream
from di.contexts import Hop, run_apart, without_stop_iteration
from di.inputs import Frame
from di.lifetimes import Lifetimes
from di.resolver import Resolution
from di.signature import InjectedSignature


class Guard:
    """Stands in an operation for its view.

    It resolves the dependencies, calls the view (with the decorators that its API and
    routers put round it), has Ninja build the response, and closes what must be closed.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.signature = cast("InjectedSignature", operation.signature)
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
            return self.end_later(resolution, result, context.run)
        return self.end_later(resolution, self.answer(resolution), _run_here)

    @without_stop_iteration
    def answer(self, resolution: Resolution[Frame]) -> Any:
        """Resolve, call the view, build the response, close the function scope."""
        lifetimes = resolution.lifetimes
        try:
            arguments = self.valid(resolution, resolution.resolve())
            result = self.respond(resolution, self.view(resolution.frame.request, **arguments))
            lifetimes.leave_function()
        except BaseException as error:
            if (final := lifetimes.unwind(error)) is error:
                raise
        else:
            return result
        raise final  # not above, where *error* would become its context again

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
        compiled = self.signature.compiled_for(stand_ins)
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
        asked = frame.response.status_code
        response = self.operation._result_to_response(frame.request, result, frame.response)  # noqa: SLF001 - the step of Ninja's own run that belongs inside the lifetimes
        if response is not frame.response:
            _merge(frame.response, response)
        elif asked != HTTPStatus.OK and not isinstance(result, Status):
            response.status_code = asked  # a dependable, or the view itself, has set it
            if asked in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
                frame.response.content = b""
        frame.outcome.status_code = response.status_code
        return response

    def end_later(self, resolution: Resolution[Frame], result: Any, run: Callable[..., Any]) -> Any:
        """Return *result*; what must wait for its last byte is then done, by way of *run*."""
        ending = self.ending(resolution)
        if not ending.is_needed:
            return result
        request = resolution.frame.request
        if isinstance(request, (WSGIRequest, ASGIRequest)):
            call_at_end(request, functools.partial(run, ending.close))
            return self.watched(result, functools.partial(run, ending.break_off))
        ending.close()  # one of Ninja's test clients, which never close a request
        return result

    def ending(self, resolution: Resolution[Frame]) -> Ending:
        """Return what is left to be done after the response."""
        return Ending(resolution.lifetimes.request, resolution.frame.background)

    def watched(self, result: Any, break_off: BreakOff | ABreakOff) -> Any:
        """Return *result*; if it is a stream, *break_off* hears of its failure."""
        if self.operation.stream_format is not None:
            return Stream(result, break_off)
        watch_stream(result, break_off)
        return result


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
            await lifetimes.aleave_function(hop)
        except BaseException as error:
            if (final := await lifetimes.aunwind(hop, error)) is error:
                raise
        else:
            return await self.aend_later(resolution, result, hop)
        raise final  # not above, where *error* would become its context again

    async def aend_later(self, resolution: Resolution[Frame], result: Any, hop: Hop) -> Any:
        """See `Guard.end_later`."""
        ending = self.ending(resolution)
        if not ending.is_needed:
            return result
        request = resolution.frame.request
        is_wsgi = isinstance(request, WSGIRequest)
        if not isinstance(request, ASGIRequest) and (ending.is_async or not is_wsgi):
            # Under WSGI the loop ends with this call, and async generators with it.
            await ending.aclose(hop)
            return result
        call_at_end(request, functools.partial(ending.close_anywhere, hop))
        return self.watched(result, functools.partial(ending.abreak_off, hop))


def _merge(set_by_dependables: HttpResponse, response: HttpResponseBase) -> None:
    """Add headers and cookies to a view's own response, which wins on a clash."""
    for name, value in set_by_dependables.items():
        if name.lower() != "content-type":
            response.headers.setdefault(name, value)
    for name, morsel in set_by_dependables.cookies.items():
        if name not in response.cookies:
            response.cookies[name] = morsel


def _run_here(function: Callable[..., Any], *args: Any) -> Any:
    """Stand for a context's ``run`` where the one at hand is the right one."""
    return function(*args)
