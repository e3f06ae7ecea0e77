"""Django's ASGI application, without the threads that most requests do not need."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core.cache import caches, close_caches
from django.core.cache.backends.base import BaseCache
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.dispatch import Signal
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix, set_urlconf
from django.utils.log import log_response

from di.app_scope import app_scope
from di.closing import close_unclosed, has_unclosed
from di.request_threads import RequestThread, RequestThreads

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_SECONDS_TO_END = 10
"""How long the end of the server waits for requests."""

_MOST_THREADS = min(32, (os.cpu_count() or 1) + 4)

_KNOWN_RECEIVERS = frozenset(
    {reset_queries, close_old_connections, close_caches, reset_urlconf, close_unclosed}
)
"""Receivers of Django's two signals that need the request's thread only if it was used."""


class Handler(ASGIHandler):
    """Django's handler of ASGI requests, which makes no thread for a view that needs none.

    Django makes a thread for each request, goes there three times, and throws it away with
    its database connections: to call the receivers of its signals, and to close the
    response. Here a request borrows its thread when sync code first needs one, and the
    receivers are called there as long as Django's own are the only ones.

    Args:
        threads: how many requests may have a thread before others wait for one.

    Attributes:
        threads: the pool. Handlers of one process share it, unless they are given a number.
    """

    threads = RequestThreads(_MOST_THREADS)

    def __init__(self, threads: int | None = None) -> None:
        super().__init__()
        if threads is not None:
            self.threads = RequestThreads(threads)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            ValueError: *scope* is not of HTTP.
        """
        if scope["type"] != "http":
            message = f"Django can only handle ASGI/HTTP connections, not {scope['type']}."
            raise ValueError(message)
        with _request_thread(self.threads):
            await self.handle(scope, receive, send)

    async def handle(self, scope: Any, receive: Receive, send: Send) -> None:
        """Read one request and answer it."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            set_script_prefix(get_script_prefix(scope))
            if self.has_other_receivers(request_started):
                await request_started.asend(sender=type(self), scope=scope)
            request, refusal = self.create_request(scope, body)
            if refusal is not None:
                await self.send_response(refusal, send)
                await self.close(refusal)
            elif request is not None:  # pragma: no branch - Django makes one of the two
                await _Exchange(self, request, receive, send).carry_out()
        finally:
            body.close()

    async def read_body(self, receive: Receive) -> Any:
        """Return the body as a file: in memory if the body is short and in one piece."""
        message = await receive()
        body = message.get("body", b"")
        is_whole = message["type"] == "http.request" and not message.get("more_body", False)
        if is_whole and len(body) <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
            return io.BytesIO(body)
        messages = [message]

        async def receive_all() -> Any:
            return messages.pop() if messages else await receive()

        return await super().read_body(receive_all)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response to *request*, and log an error response."""
        set_urlconf(settings.ROOT_URLCONF)
        response: HttpResponseBase = await self._middleware_chain(request)  # type: ignore[attr-defined]
        response._resource_closers.append(request.close)  # type: ignore[attr-defined]  # noqa: SLF001 - as Django does
        if response.status_code >= 400:  # noqa: PLR2004 - HTTP's own number
            await _log(request, response)
        return response

    async def close(self, response: HttpResponseBase) -> None:
        """Close *response*, in the request's thread if closing may block."""
        if _closes_at_once(response) and not self.has_other_receivers(request_finished):
            response.close()
        else:
            await sync_to_async(response.close)()

    async def finish(self) -> None:
        """Tell the receivers that a request has ended without a response.

        Its sync view may still be running in its thread, and may open something there.
        """
        if _drop_waiting_calls() or has_unclosed() or self.has_other_receivers(request_finished):
            await request_finished.asend(sender=type(self))

    def has_other_receivers(self, signal: Signal) -> bool:
        """Return True if *signal* has receivers beside those that are always there."""
        for receivers in signal._live_receivers(type(self)):  # noqa: SLF001 - Django has no other way to ask
            if not _KNOWN_RECEIVERS.issuperset(receivers):
                return True
        return False


class _Exchange:
    """One request and its response.

    The view has a task of its own, as under Django, because a client that disconnects
    cancels it, and because its context variables are not for the server's next request.
    """

    def __init__(
        self, handler: Handler, request: ASGIRequest, receive: Receive, send: Send
    ) -> None:
        self.handler = handler
        self.request = request
        self.receive = receive
        self.send = send
        self.is_sent = False

    async def carry_out(self) -> None:
        """Answer and close the request; stop answering if the client disconnects."""
        answering = asyncio.create_task(self.answer())
        try:
            await asyncio.sleep(0)
            if not answering.done():  # a view that waits for nothing is done by now
                await self.listen_during(answering)
        except BaseException:
            answering.cancel()
            await asyncio.wait([answering])
            raise
        if not answering.cancelled():
            answering.result()

    async def answer(self) -> None:
        """Get the response, send it, and close it however far that came."""
        response: HttpResponseBase | None = None
        try:
            response = await self.handler.run_get_response(self.request)
            await self.handler.send_response(response, self.send)
        finally:
            self.is_sent = True
            if response is None:
                await self.handler.finish()
            else:
                await self.handler.close(response)

    async def listen_during(self, answering: asyncio.Task[None]) -> None:
        """Wait for the end of *answering*, and cancel it if the client disconnects before."""
        listening = asyncio.create_task(self.handler.listen_for_disconnect(self.receive))
        try:
            await asyncio.wait([listening, answering], return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() and not self.is_sent:
                answering.cancel()
            await asyncio.wait([answering])
        finally:
            listening.cancel()
            await asyncio.wait([listening])
        if not listening.cancelled() and not isinstance(listening.exception(), RequestAborted):
            listening.result()


@contextmanager
def _request_thread(threads: RequestThreads) -> Iterator[None]:
    """Let asgiref run the sync code of one request in a thread of *threads*."""
    context = ThreadSensitiveContext()
    thread = RequestThread(threads)
    SyncToAsync.context_to_thread_executor[context] = thread
    token = SyncToAsync.thread_sensitive_context.set(context)
    try:
        yield
    finally:
        SyncToAsync.thread_sensitive_context.reset(token)
        # A task that outlives its request gets a thread of its own, as under Django.
        SyncToAsync.context_to_thread_executor.pop(context, None)
        thread.end()


def _drop_waiting_calls() -> bool:
    """Let no sync code of the current request begin; return True if some has begun already."""
    context = SyncToAsync.thread_sensitive_context.get()
    thread = SyncToAsync.context_to_thread_executor.get(context)
    return isinstance(thread, RequestThread) and thread.drop_waiting()


def _closes_at_once(response: HttpResponseBase) -> bool:
    """Return True if closing *response* waits for nothing: no files, streams or caches."""
    closers = response._resource_closers  # type: ignore[attr-defined]  # noqa: SLF001 - see `Handler.get_response_async`
    open_caches = caches.all(initialized_only=True)
    if len(closers) > 1 or any(type(one).close is not BaseCache.close for one in open_caches):
        return False
    return all(_is_plain(getattr(closer, "__self__", None)) for closer in closers)


def _is_plain(request: object) -> bool:
    """Return True if *request* has nothing to close but a body in memory."""
    return (
        isinstance(request, ASGIRequest)
        and isinstance(request._stream, io.BytesIO)  # noqa: SLF001 - no other name
        and "_files" not in vars(request)
    )


async def _log(request: HttpRequest, response: Any) -> None:
    def log() -> None:
        log_response(
            "%s: %s", response.reason_phrase, request.path, response=response, request=request
        )

    if response.status_code < 500:  # noqa: PLR2004 - HTTP's own number
        log()
    else:
        await sync_to_async(log, thread_sensitive=False)()  # it may send a mail


class Application:
    """Answers requests with *handler*, and follows the server's start and end.

    Django knows nothing of the second (ASGI, Lifespan 2.0). When the server ends, the
    application waits for the requests in flight and closes scope "app", on the loop on which
    both were begun. Elsewhere it would be too late: uvicorn ends by the signal that it was
    sent, and granian stops the loop when the last byte was sent.
    """

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.in_flight: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server from its start to its end."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        end = asyncio.get_running_loop().create_future()
        self.in_flight.add(end)
        try:
            await self.handler(scope, receive, send)
        finally:
            self.in_flight.discard(end)
            end.set_result(None)

    async def live(self, receive: Receive, send: Send) -> None:
        """Wait for the end of the server, and close what is open."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self.in_flight:
            await asyncio.wait(self.in_flight, timeout=_SECONDS_TO_END)
        # From a thread, because async values are closed on this loop.
        await asyncio.to_thread(app_scope.close)
        self.handler.threads.close()
        await send({"type": "lifespan.shutdown.complete"})


def get_asgi_application(*, threads: int | None = None) -> Application:
    """Set Django up and return its application; see `Handler` and `Application`.

    Args:
        threads: how many requests may have a thread at once before others wait for one;
            four more than the machine has cores by default, and at most 32.
    """
    django.setup(set_prefix=False)
    return Application(Handler(threads))
