"""The public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import di


def test_every_public_name_can_be_imported() -> None:
    """What __all__ promises is there, and dir() shows it."""
    assert [name for name in di.__all__ if getattr(di, name, None) is None] == []
    assert dir(di) == sorted(di.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy root says what is missing like any module."""
    with pytest.raises(AttributeError, match="module 'di' has no attribute 'nothing'"):
        _ = di.nothing  # type: ignore[attr-defined]


def test_the_core_needs_no_settings() -> None:
    """Markers can be imported where Django is not configured yet."""
    code = "import di, sys; di.Depends; di.override; sys.exit('ninja' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, env={})  # noqa: S603 - our own code
    assert done.returncode == 0
