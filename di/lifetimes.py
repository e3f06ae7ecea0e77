"""Generators that were entered, and how they are closed."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator, Generator
from typing import Any

from di.contexts import Attendant, Bridge, Hop
from di.exceptions import GeneratorProtocolError
from di.limits import Limiter
from di.plan import Step
from di.rendering import describe

logger = logging.getLogger("di")

NEVER: Any = object()
"""What a generator is at that has ended, instead of a value."""

Entered = tuple[Any, Step]
"""A generator at its yield, and where it came from."""


class Slots:
    """The slots that one request holds: one of a `Limiter` at most.

    A request that is inside a limited dependable may enter it once more. Otherwise it
    could wait for a slot that it holds itself.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: dict[Limiter, int] = {}

    def acquire(self, limiter: Limiter) -> None:
        """Wait for a slot, unless the request has one."""
        if limiter not in self.held:
            limiter.acquire()
        self._note(limiter)

    async def aacquire(self, limiter: Limiter) -> None:
        """See `acquire`."""
        if limiter not in self.held:
            await limiter.aacquire()
        self._note(limiter)

    def release(self, limiter: Limiter | None) -> None:
        """Leave a dependable; the last time the slot is free for others."""
        if limiter is None:
            return
        self.held[limiter] -= 1
        if not self.held[limiter]:
            del self.held[limiter]
            limiter.release()

    def _note(self, limiter: Limiter) -> None:
        self.held[limiter] = self.held.get(limiter, 0) + 1


class State:
    """What one request keeps beside the values of its dependables.

    Attributes:
        hop: its way to a thread, if its plan needs one.
        bridge: its way to an event loop, if its plan needs one.
        slots: those that it holds, if its plan has any.
        left: what is still open when the response is there.
    """

    __slots__ = ("bridge", "hop", "left", "slots")

    def __init__(self) -> None:
        self.hop: Hop | None = None
        self.bridge: Bridge | None = None
        self.slots: Slots | None = None
        self.left: Lifetime | None = None


class Lifetime:
    """The generators of one scope in one request, innermost last.

    What closing makes of an exception is what nested ``with`` blocks would make of it,
    except that a generator cannot erase one: it goes on to the outer ones.
    """

    __slots__ = ("entered", "state")

    def __init__(self, entered: list[Entered], state: State) -> None:
        self.entered = entered
        self.state = state

    def close(self, error: BaseException | None = None) -> BaseException | None:
        """Close all from a sync view and return the exception that leaves, if any.

        Args:
            error: what ended the block that they surround, None for success.
        """
        while self.entered:
            entered = self.entered.pop()
            if _is_async(entered):
                bridge = self.state.bridge or Bridge()
                error = bridge(_aclose, entered, error)
            else:
                error = _finish(entered, error)
            self._release(entered)
        return error

    async def aclose(self, hop: Hop, error: BaseException | None = None) -> BaseException | None:
        """See `close`. Neighboring sync generators share one hop to their thread."""
        while self.entered:
            if not _is_async(self.entered[-1]):
                error = await hop(self._close_sync_neighbors, error)
                continue
            entered = self.entered.pop()
            error = await _aclose(entered, error)
            self._release(entered)
        return error

    @property
    def is_async(self) -> bool:
        """Whether any of it has to be closed on an event loop."""
        return any(map(_is_async, self.entered))

    def let_go(self) -> None:
        """Note that the view has ended; raise the cancellation that it has not seen, if any."""
        for generator, _ in self.entered:
            if isinstance(generator, Attendant):
                generator.let_go()

    def _close_sync_neighbors(self, error: BaseException | None) -> BaseException | None:
        while self.entered and not _is_async(self.entered[-1]):
            entered = self.entered.pop()
            error = _finish(entered, error)
            self._release(entered)
        return error

    def _release(self, entered: Entered) -> None:
        if self.state.slots is not None:
            self.state.slots.release(entered[1].limiter)


def leave(state: State, function: list[Entered]) -> None:
    """Close the function scope after a success; raise what goes wrong there."""
    if (error := Lifetime(function, state).close()) is not None:
        raise error


async def aleave(state: State, function: list[Entered]) -> None:
    """See `leave`."""
    hop = state.hop or Hop()
    if (error := await Lifetime(function, state).aclose(hop)) is not None:
        raise error


def unwind(
    error: BaseException, state: State, function: list[Entered], request: list[Entered]
) -> BaseException:
    """Let every generator see *error* and return what goes on to the client.

    Args:
        error: what was raised.
        state: of the request.
        function: the generators of this scope, None in the place of one that is not open.
        request: those of the other.
    """
    inner = Lifetime(_opened(function), state).close(error) or error
    return Lifetime(_opened(request), state).close(inner) or inner


async def aunwind(
    error: BaseException, state: State, function: list[Entered], request: list[Entered]
) -> BaseException:
    """See `unwind`."""
    hop = state.hop or Hop()
    inner = await Lifetime(_opened(function), state).aclose(hop, error) or error
    return await Lifetime(_opened(request), state).aclose(hop, inner) or inner


class Outcome:
    """How a view ended, for a function-scope generator to read when it is closed.

    Attributes:
        status_code: that of the response, None where there is none.
    """

    __slots__ = ("status_code",)

    def __init__(self) -> None:
        self.status_code: int | None = None


def _opened(generators: list[Entered]) -> list[Entered]:
    return [entered for entered in generators if _is_open(entered[0])]


def _is_open(generator: Any) -> bool:
    return generator.is_open if isinstance(generator, Attendant) else generator is not None


async def attended(
    attendant: Attendant, generator: AsyncGenerator[Any, Any], step: Step, *, is_task: bool
) -> Any:
    """Run *generator* to its yield in the task of *attendant* and return its value.

    Args:
        attendant: keeps the generator.
        generator: of an async generator dependable.
        step: that the generator comes from.
        is_task: whether this task is the one that uses the value.
    """

    async def first() -> Any:
        if (value := await anext(generator, NEVER)) is NEVER:
            raise never_yielded(step)
        return value

    user = asyncio.current_task() if is_task else None
    return await attendant.enter(first, functools.partial(_afinish, (generator, step)), user)


def never_yielded(step: Step) -> GeneratorProtocolError:
    """Return the error of a generator that ended without a value."""
    problem = "A generator dependable never yielded."
    hint = "Yield exactly once; raise an exception to refuse."
    return GeneratorProtocolError(problem, path=[(None, step.dependable.call)], hint=hint)


def yielded_twice(entered: Entered, error: BaseException | None = None) -> GeneratorProtocolError:
    """Close a generator that went on to another yield, and return the error of that.

    Args:
        entered: the generator.
        error: what it had seen at its first yield.
    """
    problem = _yielded_twice(entered, error)
    try:
        entered[0].close()
    except BaseException as raised:  # noqa: BLE001 - chained to what is reported
        problem.__context__ = raised
    return problem


async def ayielded_twice(
    entered: Entered, error: BaseException | None = None
) -> GeneratorProtocolError:
    """See `yielded_twice`."""
    problem = _yielded_twice(entered, error)
    try:
        await entered[0].aclose()
    except BaseException as raised:  # noqa: BLE001 - chained to what is reported
        problem.__context__ = raised
    return problem


async def _aclose(entered: Entered, error: BaseException | None) -> BaseException | None:
    if isinstance(entered[0], Attendant):
        return await entered[0].close(error)
    return await _afinish(entered, error)


def _finish(entered: Entered, error: BaseException | None) -> BaseException | None:
    """Run a generator to its end and return the exception that goes on from there."""
    generator: Generator[Any, Any, Any] = entered[0]
    try:
        if error is None:
            next(generator)
        else:
            generator.throw(error)
    except StopIteration as stop:
        return _left(entered, error, stop)
    except BaseException as raised:  # noqa: BLE001 - whatever it is goes on
        return _raised(error, raised)
    return yielded_twice(entered, error)


async def _afinish(entered: Entered, error: BaseException | None) -> BaseException | None:
    """See `_finish`."""
    generator: AsyncGenerator[Any, Any] = entered[0]
    before = _cancellations()
    try:
        if error is None:
            await anext(generator)
        else:
            await generator.athrow(error)
    except StopAsyncIteration as stop:
        left = _left(entered, error, stop)
        return _ended_cancellation(left) if _cancellations() < before else left
    except BaseException as raised:  # noqa: BLE001 - whatever it is goes on
        return _raised(error, raised)
    return await ayielded_twice(entered, error)


def _cancellations() -> int:
    """Return the number of cancellations of this task that are still in force."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _ended_cancellation(error: BaseException | None) -> BaseException:
    """Return the error of a generator whose cancel scope has ended a cancellation.

    A host takes every CancelledError for the disconnect of the client, and would not answer.
    """
    ended = RuntimeError("A dependable has cancelled its request.")
    ended.__cause__ = error
    return ended


def _left(
    entered: Entered, error: BaseException | None, stop: BaseException
) -> BaseException | None:
    if error is not None and stop is not error:
        logger.warning(
            "%s swallowed %r. It goes on to the client all the same: raise it again, or"
            " raise another.",
            describe(entered[1].dependable.call),
            error,
        )
    return error


def _raised(error: BaseException | None, raised: BaseException) -> BaseException:
    # Python turns a StopIteration that leaves a generator into a RuntimeError (PEP 479).
    if isinstance(error, (StopIteration, StopAsyncIteration)) and raised.__cause__ is error:
        return error
    return raised


def _yielded_twice(entered: Entered, error: BaseException | None) -> GeneratorProtocolError:
    problem = GeneratorProtocolError(
        "A generator dependable yielded twice.",
        path=[(None, entered[1].dependable.call)],
        hint="Yield exactly once.",
    )
    problem.__cause__ = error
    return problem


def _is_async(entered: Entered) -> bool:
    return entered[1].dependable.kind.is_async
