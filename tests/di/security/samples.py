"""One of each scheme, by the name that it has in `di.security` and in `fastapi.security`."""

from __future__ import annotations

from typing import Any

OPTIONS: dict[str, dict[str, Any]] = {
    "APIKeyQuery": {"name": "key"},
    "APIKeyHeader": {"name": "X-Key"},
    "APIKeyCookie": {"name": "key"},
    "HTTPBase": {"scheme": "token"},
    "HTTPBasic": {"realm": "here"},
    "HTTPBearer": {"bearerFormat": "JWT"},
    "HTTPDigest": {},
    "OAuth2": {"flows": {"implicit": {"authorizationUrl": "/authorize"}}},
    "OAuth2PasswordBearer": {"tokenUrl": "/token", "scopes": {"me": "Yourself."}},
    "OAuth2AuthorizationCodeBearer": {"authorizationUrl": "/authorize", "tokenUrl": "/token"},
    "OpenIdConnect": {"openIdConnectUrl": "https://id.example/.well-known/openid-configuration"},
}
"""What each is made with."""

CREDENTIALS: dict[str, dict[str, Any]] = {
    "APIKeyQuery": {"query": "?key=abc"},
    "APIKeyHeader": {"headers": {"X-Key": "abc"}},
    "APIKeyCookie": {"headers": {"Cookie": "key=abc"}},
    "HTTPBase": {"headers": {"Authorization": "Token abc"}},
    "HTTPBasic": {"headers": {"Authorization": "Basic YW5uOnNlY3JldA=="}},
    "HTTPBearer": {"headers": {"Authorization": "Bearer abc"}},
    "HTTPDigest": {"headers": {"Authorization": "Digest abc"}},
    "OAuth2": {"headers": {"Authorization": "Anything abc"}},
    "OAuth2PasswordBearer": {"headers": {"Authorization": "Bearer abc"}},
    "OAuth2AuthorizationCodeBearer": {"headers": {"Authorization": "Bearer abc"}},
    "OpenIdConnect": {"headers": {"Authorization": "Anything abc"}},
}
"""A request that each accepts."""


def make(security: Any, name: str, **more: Any) -> Any:
    """Return the scheme *name* of *security*, a module."""
    return getattr(security, name)(**OPTIONS[name], **more)
