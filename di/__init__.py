"""FastAPI's `Depends()` and `Security()`, hosted by Django Ninja.

Names are imported when they are first used: Ninja cannot be imported before Django's
settings are known, and parts of `di` are needed earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from di.background import BackgroundTasks as BackgroundTasks
    from di.calling import acall as acall
    from di.calling import call as call
    from di.exceptions import DependencyError as DependencyError
    from di.http import HTTPException as HTTPException
    from di.markers import Depends as Depends
    from di.markers import Security as Security
    from di.markers import SecurityScopes as SecurityScopes
    from di.markers import dependable as dependable
    from di.operation import inject as inject
    from di.overrides import override as override
    from di.routing import NinjaAPI as NinjaAPI
    from di.routing import Router as Router
else:
    from di.foreign import missing_name
    from di.lazy import lazily

    __getattr__, __dir__, __all__ = lazily(
        __name__,
        {
            "background": ["BackgroundTasks"],
            "calling": ["acall", "call"],
            "exceptions": ["DependencyError"],
            "http": ["HTTPException"],
            "markers": ["Depends", "Security", "SecurityScopes", "dependable"],
            "operation": ["inject"],
            "overrides": ["override"],
            "routing": ["NinjaAPI", "Router"],
        },
        missing_name,
    )
