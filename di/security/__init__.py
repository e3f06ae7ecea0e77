"""Security schemes: dependables that OpenAPI knows, with FastAPI's names.

Imported when first used, like the names of `di` itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from di.security.oauth2 import OAuth2PasswordBearer

__all__ = ["OAuth2PasswordBearer"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module 'di.security' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module("di.security.oauth2"), name)
