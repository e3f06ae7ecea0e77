"""The function that a plan is written as: what is in it, and what is not."""

import asyncio
import functools
import gc
import linecache
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from di import Depends, NinjaAPI, dependable
from di.codegen import Reading, compile_resolver
from di.exceptions import BlockingGeneratorError
from di.graph import analyze
from di.inspection import inspect_callable
from di.lifetimes import State
from di.plan import compile_plan
from tests.di.conftest import World


def function() -> str:
    return threading.current_thread().name


@dependable(blocking=False)
def quick() -> str:
    return threading.current_thread().name


@dependable(blocking=False)
class Quick:
    def __init__(self) -> None:
        self.thread = threading.current_thread().name


async def coroutine() -> str:
    return threading.current_thread().name


def generator() -> Iterator[str]:
    yield threading.current_thread().name


async def async_generator() -> AsyncIterator[str]:
    yield threading.current_thread().name


def compiled(*markers: Any, is_async: bool = False) -> Callable[..., Any]:
    """Return the function for a view that depends on *markers*."""
    plan = compile_plan(analyze(lambda: None, markers))
    readings = [Reading() for _ in range(len(plan.steps) + 1)]
    view_call: Any = "await" if is_async else "call"
    return compile_resolver(plan, readings, is_async=is_async, view_call=view_call)


def source(resolve: Callable[..., Any]) -> str:
    return "".join(linecache.getlines(resolve.__code__.co_filename))


function_scope = functools.partial(Depends, scope="function")


@pytest.mark.parametrize(
    ("markers", "hops"),
    [
        ([], 0),
        ([Depends(coroutine), Depends(coroutine)], 0),
        ([Depends(function), Depends(generator), Depends(function, use_cache=False)], 1),
        ([Depends(function), Depends(coroutine), Depends(generator)], 2),
        ([Depends(quick), Depends(Quick), Depends(coroutine)], 0),
        ([Depends(function), Depends(quick), Depends(generator)], 2),
        ([Depends(function, max_concurrency=1), Depends(generator)], 2),
        ([Depends(quick, max_concurrency=1)], 0),
        ([Depends(function, scope="app"), Depends(function)], 1),
        ([Depends(coroutine, scope="app")], 0),
    ],
)
def test_neighbors_share_a_hop(markers: list[Any], hops: int) -> None:
    """An async view goes to its thread once for sync dependables in a row; a sync view never."""
    assert source(compiled(*markers, is_async=True)).count("await hop(") == hops
    assert "hop" not in source(compiled(*markers))


@pytest.mark.parametrize(
    ("markers", "is_async", "absent"),
    [
        ([Depends(function)], False, "try opened bridge slots BAD frame.left"),
        ([Depends(coroutine)], True, "try opened Hop slots BAD frame.left"),
        ([function_scope(generator)], False, "bridge slots BAD frame.left opened_request leave"),
        ([function_scope(async_generator)], True, "Hop slots BAD frame.left opened_request leave"),
        ([Depends(generator)], False, "bridge slots BAD opened_function"),
    ],
)
def test_nothing_is_there_that_the_plan_does_not_need(
    markers: list[Any], is_async: bool, absent: str
) -> None:
    """No stacks where nothing is opened, nothing async where nothing is awaited."""
    text = source(compiled(*markers, is_async=is_async)).replace("opened_function, []", "")
    assert [word for word in absent.split() if word in text] == []


def test_what_does_not_block_is_called_on_the_loop(world: World, api: NinjaAPI) -> None:
    """Functions and classes that say so; all else in the request's thread."""

    @api.get("/x")
    @world.view
    def view(
        request: Any,
        q: str = Depends(quick),
        cls: Quick = Depends(),
        c: str = Depends(coroutine),
        f: str = Depends(function),
    ) -> Any:
        return [q, cls.thread, c, f]

    world.serve(api)
    q, cls, c, f = world.get("/x").json()  # type: ignore[attr-defined]
    if world.is_async:
        assert q == cls == c != f
    else:
        assert q == cls == f


def test_a_generator_always_has_its_thread() -> None:
    """It is closed where it was entered: to say that it does not block changes nothing."""
    with pytest.raises(BlockingGeneratorError, match=r"this is a generator\. \(di\.E016\)"):
        inspect_callable(dependable(blocking=False)(generator))
    del generator.__di_defaults__  # type: ignore[attr-defined]


def fails() -> None:
    raise ValueError("it")


def test_a_traceback_shows_the_line() -> None:
    """With the name of what was called, and the parameter that it was to fill."""

    def above(needed: None = Depends(fails)) -> None: ...

    with pytest.raises(ValueError, match="it") as caught:
        compiled(Depends(above))(State(), lambda: None, lambda _, result: result)
    text = "".join(traceback.format_exception(caught.value))
    assert "value_0 = call_0_fails()" in text
    assert "value_1 = call_1_above(needed=value_0)" in source(compiled(Depends(above)))


def test_its_source_goes_with_it() -> None:
    """Nothing is left in linecache of a function that is no more."""
    resolve = compiled(Depends(function))
    filename = resolve.__code__.co_filename
    assert filename in linecache.cache
    del resolve
    gc.collect()
    assert filename not in linecache.cache


def named(name: str) -> Callable[..., Any]:
    def call() -> str:
        return name

    call.__name__ = name
    return call


@pytest.mark.parametrize(
    "name", ["value", "generator", "read", "class", "1; import os", "a b", "", "é", "'\"\n"]
)
def test_a_callable_may_be_called_anything(name: str) -> None:
    """Its name is a comment in all but form: nothing but ASCII letters gets into the source."""
    resolve = compiled(Depends(named(name)))
    assert resolve(State(), lambda: "view", lambda _, result: result) == "view"
    assert source(resolve).isascii()
    assert "import" not in source(resolve).replace("importos", "")


def test_an_async_function_is_one() -> None:
    """And the sync one is not."""
    assert not asyncio.iscoroutinefunction(compiled(Depends(function)))
    assert asyncio.iscoroutinefunction(compiled(Depends(function), is_async=True))
