"""Threads for the sync code of ASGI requests, used again from request to request."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.db import close_old_connections, connections, reset_queries

logger = logging.getLogger("di")

_P = ParamSpec("_P")
_T = TypeVar("_T")

_SECONDS_TO_GROW = 0.2
"""How long no thread comes back before a waiting request gets one beyond the limit."""


class RequestThreads:
    """A pool of threads. One request has a thread at a time, with its database connections.

    Django makes a thread for each request and throws it away, and the thread's connections
    with it. Here both stay: `CONN_MAX_AGE` and `CONN_HEALTH_CHECKS` decide about the
    connections, as they do under WSGI.

    Args:
        most: threads in use before a request has to wait for one. If none of them comes back
            for `_SECONDS_TO_GROW`, one request gets a thread beyond them, because those
            before it may hold theirs as long as a stream lasts, or may wait for this one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.idle: list[ThreadPoolExecutor] = []
        self.in_use = 0
        self.waiting: deque[RequestThread] = deque()
        self.turns = 0

    def lend_to(self, request: RequestThread) -> None:
        """Give *request* a thread, or let it wait for one; the caller has the lock."""
        if self.in_use < self.most:
            self._lend_to(request)
        else:
            self.waiting.append(request)
            self._watch_over(request)

    def take_back(self, thread: ThreadPoolExecutor) -> None:
        """Take *thread* back as soon as it has done all that its request asked of it.

        The request may have been cancelled while the thread was at work. The connections
        that are past their lifetime are closed in the thread, because only there they are
        known.
        """
        closing = thread.submit(_close_old_connections)
        closing.add_done_callback(lambda _: self._take_back(thread))

    def close(self) -> None:
        """Close the connections of the threads that no request has, and end these threads."""
        with self.lock:
            threads, self.idle = self.idle, []
        for thread in threads:
            _retire(thread)

    def _take_back(self, thread: ThreadPoolExecutor) -> None:
        with self.lock:
            self.turns += 1
            if self.waiting and self.in_use <= self.most:
                self.waiting.popleft().begin(thread)
                return
            self.in_use -= 1
            if self.in_use + len(self.idle) < self.most:
                self.idle.append(thread)
                return
        _retire(thread)

    def _lend_to(self, request: RequestThread) -> None:
        self.in_use += 1
        if self.idle:
            thread = self.idle.pop()
        else:
            thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="di-request")
        request.begin(thread)

    def _watch_over(self, request: RequestThread) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_SECONDS_TO_GROW, self._grow, request, self.turns)

    def _grow(self, request: RequestThread, turns: int) -> None:
        with self.lock:
            if request not in self.waiting:
                return
            if self.turns == turns:
                self.turns += 1
                self._lend_to(self.waiting.popleft())
            if request in self.waiting:
                self._watch_over(request)


class RequestThread(Executor):
    """The thread of one request, taken from *threads* when the request first needs it."""

    def __init__(self, threads: RequestThreads) -> None:
        self.threads = threads
        self.thread: ThreadPoolExecutor | None = None
        self.calls: list[tuple[Future[Any], Callable[[], Any]]] | None = None
        self.has_ended = False

    def drop_waiting(self) -> bool:
        """Return True if the request has a thread; otherwise drop the calls that wait for one.

        asyncio cancels a call some time after its task, so the call could still begin in a
        thread that another request gives back meanwhile.
        """
        with self.threads.lock:
            if self.thread is not None:
                return True
            for future, _ in self.calls or ():
                future.cancel()
            self._stop_waiting()
            return False

    def submit(
        self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_T]:
        """Call *function* in the thread; see `concurrent.futures.Executor.submit`.

        Raises:
            RuntimeError: the request has ended.
        """
        with self.threads.lock:
            if self.has_ended:
                message = "This request has ended, and its thread is another request's now."
                raise RuntimeError(message)
            if self.calls is None:
                self.calls = []
                self.threads.lend_to(self)
            if self.thread is not None:
                return self.thread.submit(function, *args, **kwargs)
            future: Future[_T] = Future()
            self.calls.append((future, functools.partial(function, *args, **kwargs)))
            return future

    def begin(self, thread: ThreadPoolExecutor) -> None:
        """Use *thread* from now on; the caller has the lock of the pool."""
        self.thread = thread
        thread.submit(_begin_request)
        for future, call in self.calls or ():
            thread.submit(_carry_out, future, call)

    def end(self) -> None:
        """Give the thread back, or stop waiting for one."""
        with self.threads.lock:
            self.has_ended = True
            self._stop_waiting()
        if self.thread is not None:
            self.threads.take_back(self.thread)

    def _stop_waiting(self) -> None:
        self.calls = None
        if self in self.threads.waiting:
            self.threads.waiting.remove(self)


def _begin_request() -> None:
    """Do what Django's own receivers do when a request starts."""
    reset_queries()
    _close_old_connections()


def _close_old_connections() -> None:
    try:
        close_old_connections()
    except Exception:
        logger.exception("A database connection of an earlier request cannot be closed.")


def _retire(thread: ThreadPoolExecutor) -> None:
    """End *thread* after its work; its connections cannot be closed from another one."""
    thread.submit(connections.close_all)
    thread.shutdown(wait=False)


def _carry_out(future: Future[_T], call: Callable[[], _T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - the future hands it over
        future.set_exception(error)
    else:
        future.set_result(result)
