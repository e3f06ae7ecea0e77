"""Stand-ins: where they hold and how they end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from di.exceptions import NotCallableError
from di.overrides import current, override


def real() -> str:
    return "real"


def other() -> str:
    return "other"


def fake() -> str:
    return "fake"


def fake_too() -> str:
    return "fake too"


def test_blocks_nest_and_are_undone() -> None:
    """An inner block adds to the outer one and takes only its own away."""
    with override({real: fake}):
        with override({real: fake_too, other: fake}):
            assert current() == {real: fake_too, other: fake}
        assert current() == {real: fake}
    assert current() == {}


def test_a_block_that_raises_is_undone() -> None:
    """However the block ends, nothing stays behind."""
    with pytest.raises(KeyError), override({real: fake}):
        raise KeyError
    assert current() == {}


def test_it_decorates_sync_and_async_functions() -> None:
    """The stand-ins hold while the function runs, each time, also recursively."""
    replaced = override({real: fake})

    @replaced
    def sync(depth: int = 1) -> Any:
        return sync(depth - 1) if depth else current()

    @replaced
    async def coroutine() -> Any:
        await asyncio.sleep(0)
        return current()

    assert sync() == {real: fake}
    assert asyncio.run(coroutine()) == {real: fake}
    assert current() == {}


def test_it_decorates_generators() -> None:
    """A fixture that yields keeps its stand-ins until it ends; so does an async one."""

    @override({real: fake})
    def fixture() -> Iterator[Any]:
        yield current()
        yield current()

    @override({real: fake})
    async def afixture() -> AsyncIterator[Any]:
        yield current()

    async def run() -> list[Any]:
        return [item async for item in afixture()]

    assert list(fixture()) == [{real: fake}] * 2
    assert asyncio.run(run()) == [{real: fake}]
    assert current() == {}


def test_it_holds_in_its_own_thread_only() -> None:
    """Another thread goes on with the real thing."""
    seen: list[object] = []
    with override({real: fake}):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
    assert seen == [{}]


def test_it_holds_in_its_own_task_only() -> None:
    """Two tasks that interleave keep their own stand-ins."""

    async def task(stand_in: Any) -> object:
        async with override({real: stand_in}):
            await asyncio.sleep(0)
            return current()

    async def both() -> Any:
        return await asyncio.gather(task(fake), task(fake_too)), current()

    assert asyncio.run(both()) == ([{real: fake}, {real: fake_too}], {})


@pytest.mark.row("H1")
def test_a_block_wins_over_the_api() -> None:
    """What a test says here beats what the API says everywhere."""
    assert current({real: fake}) == {real: fake}
    with override({real: fake_too}):
        assert current({real: fake, other: fake}) == {real: fake_too, other: fake}


@pytest.mark.row("H9")
def test_a_stand_in_must_be_callable() -> None:
    """A bare value is refused, and the hint says how to write it."""
    with pytest.raises(
        NotCallableError, match=r"for tests\.di\.\S+real is 'fake'(.|\n)*lambda: value"
    ):
        override({real: "fake"})  # type: ignore[dict-item]
    with pytest.raises(NotCallableError, match=r"Write {original: stand_in}\."):
        override([real])  # type: ignore[arg-type]


def test_a_class_is_not_decorated() -> None:
    """It would become a function, whose tests nobody finds."""

    class TestSomething:
        def test_it(self) -> None: ...

    with pytest.raises(TypeError, match=r"test_a_class_is_not_decorated.*TestSomething is a class"):
        override({real: fake})(TestSomething)
