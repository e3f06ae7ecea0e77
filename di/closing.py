"""The end of a request: when its last byte was sent, or its client is gone."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse

from di.background import BackgroundTasks
from di.bridge import bridged
from di.contexts import Hop, lead_here
from di.lifetimes import Lifetime

logger = logging.getLogger("di")


class Ending:
    """What is to be done at the end of one request, once: its tasks, and closing.

    It is made at the end of the view. The tasks run in the context of that moment, because
    middleware resets its context variables before the response is sent.

    Args:
        lifetime: the generators of scope "request".
        tasks: the background tasks of the request.
    """

    __slots__ = ("context", "is_done", "lifetime", "tasks")

    def __init__(self, lifetime: Lifetime, tasks: BackgroundTasks) -> None:
        self.context = contextvars.copy_context()
        self.lifetime = lifetime
        self.tasks = tasks
        self.is_done = False

    @property
    def is_async(self) -> bool:
        """Whether a generator has to be closed on an event loop."""
        return self.lifetime.is_async

    def close(self) -> None:
        """Do it after a success, from a sync caller."""
        if self.is_done:
            return
        self.is_done = True
        error = None
        if self.tasks.tasks:
            lead_here(self.context)
            error = self.context.run(self.tasks.run)
        self.tasks.is_over = True
        _report(self.lifetime.close(error))

    async def aclose(self, hop: Hop) -> None:
        """See `close`."""
        if self.is_done:
            return
        self.is_done = True
        error = None
        if self.tasks.tasks:
            lead_here(self.context)
            running = self.tasks.arun(Hop())
            error = await asyncio.create_task(running, context=self.context)
        self.tasks.is_over = True
        _report(await self.lifetime.aclose(hop, error))

    def close_anywhere(self, hop: Hop) -> None:
        """Do it for an async view, from its request's thread or from its loop."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if self.is_async:
                bridged(self.aclose)(hop)
            else:
                hop.context.run(self.close)
        else:
            task = loop.create_task(self.aclose(hop))
            _closing.add(task)
            task.add_done_callback(_closing.discard)

    def break_off(self, error: BaseException) -> BaseException:
        """Close because *error* broke off the response; return what comes out."""
        self.is_done = True
        return self.lifetime.close(error) or error

    async def abreak_off(self, hop: Hop, error: BaseException) -> BaseException:
        """See `break_off`."""
        self.is_done = True
        return await self.lifetime.aclose(hop, error) or error


_closing: set[asyncio.Task[None]] = set()
"""Tasks that close a request; a loop itself keeps only weak references."""


def _report(error: BaseException | None) -> None:
    """Log what went wrong: the client has its response, there is nobody else to tell."""
    if error is None:
        return
    if not isinstance(error, Exception):
        raise error
    logger.error("A request failed after the response was sent.", exc_info=error)


def call_at_end(request: HttpRequest, close: Callable[[], None]) -> None:
    """Call *close* when the last byte of the answer to *request* was sent.

    Django then closes the request, before anything else of it. If the client of an ASGI
    server is gone before there is a response, it does not; it says that a request has
    finished, though, in what asgiref keeps for one request.
    """
    previous = request.close

    def close_both() -> None:
        request.close = previous  # type: ignore[method-assign]
        try:
            close()
        finally:
            previous()

    request.close = close_both  # type: ignore[method-assign]
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is not None:
        _unclosed.setdefault(context, []).append(close)


_unclosed: WeakKeyDictionary[ThreadSensitiveContext, list[Callable[[], None]]] = WeakKeyDictionary()


def has_unclosed() -> bool:
    """Return True if the end of the current request has left something open."""
    return SyncToAsync.thread_sensitive_context.get(None) in _unclosed


def close_unclosed(**_: Any) -> None:
    """Close what the end of the current request has left open."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    waiting = _unclosed.pop(context, None) if context is not None else None
    if waiting:
        for close in reversed(waiting):
            close()
        close_old_connections()  # Django has done so, but what was closed may have asked


request_finished.connect(close_unclosed, dispatch_uid="di.closing")


BreakOff = Callable[[BaseException], BaseException]
"""Closes what is open with an exception, and returns the one that comes out."""

ABreakOff = Callable[[BaseException], Awaitable[BaseException]]
"""See `BreakOff`."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What a view streams, on its way to Ninja, and what is to be done if it breaks off."""

    content: Any
    break_off: BreakOff | ABreakOff


def watch_stream(
    response: HttpResponseBase, break_off: BreakOff | ABreakOff, source: Any = None
) -> None:
    """Let *break_off* see what breaks off *response* while it is streamed.

    Under ASGI nobody else would: Django does not close such a response. If the client
    leaves, *source*, the view's generator that Ninja reads, ends before the request does.
    """
    if not isinstance(response, StreamingHttpResponse) or isinstance(response, FileResponse):
        return
    content: Any = response.streaming_content
    watched: Any = _awatched if response.is_async else _watched
    response.streaming_content = watched(content, break_off, source)


def _watched(content: Iterator[bytes], break_off: BreakOff, source: Any) -> Iterator[bytes]:
    try:
        try:
            yield from content
        finally:
            if source is not None:
                source.close()
    except Exception as error:
        if (final := break_off(error)) is error:
            raise
    else:
        return
    raise final  # not above, where *error* would become its context again


async def _awatched(
    content: AsyncIterator[bytes], break_off: ABreakOff, source: Any
) -> AsyncIterator[bytes]:
    """See `_watched`. The client may leave while a part is waited for."""
    try:
        try:
            async for part in content:
                yield part
        finally:
            if source is not None:
                await source.aclose()
    except (Exception, asyncio.CancelledError) as error:
        if (final := await break_off(error)) is error:
            raise
    else:
        return
    raise final
