"""The pytest plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from di.overrides import live_override


@pytest.fixture
def dependency_overrides() -> Iterator[dict[Callable[..., Any], Callable[..., Any]]]:
    """Return stand-ins that hold for one test: ``dependency_overrides[original] = stand_in``."""
    with live_override() as stand_ins:
        yield stand_ins
