"""A plan carried out for one request."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from di.app_scope import Instance, app_scope
from di.contexts import Hop
from di.inspection import Kind
from di.lifetimes import Lifetime, Lifetimes
from di.plan import Plan, Step

_Frame = TypeVar("_Frame")

Reader = Callable[[Any], dict[str, Any] | None]
"""Reads one step's inputs from what the host calls a request; None if not valid."""

_FAILED: Any = object()


class Resolution(Generic[_Frame]):
    """The values of one request's dependables, as far as they are known.

    Args:
        plan: what to resolve.
        readers: one for each step, and one for the view, last.
        frame: what the readers read from.
        lifetimes: where generators are entered.
    """

    __slots__ = ("frame", "lifetimes", "plan", "readers", "values")

    def __init__(
        self, plan: Plan, readers: Sequence[Reader], frame: _Frame, lifetimes: Lifetimes
    ) -> None:
        self.plan = plan
        self.readers = readers
        self.frame = frame
        self.lifetimes = lifetimes
        self.values: list[Any] = [_FAILED] * len(plan.steps)

    def resolve(self) -> dict[str, Any] | None:
        """Call every dependable and return the view's arguments.

        Returns:
            None if anybody's inputs were not valid. A dependable whose inputs, or whose
            dependencies, failed is not called; the others still are, because what they
            raise is a better answer than a list of bad inputs.
        """
        for step in self.plan.steps:
            arguments = self._arguments(step)
            if arguments is not None:
                self.values[step.index] = self._call(step, arguments)
        return self._arguments(self.plan.view)

    async def aresolve(self, hop: Hop) -> dict[str, Any] | None:
        """See `resolve`. Neighboring sync dependables share one *hop* to their thread."""
        for is_async, batch in self.plan.batches:
            if not is_async:
                await hop(self._resolve_batch, batch)
                continue
            for step in batch:
                arguments = self._arguments(step)
                if arguments is not None:
                    self.values[step.index] = await self._acall(hop, step, arguments)
        return self._arguments(self.plan.view)

    def _resolve_batch(self, batch: tuple[Step, ...]) -> None:
        for step in batch:
            arguments = self._arguments(step)
            if arguments is not None:
                self.values[step.index] = self._call(step, arguments)

    def _arguments(self, step: Step) -> dict[str, Any] | None:
        # Inputs are read even when a dependency failed: all errors belong in one answer.
        arguments = self.readers[step.index](self.frame)
        if arguments is None or any(self.values[index] is _FAILED for index in step.needs):
            return None
        for name, index in step.arguments:
            arguments[name] = self.values[index]
        arguments.update(step.scopes_arguments())
        return arguments

    def _call(self, step: Step, arguments: dict[str, Any]) -> object:
        if step.own_plan is not None:
            return app_scope.get(step.own_plan, _make, _amake)
        if step.limiter is None:
            return self._run(step, arguments)
        self.lifetimes.slots.acquire(step.limiter)
        with self._in_slot(step):
            return self._run(step, arguments)

    async def _acall(self, hop: Hop, step: Step, arguments: dict[str, Any]) -> object:
        """See `_call`. A sync *step* comes here if it has to be waited for."""
        if step.own_plan is not None:
            return await app_scope.aget(step.own_plan, _amake)
        if step.limiter is None:
            return await self._arun_where(hop, step, arguments)
        await self.lifetimes.slots.aacquire(step.limiter)
        with self._in_slot(step):
            return await self._arun_where(hop, step, arguments)

    async def _arun_where(self, hop: Hop, step: Step, arguments: dict[str, Any]) -> object:
        """Run *step* in the thread or the context that it will be closed in."""
        if not step.dependable.kind.is_async:
            return await hop(self._run, step, arguments)
        if step.scope == "request":
            return await hop.apart(self._arun, step, arguments)
        return await self._arun(step, arguments)

    @contextlib.contextmanager
    def _in_slot(self, step: Step) -> Iterator[None]:
        """Leave the slot of *step* at the end, unless it is a generator that was entered."""
        is_open = False
        try:
            yield
            is_open = step.scope is not None
        finally:
            if not is_open:
                self.lifetimes.slots.release(step.limiter)

    def _run(self, step: Step, arguments: dict[str, Any]) -> object:
        call = step.dependable.call
        match step.dependable.kind:
            case Kind.FUNCTION:
                return call(**arguments)
            case Kind.GENERATOR:
                return self._lifetime(step).enter(step, call(**arguments))
            case _:
                return self.lifetimes.bridge(self._arun, step, arguments)

    async def _arun(self, step: Step, arguments: dict[str, Any]) -> object:
        """See `_run`."""
        call = step.dependable.call
        if step.dependable.kind is Kind.COROUTINE:
            return await call(**arguments)
        return await self._lifetime(step).aenter(step, call(**arguments))

    def _lifetime(self, step: Step) -> Lifetime:
        return self.lifetimes.function if step.scope == "function" else self.lifetimes.request


def _make(plan: Plan, context: contextvars.Context) -> Instance:
    """Make what *plan* leads to, which reads nothing of a request, for the app scope."""
    resolution = _apart(plan)
    value = resolution._run(plan.view, resolution.resolve() or {})  # noqa: SLF001 - our own
    return Instance(value, plan, resolution.lifetimes.request, context)


async def _amake(plan: Plan, context: contextvars.Context) -> Instance:
    """See `_make`. What is sync belongs to no loop, and to the context of its thread."""
    resolution, hop = _apart(plan), Hop()
    arguments = await resolution.aresolve(hop) or {}
    lifetime = resolution.lifetimes.request
    if plan.view.dependable.kind.is_async:
        value = await resolution._arun(plan.view, arguments)  # noqa: SLF001 - our own
        return Instance(value, plan, lifetime, context, asyncio.get_running_loop())
    value = await hop(resolution._run, plan.view, arguments)  # noqa: SLF001 - our own
    return Instance(value, plan, lifetime, hop.context)


def _apart(plan: Plan) -> Resolution[None]:
    readers: list[Reader] = [_nothing_to_read] * (len(plan.steps) + 1)
    return Resolution(plan, readers, None, Lifetimes())


def _nothing_to_read(_: object) -> dict[str, Any]:
    return {}
