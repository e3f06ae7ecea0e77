"""An example of FastAPI's documentation, on both hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient

from tests.di.conftest import World, world
from tests.fastapi_docs.hosts import Both

__all__ = ["both", "world"]


@pytest.fixture(scope="session", autouse=True)
def _one_loop() -> Iterator[None]:
    """Give FastAPI's test clients one event loop, not a thread and a loop per request."""
    with start_blocking_portal() as portal:
        TestClient.portal = portal
        yield
        TestClient.portal = None


@pytest.fixture
def both(world: World) -> Callable[[Callable[..., Any]], Both]:
    """Put an example, a function of a host, on FastAPI and on Django in this world."""

    def put(example: Callable[..., Any]) -> Both:
        return Both(example, world)

    return put
