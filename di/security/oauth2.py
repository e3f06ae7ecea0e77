"""OAuth2 schemes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from di.http import HTTPException
from di.security.base import SecurityBase


class OAuth2PasswordBearer(SecurityBase):
    """A bearer token, to be had for a password at *tokenUrl*; its value is the token.

    Args:
        tokenUrl: where the token is issued, relative to the API's root or absolute.
        scheme_name: its name in OpenAPI, by default that of the class.
        scopes: what each scope allows.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without a token; otherwise the value is None.
        refreshUrl: where a new token is issued for an old one.
    """

    def __init__(  # noqa: PLR0913 - FastAPI's arguments
        self,
        tokenUrl: str,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        scopes: Mapping[str, str] | None = None,
        description: str | None = None,
        *,
        auto_error: bool = True,
        refreshUrl: str | None = None,  # noqa: N803 - OpenAPI's name
    ) -> None:
        flow: dict[str, Any] = {"tokenUrl": tokenUrl, "scopes": dict(scopes or {})}
        if refreshUrl is not None:
            flow["refreshUrl"] = refreshUrl
        model: dict[str, Any] = {"type": "oauth2", "flows": {"password": flow}}
        if description is not None:
            model["description"] = description
        super().__init__(model, scheme_name, auto_error=auto_error)

    def __call__(self, request: HttpRequest) -> str | None:
        """Return the token in the request's ``Authorization`` header.

        Raises:
            HTTPException: there is none, and *auto_error* is on.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        if self.auto_error:
            raise self.make_not_authenticated_error()
        return None

    def make_not_authenticated_error(self) -> HTTPException:
        """Return the refusal of a request without a token, for a subclass to change."""
        return HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
