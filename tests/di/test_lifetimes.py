"""Closing: what comes out of nested generators, in both worlds."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from di.contexts import Attendant, Bridge, Hop, run_apart
from di.exceptions import GeneratorProtocolError
from di.graph import analyze
from di.lifetimes import Lifetime, State, attended
from di.markers import Depends
from di.plan import Step, compile_plan


class Stack:
    """A `Lifetime` driven from a sync or an async caller, over sync or async generators."""

    def __init__(self, caller: str, kind: str) -> None:
        self.is_async_caller = caller == "async"
        self.is_async = kind == "async"

    def run(
        self, *functions: Callable[[], Iterator[Any]], error: BaseException | None = None
    ) -> BaseException | None:
        """Enter *functions* in order, close them with *error*, return what comes out."""
        if self.is_async_caller:
            return asyncio.run(self._arun(functions, error))
        state = State()
        state.bridge = Bridge()
        lifetime = Lifetime([], state)
        for function in functions:
            step, call = self._step(function)
            generator = call()
            entered: Any = generator
            if self.is_async:
                entered = Attendant()
                state.bridge(attended, entered, generator, step, is_task=False)
            else:
                next(generator)
            lifetime.entered.append((entered, step))
        return lifetime.close(error)

    async def _arun(
        self, functions: tuple[Callable[[], Iterator[Any]], ...], error: BaseException | None
    ) -> BaseException | None:
        lifetime, hop = Lifetime([], State()), Hop()
        for function in functions:
            step, call = self._step(function)
            await enter(lifetime, hop, step, call())
        return await lifetime.aclose(hop, error)

    def _step(self, function: Callable[[], Iterator[Any]]) -> tuple[Step, Callable[[], Any]]:
        call: Callable[[], Any] = as_async(function) if self.is_async else function
        (step,) = compile_plan(analyze(lambda: None, [Depends(call)])).steps
        return step, call


async def enter(lifetime: Lifetime, hop: Hop, step: Step, generator: Any) -> None:
    """Run *generator* to its yield, as a request-scope one of an async view."""
    entered = generator
    if step.dependable.kind.is_async:
        entered = Attendant()
        await attended(entered, generator, step, is_task=True)
    else:
        await hop(next, generator)
    lifetime.entered.append((entered, step))


def as_async(function: Callable[[], Iterator[Any]]) -> Callable[[], AsyncIterator[Any]]:
    """Return an async generator function with the same body as *function*."""

    async def generator() -> AsyncIterator[Any]:
        inner = function()
        try:
            value = next(inner)
        except StopIteration:
            return
        while True:
            try:
                sent = yield value
            except BaseException as error:  # noqa: BLE001 - passed on as it is
                step: Callable[[], Any] = lambda error=error: inner.throw(error)  # noqa: E731 - two ways on
            else:
                step = lambda sent=sent: inner.send(sent)  # noqa: E731 - two ways on
            try:
                value = step()
            except StopIteration:
                return

    generator.__qualname__ = function.__qualname__
    return generator


@pytest.fixture(params=["sync-sync", "sync-async", "async-sync", "async-async"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """A sync or async caller, sync or async generators."""
    return Stack(*request.param.split("-"))


events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def noting(name: str) -> Callable[[], Iterator[None]]:
    """Return a generator that notes what it sees under *name*."""

    def generator() -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            events.append(f"{name} saw {error!r}")
            raise
        finally:
            events.append(f"{name} closed")

    return generator


def raising(error: BaseException) -> Callable[[], Iterator[None]]:
    """Return a generator that raises *error* when it is closed, whatever happened."""

    def generator() -> Iterator[None]:
        try:
            yield
        finally:
            raise error

    return generator


def swallowing() -> Iterator[None]:
    try:
        yield
    except ValueError:
        events.append("swallowed")


def twice() -> Iterator[None]:
    try:
        yield
    except ValueError:
        events.append("first")
    try:
        yield
    finally:
        events.append("closed")


def stubborn() -> Iterator[None]:
    yield
    try:
        yield
    finally:
        raise OSError("while closing")


@pytest.mark.row("F5")
def test_closing_runs_in_reverse_once_each(stack: Stack) -> None:
    """Success: every generator goes on after its yield, the last one first."""
    assert stack.run(noting("a"), noting("b"), noting("c")) is None
    assert events == ["c closed", "b closed", "a closed"]


@pytest.mark.row("F7")
def test_an_exception_reaches_all(stack: Stack) -> None:
    """Each generator sees the exception at its yield, and it comes out itself."""
    error = ValueError(1)
    assert stack.run(noting("a"), noting("b"), error=error) is error
    assert events == ["b saw ValueError(1)", "b closed", "a saw ValueError(1)", "a closed"]


@pytest.mark.row("F8")
def test_a_replaced_exception_goes_on(stack: Stack) -> None:
    """Outer generators and the caller see what an inner one raised instead, chained."""
    replaced = stack.run(noting("a"), raising(KeyError(2)), error=ValueError(1))
    assert isinstance(replaced, KeyError)
    assert isinstance(replaced.__context__, ValueError)
    assert events == ["a saw KeyError(2)", "a closed"]


@pytest.mark.row("F9")
def test_an_error_while_closing_stops_no_other(stack: Stack) -> None:
    """The error of one reaches the outer ones, all of which are still closed."""
    error = OSError(3)
    assert stack.run(noting("a"), noting("b"), raising(error), noting("c")) is error
    assert events == [
        "c closed",
        "b saw OSError(3)",
        "b closed",
        "a saw OSError(3)",
        "a closed",
    ]


@pytest.mark.row("F10", "F11")
def test_a_swallowed_exception_goes_on_and_is_logged(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    """A generator cannot make a failure a success for those outside it."""
    error = ValueError(1)
    with caplog.at_level(logging.WARNING, "di"):
        assert stack.run(noting("a"), swallowing, error=error) is error
    assert events == ["swallowed", "a saw ValueError(1)", "a closed"]
    assert "swallowed ValueError(1). It goes on to the client all the same" in caplog.text


@pytest.mark.row("F7")
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), asyncio.CancelledError()]
)
def test_base_exceptions_unwind_too(stack: Stack, error: BaseException) -> None:
    """KeyboardInterrupt and its like close everything and come out."""
    assert stack.run(noting("a"), noting("b"), error=error) is error
    assert events[1::2] == ["b closed", "a closed"]


@pytest.mark.row("F7")
@pytest.mark.parametrize("error", [StopIteration(1), StopAsyncIteration(1)])
def test_stop_iteration_is_an_exception_like_any_other(stack: Stack, error: Exception) -> None:
    """What ends generators by its mere passing comes out as itself (PEP 479)."""
    assert stack.run(noting("a"), noting("b"), error=error) is error
    assert events[-1] == "a closed"


@pytest.mark.parametrize("error", [None, ValueError(1)])
def test_a_generator_that_yields_twice_is_an_error(
    stack: Stack, error: BaseException | None
) -> None:
    """It is closed, the outer ones see the error, and a first exception stays its cause."""
    problem = stack.run(noting("a"), twice, error=error)
    assert isinstance(problem, GeneratorProtocolError)
    assert problem.__cause__ is error
    assert events[-3:-1] in (["closed", f"a saw {problem!r}"], [f"a saw {problem!r}", "a closed"])
    assert "closed" in events


@pytest.mark.row("F12")
def test_what_a_second_yield_raises_while_closed_is_kept(stack: Stack) -> None:
    """Even then nothing is lost: the error stays in the chain."""
    problem = stack.run(stubborn)
    assert isinstance(problem, GeneratorProtocolError)
    assert isinstance(problem.__context__, OSError)


@pytest.mark.row("F5")
def test_neighbors_close_in_order_across_kinds() -> None:
    """Sync and async generators in one stack still close strictly in reverse."""

    async def run() -> None:
        lifetime, hop = Lifetime([], State()), Hop()
        for name in "abcd":
            mixed = Stack("async", "async" if name in "bc" else "sync")
            step, call = mixed._step(noting(name))
            await enter(lifetime, hop, step, call())
        assert await lifetime.aclose(hop, ValueError(0)) is not None

    asyncio.run(run())
    assert events[1::2] == ["d closed", "c closed", "b closed", "a closed"]


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")


@pytest.mark.row("G2")
def test_a_hop_carries_context_variables_both_ways() -> None:
    """What the thread sets the loop sees; what the thread resets the loop forgets."""

    async def run() -> None:
        hop = Hop()
        token = await hop(variable.set, "thread")
        assert variable.get() == "thread"
        variable.set("loop")
        assert await hop(variable.get) == "loop"
        await hop(variable.reset, token)
        assert variable.get(None) is None

    asyncio.run(run())


@pytest.mark.row("G2")
def test_run_apart_brings_back_what_was_set() -> None:
    """The context is the caller's to come back to, and its changes are visible here."""

    def here() -> None:
        context = contextvars.copy_context()
        token = run_apart(context, variable.set, "apart")
        assert variable.get() == "apart"
        context.run(variable.reset, token)
        assert variable not in context

    contextvars.copy_context().run(here)
