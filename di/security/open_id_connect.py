"""OpenID Connect."""

from __future__ import annotations

from django.http import HttpRequest

from di.http import HTTPException
from di.security.base import SecurityBase


class OpenIdConnect(SecurityBase):
    """Credentials of OpenID Connect; its value is the whole ``Authorization`` header.

    It reads and documents only: nothing is fetched from *openIdConnectUrl*.

    Args:
        openIdConnectUrl: of the provider's configuration (OpenID Connect Discovery 1.0
            §4), relative to the API's root or absolute.
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without the header; otherwise the value is None.
    """

    def __init__(
        self,
        *,
        openIdConnectUrl: str,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(
            {"type": "openIdConnect", "openIdConnectUrl": openIdConnectUrl},
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def make_not_authenticated_error(self) -> HTTPException:
        """Return the refusal of a request without the header, for a subclass to change."""
        return HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})

    def __call__(self, request: HttpRequest) -> str | None:
        """Return the request's ``Authorization`` header.

        Raises:
            HTTPException: there is none, and *auto_error* is on.
        """
        if authorization := request.headers.get("Authorization"):
            return authorization
        self.refuse()
        return None
