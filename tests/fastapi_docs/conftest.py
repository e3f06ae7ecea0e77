"""An example of FastAPI's documentation, on both hosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.di.conftest import World, world
from tests.fastapi_docs.hosts import Both

__all__ = ["both", "world"]


@pytest.fixture
def both(world: World) -> Callable[[Callable[..., Any]], Both]:
    """Put an example, a function of a host, on FastAPI and on Django in this world."""

    def put(example: Callable[..., Any]) -> Both:
        return Both(example, world)

    return put
