"""The schemes of HTTP itself: Basic, Bearer, Digest."""

from __future__ import annotations

from base64 import b64decode

from django.http import HttpRequest
from pydantic import BaseModel

from di.http import HTTPException
from di.security.base import SecurityBase, get_authorization_scheme_param


class HTTPBasicCredentials(BaseModel):
    """What `HTTPBasic` has read."""

    username: str
    password: str


class HTTPAuthorizationCredentials(BaseModel):
    """An ``Authorization`` header, split at its first space; *scheme* as it was sent."""

    scheme: str
    credentials: str


class HTTPBase(SecurityBase):
    """Any scheme of the ``Authorization`` header; its value is what the header says.

    It takes credentials of every scheme; `HTTPBearer` and `HTTPDigest` of theirs only.

    Args:
        scheme: its name in IANA's registry, in lower case.
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without credentials; otherwise the value is None.
    """

    _takes_any = True

    def __init__(
        self,
        *,
        scheme: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self.scheme = scheme
        super().__init__(
            {"type": "http", "scheme": scheme},
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def make_authenticate_headers(self) -> dict[str, str]:
        """Return the headers of a refusal, for a subclass to change."""
        return {"WWW-Authenticate": self.scheme.title()}

    def make_not_authenticated_error(self) -> HTTPException:
        """Return the refusal of a request without credentials, for a subclass to change."""
        return HTTPException(401, "Not authenticated", self.make_authenticate_headers())

    def __call__(self, request: HttpRequest) -> HTTPAuthorizationCredentials | None:
        """Return the credentials in the request's ``Authorization`` header.

        Raises:
            HTTPException: there are none, and *auto_error* is on.
        """
        header = request.headers.get("Authorization")
        scheme, credentials = get_authorization_scheme_param(header)
        is_ours = self._takes_any or scheme.lower() == self.scheme
        if scheme and credentials and is_ours:
            return HTTPAuthorizationCredentials(scheme=scheme, credentials=credentials)
        self.refuse()
        return None


class HTTPBearer(HTTPBase):
    """A bearer token (RFC 6750 §2.1); its value is the scheme and the token.

    Args:
        bearerFormat: what the token looks like, for the reader of the documentation.
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without a token; otherwise the value is None.
    """

    _takes_any = False

    def __init__(
        self,
        *,
        bearerFormat: str | None = None,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(
            scheme="bearer",
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )
        if bearerFormat is not None:
            self.model["bearerFormat"] = bearerFormat


class HTTPDigest(HTTPBase):
    """Digest credentials (RFC 7616 §3.4); its value is the scheme and what follows it.

    It reads and documents only. A subclass must send a nonce in its challenge, and
    compare the digest.

    Args:
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without credentials; otherwise the value is None.
    """

    _takes_any = False

    def __init__(
        self,
        *,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(
            scheme="digest",
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )


class HTTPBasic(HTTPBase):
    """A user name and a password in ASCII (RFC 7617); its value is the two.

    Compare them with `secrets.compare_digest`, which does not tell by its duration how
    much of a guess was right.

    Args:
        scheme_name: its name in OpenAPI, by default that of the class.
        realm: what the browser tells its user to log in to.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without credentials; otherwise the value is None.
            Malformed credentials are refused in either case.
    """

    def __init__(
        self,
        *,
        scheme_name: str | None = None,
        realm: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self.realm = realm
        super().__init__(
            scheme="basic",
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def make_authenticate_headers(self) -> dict[str, str]:
        """Return the headers of a refusal, for a subclass to change."""
        challenge = f'Basic realm="{self.realm}"' if self.realm else "Basic"
        return {"WWW-Authenticate": challenge}

    def __call__(self, request: HttpRequest) -> HTTPBasicCredentials | None:  # type: ignore[override]
        """Return the user name and password in the request's ``Authorization`` header.

        Raises:
            HTTPException: the credentials are malformed, or there are none and *auto_error*
                is on.
        """
        scheme, param = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() != "basic":
            self.refuse()
            return None
        username, separator, password = _decode(param).partition(":")
        if not separator:
            raise self.make_not_authenticated_error()
        return HTTPBasicCredentials(username=username, password=password)


def _decode(param: str) -> str:
    """Return the text in *param*, empty if it is not ASCII in base64."""
    try:
        return b64decode(param).decode("ascii")
    except ValueError:
        return ""
