"""Values that are made once and kept until the process ends: scope "app"."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import ctypes
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import Any, TypeVar

from asgiref.sync import AsyncToSync

from di.bridge import bridged, is_lasting, lasting_loop
from di.contexts import Hop
from di.inspection import key_of
from di.lifetimes import Lifetime
from di.plan import Plan
from di.rendering import describe

logger = logging.getLogger("di")

_T = TypeVar("_T")

Make = Callable[["Plan", contextvars.Context], "Instance"]
"""Makes what a plan leads to, in the given context, in which it is being called."""

AsyncMake = Callable[["Plan", contextvars.Context], Awaitable["Instance"]]
"""See `Make`."""

_SECONDS_TO_CLOSE = 10
"""How long the end of the process waits for one async generator."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A value that was made, and what it takes to close it.

    Attributes:
        plan: by which it was made.
        lifetime: holds its generator, if it is one.
        context: in which it was made, and will be closed.
        loop: on which it was made, if it is async: on another it may be of no use.
    """

    value: Any
    plan: Plan
    lifetime: Lifetime
    context: contextvars.Context
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def call(self) -> Callable[..., Any]:
        """The dependable that made it."""
        return self.plan.view.dependable.call

    @property
    def key(self) -> object:
        """What tells it from others."""
        return key_of(self.call)

    @property
    def is_stale(self) -> bool:
        """Whether its loop is gone, so that nobody can use it or close it there."""
        return self.loop is not None and self.loop.is_closed()


class AppScope:
    """One instance of each dependable, however many threads and tasks ask for it at once.

    Who asks while it is being made waits, and sees the error if that fails; the next to ask
    tries again. What is async belongs to the loop that it was made on. If that ends before
    the process does, it is closed there, with all that rests on it, and made anew for who
    asks next.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with nothing."""
        self.lock = threading.Lock()
        self.made: dict[object, Future[Instance]] = {}
        self.opened: list[Instance] = []
        self.tasks: dict[object, asyncio.Task[None]] = {}
        self.closes_at_exit = False

    def get(self, plan: Plan, make: Make, amake: AsyncMake) -> Any:
        """Return the value of *plan*, made now if it is the first time.

        Args:
            plan: of the dependable, its root.
            make: makes it in a sync caller.
            amake: makes it if any of it has to be awaited.
        """
        key = key_of(plan.view.dependable.call)
        known = self._known(key)
        if known is not None:
            return known.value
        if plan.needs_loop:
            return bridged(self.aget)(plan, amake)
        future, is_ours = self._claim(key)
        if is_ours:
            context = contextvars.copy_context()
            try:
                instance = context.run(make, plan, context)
            except BaseException as error:  # noqa: BLE001 - everyone who waits sees it
                self._fail(key, future, error)
            else:
                self._keep(future, instance)
        return future.result().value

    async def aget(self, plan: Plan, amake: AsyncMake) -> Any:
        """See `get`; *plan* holds something to be awaited."""
        key = key_of(plan.view.dependable.call)
        known = self._known(key)
        if known is not None:
            return known.value
        loop = asyncio.get_running_loop()
        if loop in AsyncToSync.loop_thread_executors:
            # It ends with the call that began it: under WSGI, with each request.
            elsewhere = asyncio.run_coroutine_threadsafe(self.aget(plan, amake), lasting_loop())
            return await asyncio.shield(asyncio.wrap_future(elsewhere))
        future, is_ours = self._claim(key)
        if is_ours:
            # A task of its own: the first to ask may be cancelled, the others want it.
            context = contextvars.copy_context()
            self._begin(key, self._amake(future, plan, amake(plan, context)), context)
        instance = await asyncio.shield(asyncio.wrap_future(future))
        return instance.value

    def close(self) -> None:
        """Close everything, in reverse order; what fails is logged."""
        while self.opened:
            with self.lock:
                instance = self.opened.pop()
                self.made.pop(instance.key, None)
            self._close(instance)

    def forget(self) -> None:
        """Start with nothing in the child of a fork; what is open stays the parent's."""
        for instance in self.opened:
            # Without a reference its generator would be closed here, too.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(instance))
        self.reset()

    def _known(self, key: object) -> Instance | None:
        future = self.made.get(key)
        if future is None or not future.done():
            return None
        instance = future.result()
        if not instance.is_stale:
            return instance
        for doomed in self._doomed(instance.loop):
            self._close(doomed)
        return None

    def _claim(self, key: object) -> tuple[Future[Instance], bool]:
        """Return the future of an instance, and whether the caller is to make it."""
        with self.lock:
            known = self.made.get(key)
            if known is not None:
                return known, False
            future = self.made[key] = Future()
            return future, True

    async def _amake(
        self, future: Future[Instance], plan: Plan, making: Awaitable[Instance]
    ) -> None:
        try:
            instance = await making
        except BaseException as error:  # noqa: BLE001 - everyone who waits sees it
            self._fail(key_of(plan.view.dependable.call), future, error)
        else:
            self._keep(future, instance)

    def _fail(self, key: object, future: Future[Instance], error: BaseException) -> None:
        with self.lock:
            self.made.pop(key, None)
        future.set_exception(error)

    def _keep(self, future: Future[Instance], instance: Instance) -> None:
        with self.lock:
            self.opened.append(instance)
            if not self.closes_at_exit:
                self.closes_at_exit = True
                atexit.register(self.close)
                # Processes of multiprocessing end without the functions of atexit.
                Finalize(None, self.close, exitpriority=0)
        loop = instance.loop
        if loop is not None and not is_lasting(loop) and loop not in self.tasks:
            self._begin(loop, self._close_with(loop), contextvars.copy_context())
        future.set_result(instance)

    def _begin(
        self, key: object, coroutine: Coroutine[Any, Any, None], context: contextvars.Context
    ) -> None:
        task = asyncio.get_running_loop().create_task(coroutine, context=context)
        self.tasks[key] = task  # a loop itself keeps only weak references
        task.add_done_callback(lambda _: self.tasks.pop(key, None))

    async def _close_with(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the end of *loop*, which cancels what is left on it; close what is its."""
        try:
            await loop.create_future()
        finally:
            for instance in self._doomed(loop):
                if instance.loop is loop:
                    closing = instance.lifetime.aclose(Hop())
                    _report(instance, await loop.create_task(closing, context=instance.context))
                else:
                    self._close(instance)

    def _doomed(self, loop: asyncio.AbstractEventLoop | None) -> list[Instance]:
        """Forget and return what was made on *loop* and all that rests on it, last first."""
        with self.lock:
            gone = {instance.key for instance in self.opened if instance.loop is loop}
            doomed = [
                instance
                for instance in self.opened
                if instance.key in gone or not gone.isdisjoint(instance.plan.kept_calls())
            ]
            self.opened = [instance for instance in self.opened if instance not in doomed]
            for instance in doomed:
                self.made.pop(instance.key, None)
        return doomed[::-1]

    def _close(self, instance: Instance) -> None:
        lifetime = instance.lifetime
        if instance.loop is None:
            _report(instance, instance.context.run(lifetime.close))
            return

        async def close() -> BaseException | None:
            loop = asyncio.get_running_loop()
            return await loop.create_task(lifetime.aclose(Hop()), context=instance.context)

        try:
            _report(instance, _run_on(instance.loop, close()))
        except TimeoutError as error:
            _report(instance, error)


def _run_on(loop: asyncio.AbstractEventLoop, closing: Coroutine[Any, Any, _T]) -> _T:
    """Run *closing* on *loop*, or on our own if that is gone, and wait for it."""
    if loop.is_closed():
        loop = lasting_loop()
    elif not loop.is_running():
        # A server has stopped it, and left to us what is open on it.
        return loop.run_until_complete(asyncio.wait_for(closing, _SECONDS_TO_CLOSE))
    return asyncio.run_coroutine_threadsafe(closing, loop).result(_SECONDS_TO_CLOSE)


def _report(instance: Instance, error: BaseException | None) -> None:
    if error is not None:
        logger.error(
            'A dependable of scope "app" failed while it was closed: %s',
            describe(instance.call),
            exc_info=error,
        )


app_scope = AppScope()
os.register_at_fork(after_in_child=app_scope.forget)
