"""The pytest plugin."""

from __future__ import annotations

from typing import Any

import pytest

from di import Depends, call, override
from di.overrides import current, live_override
from tests.di import samples


def job(n: int = Depends(samples.function)) -> int:
    return n


@pytest.mark.row("K8")
def test_stand_ins_hold_as_soon_as_they_are_there(dependency_overrides: dict[Any, Any]) -> None:
    """Added, changed and removed while the test runs; blocks inside come on top."""
    assert call(job) == 1
    dependency_overrides[samples.function] = lambda: 2
    assert call(job) == 2
    with override({samples.function: lambda: 3}):
        assert call(job) == 3
    del dependency_overrides[samples.function]
    assert call(job) == 1


def test_they_come_on_top_of_a_block_and_end() -> None:
    """What was there before is there again, also if the test fails."""
    with override({job: samples.function}):
        with pytest.raises(KeyError), live_override() as stand_ins:
            stand_ins[samples.function] = job
            assert set(current()) == {job, samples.function}
            raise KeyError
        assert set(current()) == {job}
    assert current() == {}


def test_the_plugin_needs_no_django() -> None:
    """Pytest loads it before anybody has said where the settings are."""
    import subprocess
    import sys

    code = "import di.testing, sys; sys.exit('django' in sys.modules or 'ninja' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env={}).returncode == 0  # noqa: S603 - our own code
