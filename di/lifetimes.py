"""Generators that were entered, and how they are closed."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from di.contexts import Bridge, Hop
from di.exceptions import GeneratorProtocolError
from di.limits import Limiter
from di.plan import Step
from di.rendering import describe

logger = logging.getLogger("di")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Entered:
    """A generator at its yield, and where it came from."""

    generator: Any
    step: Step


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


class Lifetime:
    """The generators of one scope in one request, innermost last.

    What closing makes of an exception is what nested ``with`` blocks would make of it,
    except that a generator cannot erase one: it goes on to the outer ones.
    """

    __slots__ = ("bridge", "entered", "slots")

    def __init__(self, slots: Slots | None = None, bridge: Bridge | None = None) -> None:
        self.entered: list[Entered] = []
        self.slots = slots or Slots()
        self.bridge = bridge or Bridge()

    def enter(self, step: Step, generator: Generator[_T, Any, Any]) -> _T:
        """Run *generator* to its yield and keep it open."""
        try:
            value = next(generator)
        except StopIteration:
            raise _never_yielded(step) from None
        self.entered.append(Entered(generator, step))
        return value

    async def aenter(self, step: Step, generator: AsyncGenerator[_T, Any]) -> _T:
        """See `enter`."""
        try:
            value = await anext(generator)
        except StopAsyncIteration:
            raise _never_yielded(step) from None
        self.entered.append(Entered(generator, step))
        return value

    def close(self, error: BaseException | None = None) -> BaseException | None:
        """Close all from a sync view and return the exception that leaves, if any.

        Args:
            error: what ended the block that they surround, None for success.
        """
        while self.entered:
            entered = self.entered.pop()
            if entered.step.dependable.kind.is_async:
                error = self.bridge(_afinish, entered, error)
            else:
                error = _finish(entered, error)
            self.slots.release(entered.step.limiter)
        return error

    async def aclose(self, hop: Hop, error: BaseException | None = None) -> BaseException | None:
        """See `close`. Neighboring sync generators share one hop to their thread."""
        while self.entered:
            if self.entered[-1].step.dependable.kind.is_async:
                entered = self.entered.pop()
                if entered.step.scope == "request":
                    # It may end in another task: its context is the one that it began in.
                    error = await hop.apart(_afinish, entered, error)
                else:
                    error = await _afinish(entered, error)
                self.slots.release(entered.step.limiter)
            else:
                error = await hop(self._close_sync_neighbors, error)
        return error

    def _close_sync_neighbors(self, error: BaseException | None) -> BaseException | None:
        while self.entered and not self.entered[-1].step.dependable.kind.is_async:
            entered = self.entered.pop()
            error = _finish(entered, error)
            self.slots.release(entered.step.limiter)
        return error


class Lifetimes:
    """The two scopes of one request."""

    __slots__ = ("bridge", "function", "request", "slots")

    def __init__(self) -> None:
        self.slots = Slots()
        self.bridge = Bridge()
        self.function = Lifetime(self.slots, self.bridge)
        self.request = Lifetime(self.slots, self.bridge)

    def leave_function(self) -> None:
        """Close the function scope after a success; raise what goes wrong there."""
        if (error := self.function.close()) is not None:
            raise error

    async def aleave_function(self, hop: Hop) -> None:
        """See `leave_function`."""
        if (error := await self.function.aclose(hop)) is not None:
            raise error

    def unwind(self, error: BaseException) -> BaseException:
        """Let every generator see *error* and return what goes on to the client."""
        inner = self.function.close(error) or error
        return self.request.close(inner) or inner

    async def aunwind(self, hop: Hop, error: BaseException) -> BaseException:
        """See `unwind`."""
        inner = await self.function.aclose(hop, error) or error
        return await self.request.aclose(hop, inner) or inner


class Outcome:
    """How a view ended, for a function-scope generator to read when it is closed.

    Attributes:
        status_code: that of the response, None where there is none.
    """

    __slots__ = ("status_code",)

    def __init__(self) -> None:
        self.status_code: int | None = None


def _finish(entered: Entered, error: BaseException | None) -> BaseException | None:
    """Run a generator to its end and return the exception that goes on from there."""
    generator = cast("Generator[Any, Any, Any]", entered.generator)
    try:
        if error is None:
            next(generator)
        else:
            generator.throw(error)
    except StopIteration as stop:
        return _left(entered, error, stop)
    except BaseException as raised:  # noqa: BLE001 - whatever it is goes on
        return _raised(error, raised)
    return _close_second_yield(entered, error)


async def _afinish(entered: Entered, error: BaseException | None) -> BaseException | None:
    """See `_finish`."""
    generator = cast("AsyncGenerator[Any, Any]", entered.generator)
    try:
        if error is None:
            await anext(generator)
        else:
            await generator.athrow(error)
    except StopAsyncIteration as stop:
        return _left(entered, error, stop)
    except BaseException as raised:  # noqa: BLE001 - whatever it is goes on
        return _raised(error, raised)
    problem = _yielded_twice(entered, error)
    try:
        await generator.aclose()
    except BaseException as raised:  # noqa: BLE001 - chained to what is reported
        problem.__context__ = raised
    return problem


def _close_second_yield(entered: Entered, error: BaseException | None) -> BaseException:
    problem = _yielded_twice(entered, error)
    try:
        entered.generator.close()
    except BaseException as raised:  # noqa: BLE001 - chained to what is reported
        problem.__context__ = raised
    return problem


def _left(
    entered: Entered, error: BaseException | None, stop: BaseException
) -> BaseException | None:
    if error is not None and stop is not error:
        logger.warning(
            "%s swallowed %r. It goes on to the client all the same: raise it again, or"
            " raise another.",
            describe(entered.step.dependable.call),
            error,
        )
    return error


def _raised(error: BaseException | None, raised: BaseException) -> BaseException:
    # Python turns a StopIteration that leaves a generator into a RuntimeError (PEP 479).
    if isinstance(error, (StopIteration, StopAsyncIteration)) and raised.__cause__ is error:
        return error
    return raised


def _never_yielded(step: Step) -> GeneratorProtocolError:
    problem = "A generator dependable never yielded."
    hint = "Yield exactly once; raise an exception to refuse."
    return GeneratorProtocolError(problem, path=[(None, step.dependable.call)], hint=hint)


def _yielded_twice(entered: Entered, error: BaseException | None) -> GeneratorProtocolError:
    problem = GeneratorProtocolError(
        "A generator dependable yielded twice.",
        path=[(None, entered.step.dependable.call)],
        hint="Yield exactly once.",
    )
    problem.__cause__ = error
    return problem
