"""The view of one operation, with everything that happens around it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
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
from di.inputs import Frame
from di.lifetimes import Hop, Lifetime, Lifetimes, run_apart
from di.resolver import Resolution
from di.signature import InjectedSignature

logger = logging.getLogger("di")


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
            result = self.respond(resolution, self.view(resolution.frame.request, **arguments))
            lifetimes.leave_function()
        except BaseException as error:
            if (final := lifetimes.unwind(error)) is not error:
                raise final  # noqa: B904 - it came from *error*, and says so itself
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
            await lifetimes.aleave_function(hop)
        except BaseException as error:
            if (final := await lifetimes.aunwind(hop, error)) is not error:
                raise final  # noqa: B904 - it came from *error*, and says so itself
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


def _merge(set_by_dependables: HttpResponse, response: HttpResponseBase) -> None:
    """Add headers and cookies to a view's own response, which wins on a clash."""
    for name, value in set_by_dependables.items():
        if name.lower() != "content-type":
            response.headers.setdefault(name, value)
    for name, morsel in set_by_dependables.cookies.items():
        if name not in response.cookies:
            response.cookies[name] = morsel


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
