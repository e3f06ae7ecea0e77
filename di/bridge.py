"""Async dependables under a sync view: the event loop they run on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import ParamSpec, TypeVar

from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync

from di.exceptions import GreenThreadsError

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
        _refuse_green_threads()
        with self.lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                thread = threading.Thread(target=self.loop.run_forever, daemon=True)
                thread.name = "di-bridge"
                thread.start()
            return self.loop


def _refuse_green_threads() -> None:
    """Refuse to start a loop as a greenlet: asyncio would take each request for its own thread.

    Raises:
        GreenThreadsError: gevent or eventlet has put greenlets in the place of threads.
    """
    for name, is_patched, patched in _PATCHERS:
        patcher = sys.modules.get(name)
        if patcher is not None and getattr(patcher, is_patched)(patched):
            library = name.partition(".")[0]
            problem = (
                f"{library} has made greenlets of all threads, so no thread is left for the event"
                " loop that async code below sync code needs."
            )
            hint = "Serve with threads, as in gunicorn --worker-class gthread, or under ASGI."
            raise GreenThreadsError(problem, hint=hint)


_PATCHERS = (
    ("gevent.monkey", "is_module_patched", "threading"),
    ("eventlet.patcher", "is_monkey_patched", "thread"),
)
"""Modules that patch threads, the function of each that tells, and its argument."""

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
    is_running = before[0] is not None and before[0].is_running() and before[1] == os.getpid()
    # A loop that asgiref made for one call, of an async view below WSGI, ends with that call.
    if is_running and before[0] not in AsyncToSync.loop_thread_executors:
        yield
        return
    known.main_event_loop, known.main_event_loop_pid = _loop.get(), os.getpid()
    try:
        yield
    finally:
        known.main_event_loop, known.main_event_loop_pid = before
