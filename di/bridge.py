"""Async dependables under a sync view: the event loop they run on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, async_to_sync

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Loop:
    """One event loop in a thread of its own, started when first needed.

    An async generator must be closed on the loop that entered it, after the response was
    sent if need be, so the loop cannot end with the call that needed it.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew; what was known belongs to the parent of a fork."""
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        with self.lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                thread = threading.Thread(target=self.loop.run_forever, daemon=True)
                thread.name = "di-bridge"
                thread.start()
            return self.loop


_loop = _Loop()
# A fork copies the loop, but not the thread that runs it.
os.register_at_fork(after_in_child=_loop.forget)


def lasting_loop() -> asyncio.AbstractEventLoop:
    """Return the loop of our own, which runs until the process ends."""
    return _loop.get()


def is_lasting(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether *loop* is the one of our own."""
    return loop is _loop.loop


def bridged(function: Callable[_P, Awaitable[_T]]) -> Callable[_P, _T]:
    """Make *function* callable from a sync view.

    Under ASGI it runs on the server's loop, elsewhere on one of our own. Either way its
    thread-sensitive code, the ORM's included, runs in the calling thread: one connection.
    """

    async def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await function(*args, **kwargs)

    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with _main_loop():
            return async_to_sync(run)(*args, **kwargs)

    return call


@contextlib.contextmanager
def _main_loop() -> Iterator[None]:
    """Let asgiref find a loop that outlives this call, unless a server gave it one."""
    known = SyncToAsync.threadlocal
    before = getattr(known, "main_event_loop", None), getattr(known, "main_event_loop_pid", None)
    # asgiref forgets neither a loop that has ended nor, after a fork, the parent's.
    if before[0] is not None and before[0].is_running() and before[1] == os.getpid():
        yield
        return
    known.main_event_loop, known.main_event_loop_pid = _loop.get(), os.getpid()
    try:
        yield
    finally:
        known.main_event_loop, known.main_event_loop_pid = before
