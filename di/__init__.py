"""FastAPI's `Depends()` and `Security()`, hosted by Django Ninja.

Names are imported when they are first used: Ninja cannot be imported before Django's
settings are known, and parts of `di` are needed earlier.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from di.background import BackgroundTasks
    from di.calling import acall, call
    from di.exceptions import DependencyError
    from di.http import HTTPException
    from di.markers import Depends, Security, SecurityScopes, dependable
    from di.operation import inject
    from di.overrides import override
    from di.routing import NinjaAPI, Router

__all__ = [
    "BackgroundTasks",
    "DependencyError",
    "Depends",
    "HTTPException",
    "NinjaAPI",
    "Router",
    "Security",
    "SecurityScopes",
    "acall",
    "call",
    "dependable",
    "inject",
    "override",
]

_HOMES = {
    "BackgroundTasks": "di.background",
    "DependencyError": "di.exceptions",
    "Depends": "di.markers",
    "HTTPException": "di.http",
    "NinjaAPI": "di.routing",
    "Router": "di.routing",
    "Security": "di.markers",
    "SecurityScopes": "di.markers",
    "acall": "di.calling",
    "call": "di.calling",
    "dependable": "di.markers",
    "inject": "di.operation",
    "override": "di.overrides",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'di' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
