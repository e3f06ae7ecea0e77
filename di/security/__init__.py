"""Security schemes: dependables that OpenAPI knows, with FastAPI's names.

Imported when first used, like the names of `di` itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from di.security.api_key import APIKeyCookie, APIKeyHeader, APIKeyQuery
    from di.security.http import (
        HTTPAuthorizationCredentials,
        HTTPBase,
        HTTPBasic,
        HTTPBasicCredentials,
        HTTPBearer,
        HTTPDigest,
    )
    from di.security.oauth2 import (
        OAuth2,
        OAuth2AuthorizationCodeBearer,
        OAuth2PasswordBearer,
        OAuth2PasswordRequestForm,
        OAuth2PasswordRequestFormStrict,
    )
    from di.security.open_id_connect import OpenIdConnect

__all__ = [
    "APIKeyCookie",
    "APIKeyHeader",
    "APIKeyQuery",
    "HTTPAuthorizationCredentials",
    "HTTPBase",
    "HTTPBasic",
    "HTTPBasicCredentials",
    "HTTPBearer",
    "HTTPDigest",
    "OAuth2",
    "OAuth2AuthorizationCodeBearer",
    "OAuth2PasswordBearer",
    "OAuth2PasswordRequestForm",
    "OAuth2PasswordRequestFormStrict",
    "OpenIdConnect",
]

_HOMES = {
    "APIKeyCookie": "di.security.api_key",
    "APIKeyHeader": "di.security.api_key",
    "APIKeyQuery": "di.security.api_key",
    "HTTPAuthorizationCredentials": "di.security.http",
    "HTTPBase": "di.security.http",
    "HTTPBasic": "di.security.http",
    "HTTPBasicCredentials": "di.security.http",
    "HTTPBearer": "di.security.http",
    "HTTPDigest": "di.security.http",
    "OAuth2": "di.security.oauth2",
    "OAuth2AuthorizationCodeBearer": "di.security.oauth2",
    "OAuth2PasswordBearer": "di.security.oauth2",
    "OAuth2PasswordRequestForm": "di.security.oauth2",
    "OAuth2PasswordRequestFormStrict": "di.security.oauth2",
    "OpenIdConnect": "di.security.open_id_connect",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'di.security' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
