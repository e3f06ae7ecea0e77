"""Generators that were entered, and how they are closed."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

# Private, but the one way to carry asgiref's own Local storage from thread to thread.
from asgiref.sync import _restore_context, sync_to_async

from di.bridge import bridged
from di.exceptions import GeneratorProtocolError
from di.limits import Limiter
from di.plan import Step
from di.rendering import describe

logger = logging.getLogger("di")

_P = ParamSpec("_P")
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

    __slots__ = ("entered", "slots")

    def __init__(self, slots: Slots | None = None) -> None:
        self.entered: list[Entered] = []
        self.slots = slots or Slots()

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
                error = bridged(_afinish)(entered, error)
            else:
                error = _finish(entered, error)
            self.slots.release(entered.step.limiter)
        return error

    async def aclose(self, hop: Hop, error: BaseException | None = None) -> BaseException | None:
        """See `close`. Neighboring sync generators share one hop to their thread."""
        while self.entered:
            if self.entered[-1].step.dependable.kind.is_async:
                entered = self.entered.pop()
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

    __slots__ = ("function", "request", "slots")

    def __init__(self) -> None:
        self.slots = Slots()
        self.function = Lifetime(self.slots)
        self.request = Lifetime(self.slots)

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


class Hop:
    """The way from an event loop to the one thread where a request's sync code runs.

    All hops of a request share one context, so that a generator is entered and closed in
    the same one and may reset the context variables that it set. What either side sets,
    the other sees.
    """

    __slots__ = ("context", "tokens")

    def __init__(self) -> None:
        self.context = contextvars.copy_context()
        self.tokens: dict[contextvars.ContextVar[Any], contextvars.Token[Any]] = {}

    async def __call__(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call *function* in that thread.

        Who is cancelled meanwhile still waits for it: a thread cannot be cancelled, and
        what it opens must be known before anything is closed.
        """
        self.context.run(_restore_context, contextvars.copy_context())
        hopping = sync_to_async(_outcome, thread_sensitive=True, context=self.context)
        call = asyncio.ensure_future(hopping(function, *args, **kwargs))
        try:
            cancelled = await _ended(call)
            value, error = call.result()
            if cancelled is not None:
                raise cancelled from error
            if error is not None:
                raise error
            return cast("_T", value)
        finally:
            self._bring_back()

    def _bring_back(self) -> None:
        """Let the event loop see what the thread set, and what it took back."""
        for variable, value in self.context.items():
            if variable.get(_UNSET) is _UNSET:
                self.tokens[variable] = variable.set(value)
        for variable in [one for one in self.tokens if one not in self.context]:
            variable.reset(self.tokens.pop(variable))
        _restore_context(self.context)


_UNSET: Any = object()


def _outcome(
    function: Callable[..., _T], *args: Any, **kwargs: Any
) -> tuple[_T | None, BaseException | None]:
    """Call *function* and return its value, or what it raised.

    No future can hold a StopIteration, and a task that meets a SystemExit ends its loop.
    """
    try:
        return function(*args, **kwargs), None
    except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
        return None, error


async def _ended(call: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Wait until *call* has ended, come what may; return the cancellation that came."""
    cancelled = None
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


def without_stop_iteration(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Make of a StopIteration what a coroutine would make of it (PEP 479).

    No future can hold one: whoever waits for the thread would wait for ever.
    """

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except StopIteration as stop:
            message = "A view or a dependable raised StopIteration."
            raise RuntimeError(message) from stop

    return call


def run_apart(
    context: contextvars.Context, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Call *function* in *context*, which the caller keeps, and bring back what it set."""
    try:
        return context.run(function, *args, **kwargs)
    finally:
        _restore_context(context)


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
