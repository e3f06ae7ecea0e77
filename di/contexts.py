"""The ways between a thread and an event loop, and the context that one request keeps."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

# Private, but the one way to carry asgiref's own Local storage from thread to thread.
from asgiref.sync import AsyncToSync, _restore_context, sync_to_async

from di.bridge import bridged, lasting_loop

_P = ParamSpec("_P")
_T = TypeVar("_T")

_Outcome = tuple[_T | None, BaseException | None]
"""A value, or what was raised instead. No future can hold a StopIteration, and a task that
meets a SystemExit ends its loop."""

_UNSET: Any = object()


class _Shared:
    """A context that a request keeps while its code runs in others.

    A generator is entered and closed in it, and may reset the context variables that it
    has set. What is set on either side the other sees.
    """

    __slots__ = ("before", "context", "tokens")

    def __init__(self) -> None:
        self.context = contextvars.Context()
        self.before = contextvars.Context()
        self.tokens: dict[contextvars.ContextVar[Any], contextvars.Token[Any]] = {}

    def bring_in(self) -> None:
        """Let the shared context see what is set here."""
        self.before = contextvars.copy_context()
        self.context.run(_restore_context, self.before)

    def bring_back(self) -> None:
        """Set here what was set there since, and take back what was taken back."""
        changed = contextvars.Context()
        for variable, value in self.context.items():
            if not _is_same(self.before.get(variable, _UNSET), value):
                changed.run(variable.set, value)
                if variable.get(_UNSET) is _UNSET:
                    self.tokens[variable] = variable.set(value)
        _restore_context(changed)
        for variable in [one for one in self.tokens if one not in self.context]:
            # In the task of the end of a request nobody has set it.
            with contextlib.suppress(ValueError):
                variable.reset(self.tokens.pop(variable))


class Hop(_Shared):
    """The way from an event loop to the one thread where a request's sync code runs."""

    __slots__ = ()

    async def __call__(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call *function* in that thread.

        Who is cancelled meanwhile still waits for it: a thread cannot be cancelled, and
        what it opens must be known before anything is closed.
        """
        self.bring_in()
        hopping = sync_to_async(_outcome, thread_sensitive=True, context=self.context)
        call = asyncio.ensure_future(hopping(function, *args, **kwargs))
        try:
            cancelled = await _ended(call)
            value, error = call.result()
            if cancelled is not None:
                raise cancelled from error
            return _unpacked(value, error)
        finally:
            self.bring_back()


class Bridge(_Shared):
    """The way from a sync view to an event loop; see `bridged`."""

    __slots__ = ()

    def __call__(
        self, function: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Call *function* there and wait for it."""

        async def run() -> _Outcome[_T]:
            self.bring_in()  # not before: asgiref has set what leads back to this thread
            task = _task(self.context, function, *args, **kwargs)
            await _ended(task)  # a sync view runs to its end, also if its client has left
            return task.result()

        try:
            return _unpacked(*bridged(run)())
        finally:
            self.bring_back()


class Attendant(_Shared):
    """The task in which an async generator runs, from its first line to its last.

    Task groups, timeouts and cancel scopes around a yield need one task. What they cancel is
    this task, and it passes the cancellation on to the task that uses the value.

    Attributes:
        interruption: the cancellation that reached the generator at its yield, if any.
    """

    __slots__ = ("closing", "interruption", "is_used", "opened", "result", "task", "user")

    def __init__(self) -> None:
        super().__init__()
        self.task: asyncio.Task[None] | None = None
        self.interruption: asyncio.CancelledError | None = None
        self.user: asyncio.Task[Any] | None = None
        self.is_used = True
        self.result: BaseException | None = None

    async def enter(
        self,
        first: Callable[[], Awaitable[_T]],
        last: Callable[[BaseException | None], Awaitable[BaseException | None]],
        user: asyncio.Task[Any] | None = None,
    ) -> _T:
        """Await *first* in the task, which then waits for `close` in order to await *last*.

        Args:
            first: runs the generator to its yield; if it raises, there is nothing to close.
            last: runs the generator to its end.
            user: the task that uses the value, None if a thread does.
        """
        self.bring_in()
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[_Outcome[Any]] = loop.create_future()
        self.closing: asyncio.Future[BaseException | None] = loop.create_future()
        task = loop.create_task(self._attend(first, last), context=self.context)
        try:
            cancelled = await _ended_or_cancelled(self.opened, task)
            value, error = self.opened.result()
            if error is None:
                self.task, self.user = task, user
                # Python 3.11 may not trace a frame through which a cancellation was thrown.
                if cancelled is not None:  # pragma: no cover - see above
                    raise cancelled
            return cast("_T", _unpacked(value, error))
        finally:
            self.bring_back()

    @property
    def is_open(self) -> bool:
        """Return True if the generator came to its yield."""
        return self.task is not None

    async def close(self, error: BaseException | None) -> BaseException | None:
        """End the generator, which is open, with *error*; return what goes on from there."""
        if self.task is None:  # pragma: no cover - for type checkers
            return error
        loop = self.task.get_loop()
        if self.task.done() or loop.is_closed():
            # The loop has ended before the request, and the generator with it.
            return self.result if isinstance(self.result, Exception) else error
        if asyncio.get_running_loop() is not loop:
            elsewhere = asyncio.run_coroutine_threadsafe(self.close(error), loop)
            return await asyncio.wrap_future(elsewhere)
        self.bring_in()
        try:
            if not self.closing.done():
                self.closing.set_result(error)
            await _ended_or_cancelled(self.task, self.task)
            if self.user is not None and self.interruption is not None:
                self.user.uncancel()
            return self.result
        finally:
            self.bring_back()

    def let_go(self) -> None:
        """Note that the view has ended; raise the cancellation that it has not seen."""
        self.is_used = False
        self.user = None
        if self.interruption is not None:
            raise self.interruption

    async def _attend(
        self,
        first: Callable[[], Awaitable[Any]],
        last: Callable[[BaseException | None], Awaitable[BaseException | None]],
    ) -> None:
        value, error = await _aoutcome(first)
        self.opened.set_result((value, error))
        if error is not None:
            return
        while not self.closing.done():
            try:
                await asyncio.wait([self.closing])
            except asyncio.CancelledError as cancelled:
                if self.interruption is None:
                    self.interruption = cancelled
                    if self.user is not None:
                        self.user.cancel()
                if not self.is_used:
                    break  # nobody is there who could be told, or who will call close()
        error = self.closing.result() if self.closing.done() else None
        if self.interruption is not None and isinstance(error, asyncio.CancelledError | None):
            error = self.interruption
        self.result = await last(error)


async def _ended_or_cancelled(
    ending: asyncio.Future[Any], task: asyncio.Task[Any]
) -> asyncio.CancelledError | None:
    """Wait for *ending*, and pass on to *task* each cancellation that comes meanwhile.

    A cancellation that comes in the moment in which *ending* ends is returned.
    """
    while not ending.done():
        try:
            await asyncio.wait([ending])
        except asyncio.CancelledError as cancelled:
            if ending.done():  # pragma: no cover - tested, not always traced: see `Attendant.enter`
                return cancelled
            task.cancel()
    return None


def lead_here(context: contextvars.Context) -> None:
    """Let thread-sensitive code in *context*, a copy of an earlier moment, run in this thread.

    asgiref keeps the way to a thread in the context. The thread of that moment may be waiting
    for this one, or have ended.
    """
    executor = getattr(AsyncToSync.executors, "current", None)
    context.run(_restore_context, context.copy())  # what asgiref's Locals hold is a thread's own
    context.run(setattr, AsyncToSync.executors, "current", executor)


async def on_lasting_loop(
    function: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Await *function* on the loop that outlives a request, unless this loop does so, too.

    Under WSGI an async view has a loop of its own, which ends with it. Thread-sensitive code
    still runs in the thread of the request, because asgiref keeps the way there in the context.
    """
    if asyncio.get_running_loop() not in AsyncToSync.loop_thread_executors:
        return await function(*args, **kwargs)
    here, context = contextvars.copy_context(), contextvars.Context()

    async def run() -> _Outcome[_T]:
        context.run(_restore_context, here)  # in that thread: asgiref's Locals belong to threads
        return await _task(context, function, *args, **kwargs)

    future = asyncio.run_coroutine_threadsafe(run(), lasting_loop())
    try:
        return _unpacked(*await asyncio.wrap_future(future))
    finally:
        _restore_context(context)


def run_apart(
    context: contextvars.Context, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Call *function* in *context*, which the caller keeps, and bring back what it set."""
    try:
        return context.run(function, *args, **kwargs)
    finally:
        _restore_context(context)


def _task(
    context: contextvars.Context,
    function: Callable[..., Awaitable[_T]],
    *args: Any,
    **kwargs: Any,
) -> asyncio.Task[_Outcome[_T]]:
    loop = asyncio.get_running_loop()
    return loop.create_task(_aoutcome(function, *args, **kwargs), context=context)


def _outcome(function: Callable[..., _T], *args: Any, **kwargs: Any) -> _Outcome[_T]:
    try:
        return function(*args, **kwargs), None
    except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
        return None, error


async def _aoutcome(
    function: Callable[..., Awaitable[_T]], *args: Any, **kwargs: Any
) -> _Outcome[_T]:
    try:
        return await function(*args, **kwargs), None
    except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
        return None, error


def _unpacked(value: _T | None, error: BaseException | None) -> _T:
    if error is not None:
        raise error
    return cast("_T", value)


async def _ended(call: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Wait until *call* has ended, come what may; return the cancellation that came."""
    cancelled = None
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are one: asgiref copies what a Local holds for each thread."""
    if one is other:
        return True
    is_local = type(one) is type(other) and type(one).__module__ == "asgiref.local"
    return is_local and one.data is other.data
