"""OAuth2: the schemes (RFC 6749), and the form of its password flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Form
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticKnownError

from di.http import HTTPException
from di.security.base import SecurityBase, get_authorization_scheme_param


def _refuse_empty(value: object) -> object:
    if value == "":
        raise PydanticKnownError("missing")
    return value


# A browser sends a field that nobody filled in as an empty one.
_Required = Annotated[str, BeforeValidator(_refuse_empty)]
_Optional = Annotated[str | None, BeforeValidator(lambda value: value or None)]
_PASSWORD = Field(json_schema_extra={"format": "password"})


class OAuth2PasswordRequestForm:
    """The form of the password flow (RFC 6749 §4.3.2), for ``Depends()`` to read.

    Args:
        grant_type: "password", or left out; see `OAuth2PasswordRequestFormStrict`.
        username: must not be empty.
        password: must not be empty.
        scope: scopes, separated by spaces; `scopes` is the list of them.
        client_id: of the client, unless it authenticates by HTTP Basic.
        client_secret: the same.
    """

    # Ninja loses a default beside further metadata, unless its Form has it too.
    def __init__(  # noqa: PLR0913 - the fields of the RFC
        self,
        *,
        grant_type: Annotated[_Optional, Form(None, pattern="^password$")] = None,
        username: Annotated[_Required, Form()],
        password: Annotated[_Required, _PASSWORD, Form()],
        scope: Annotated[str, Form()] = "",
        client_id: Annotated[_Optional, Form(None)] = None,
        client_secret: Annotated[_Optional, _PASSWORD, Form(None)] = None,
    ) -> None:
        self.grant_type = grant_type
        self.username = username
        self.password = password
        self.scopes = scope.split()
        self.client_id = client_id
        self.client_secret = client_secret


class OAuth2PasswordRequestFormStrict(OAuth2PasswordRequestForm):
    """The same form, of which *grant_type* is required, as the RFC has it."""

    def __init__(  # noqa: PLR0913, PLR0917 - the fields of the RFC, by position as in FastAPI
        self,
        grant_type: Annotated[_Required, Form(pattern="^password$")],
        username: Annotated[_Required, Form()],
        password: Annotated[_Required, Form()],
        scope: Annotated[str, Form()] = "",
        client_id: Annotated[_Optional, Form(None)] = None,
        client_secret: Annotated[_Optional, Form(None)] = None,
    ) -> None:
        super().__init__(
            grant_type=grant_type,
            username=username,
            password=password,
            scope=scope,
            client_id=client_id,
            client_secret=client_secret,
        )


class OAuth2(SecurityBase):
    """OAuth2 by any of its flows; its value is the whole ``Authorization`` header.

    Args:
        flows: an OAuth Flow Object (OpenAPI 3.1 §4.8.29) by the name of each flow; URLs
            are relative to the API's root or absolute.
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without the header; otherwise the value is None.
    """

    def __init__(
        self,
        *,
        flows: Mapping[str, Mapping[str, Any]] | None = None,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        model = {
            "type": "oauth2",
            "flows": {name: _without_none(flow) for name, flow in (flows or {}).items()},
        }
        super().__init__(
            model, scheme_name=scheme_name, description=description, auto_error=auto_error
        )

    def make_not_authenticated_error(self) -> HTTPException:
        """Return the refusal of a request without credentials, for a subclass to change.

        OAuth2 defines no challenge of its own; ``Bearer`` is what most of it uses.
        """
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


class _OAuth2Bearer(OAuth2):
    """OAuth2 by a flow that ends in a bearer token; its value is the token."""

    def __call__(self, request: HttpRequest) -> str | None:
        """Return the token in the request's ``Authorization`` header (RFC 6750 §2.1).

        Raises:
            HTTPException: there is none, and *auto_error* is on.
        """
        scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() == "bearer" and token:
            return token
        self.refuse()
        return None


class OAuth2PasswordBearer(_OAuth2Bearer):
    """A bearer token, to be had for a password at *tokenUrl*; its value is the token.

    Args:
        tokenUrl: where the token is issued, relative to the API's root or absolute.
        scheme_name: its name in OpenAPI, by default that of the class.
        scopes: what each scope allows.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without a token; otherwise the value is None.
        refreshUrl: where a new token is issued for an old one.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - FastAPI's arguments
        self,
        tokenUrl: str,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        scopes: Mapping[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,  # noqa: FBT001, FBT002 - as in FastAPI
        refreshUrl: str | None = None,  # noqa: N803 - OpenAPI's name
    ) -> None:
        flow = {"tokenUrl": tokenUrl, "refreshUrl": refreshUrl, "scopes": scopes}
        super().__init__(
            flows={"password": flow},
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )


class OAuth2AuthorizationCodeBearer(_OAuth2Bearer):
    """A bearer token, to be had for a code (RFC 6749 §4.1); its value is the token.

    Args:
        authorizationUrl: where the user allows it, relative to the API's root or absolute.
        tokenUrl: where the token is issued for the code.
        refreshUrl: where a new token is issued for an old one.
        scheme_name: its name in OpenAPI, by default that of the class.
        scopes: what each scope allows.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without a token; otherwise the value is None.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - FastAPI's arguments
        self,
        authorizationUrl: str,  # noqa: N803 - OpenAPI's name
        tokenUrl: str,  # noqa: N803 - OpenAPI's name
        refreshUrl: str | None = None,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        scopes: Mapping[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,  # noqa: FBT001, FBT002 - as in FastAPI
    ) -> None:
        flow = {
            "authorizationUrl": authorizationUrl,
            "tokenUrl": tokenUrl,
            "refreshUrl": refreshUrl,
            "scopes": scopes,
        }
        super().__init__(
            flows={"authorizationCode": flow},
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )


def _without_none(flow: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of *flow* is there, and its scopes, which OpenAPI wants in any case."""
    present = {key: value for key, value in flow.items() if value is not None}
    return {**present, "scopes": dict(flow.get("scopes") or {})}
