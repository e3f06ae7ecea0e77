"""Async dependables called from sync code."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from di.bridge import bridged
from di.exceptions import GreenThreadsError


async def where() -> tuple[asyncio.AbstractEventLoop, int]:
    return asyncio.get_running_loop(), await sync_to_async(threading.get_ident)()


def test_the_loop_outlives_the_call() -> None:
    """Two calls run on one loop, and sync code below comes back to the calling thread."""
    first, second = bridged(where)(), bridged(where)()
    assert first == second
    assert first[1] == threading.get_ident()


def test_under_a_server_its_own_loop_is_used() -> None:
    """Below ASGI the coroutine runs where the server's own run."""

    async def serve() -> bool:
        loop, _ = await sync_to_async(bridged(where))()
        return loop is asyncio.get_running_loop()

    assert asyncio.run(serve())


def test_a_loop_that_ends_with_a_call_is_not_used() -> None:
    """Below WSGI asgiref makes a loop for one call; a generator needs one that outlives it."""

    async def view() -> tuple[asyncio.AbstractEventLoop, int]:
        return await sync_to_async(bridged(where))()

    assert async_to_sync(view)() == (bridged(where)()[0], threading.get_ident())


def test_a_forked_process_has_a_loop_of_its_own() -> None:
    """A worker forked after the loop was started does not wait for its parent's thread."""
    bridged(where)()
    child = os.fork()
    if child == 0:
        os._exit(0 if bridged(where)()[0].is_running() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("is_patched", [True, False])
@pytest.mark.parametrize(
    ("name", "function", "argument"),
    [
        ("gevent.monkey", "is_module_patched", "threading"),
        ("eventlet.patcher", "is_monkey_patched", "thread"),
    ],
)
def test_a_loop_is_refused_where_threads_are_greenlets(
    monkeypatch: pytest.MonkeyPatch, name: str, function: str, argument: str, *, is_patched: bool
) -> None:
    """When threads are greenlets, then a bridged call fails and says how to serve instead."""
    patcher = types.ModuleType(name)
    setattr(patcher, function, lambda asked: is_patched and asked == argument)
    monkeypatch.setitem(sys.modules, name, patcher)
    with ThreadPoolExecutor(1) as thread:  # which no test has given the loop of a server
        bridging = thread.submit(bridged(where))
        if not is_patched:
            assert bridging.result()[0].is_running()
            return
        with pytest.raises(GreenThreadsError, match=r"greenlets(.|\n)*Hint: Serve with threads"):
            bridging.result()
