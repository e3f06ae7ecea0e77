"""API keys in a query parameter, a header or a cookie."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from ninja.utils import check_csrf

from di.http import HTTPException
from di.security.base import SecurityBase


class APIKeyBase(SecurityBase):
    """What the three have in common: a *name*, and a value that must not be empty."""

    def __init__(
        self,
        location: Literal["query", "header", "cookie"],
        name: str,
        *,
        scheme_name: str | None,
        description: str | None,
        auto_error: bool,
    ) -> None:
        self.name = name
        super().__init__(
            {"type": "apiKey", "in": location, "name": name},
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def make_not_authenticated_error(self) -> HTTPException:
        """Return the refusal of a request without a key, for a subclass to change.

        A 401 must name a challenge (RFC 9110 §15.5.2), and none is registered for keys:
        ``APIKey`` is FastAPI's.
        """
        return HTTPException(401, "Not authenticated", {"WWW-Authenticate": "APIKey"})

    def check_api_key(self, api_key: str | None) -> str | None:
        """Return *api_key*, or None for an empty one, for a subclass to change.

        Raises:
            HTTPException: there is none, and *auto_error* is on.
        """
        if api_key:
            return api_key
        self.refuse()
        return None


class APIKeyQuery(APIKeyBase):
    """A key in a query parameter; its value is the key.

    Args:
        name: of the parameter.
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without a key; otherwise the value is None.
    """

    def __init__(
        self,
        *,
        name: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(
            "query",
            name,
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def __call__(self, request: HttpRequest) -> str | None:
        """Return the key in the query of *request*; see `check_api_key`."""
        return self.check_api_key(request.GET.get(self.name))


class APIKeyHeader(APIKeyBase):
    """A key in a header; its value is the key.

    Args:
        name: of the header, with hyphens: servers drop headers with underscores.
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without a key; otherwise the value is None.
    """

    def __init__(
        self,
        *,
        name: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(
            "header",
            name,
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def __call__(self, request: HttpRequest) -> str | None:
        """Return the key in the header of *request*; see `check_api_key`."""
        return self.check_api_key(request.headers.get(self.name))


class APIKeyCookie(APIKeyBase):
    """A key in a cookie; its value is the key.

    A browser sends cookies with requests that other sites make it send, and Ninja exempts
    its views from Django's check of that, so the check is made here: a key that comes
    without a CSRF token, by a method that is not safe (RFC 9110 §9.2.1), does not count.

    Args:
        name: of the cookie.
        scheme_name: its name in OpenAPI, by default that of the class.
        description: of the scheme, in Markdown.
        auto_error: refuse a request without a key; otherwise the value is None.
        csrf: whether to check, as in Ninja's own `APIKeyCookie`; a view with Django's
            ``@csrf_exempt`` is never checked.
    """

    def __init__(
        self,
        *,
        name: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
        csrf: bool = True,
    ) -> None:
        self.csrf = csrf
        super().__init__(
            "cookie",
            name,
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def __call__(self, request: HttpRequest) -> str | None:
        """Return the key in the cookie of *request*; see `check_api_key`.

        Raises:
            HTTPException: 403 for a key without a CSRF token, if *auto_error* is on.
        """
        api_key = self.check_api_key(request.COOKIES.get(self.name))
        if api_key is None or self._is_first_party(request):
            return api_key
        if self.auto_error:
            raise HTTPException(403, "CSRF check failed")
        return None

    def _is_first_party(self, request: HttpRequest) -> bool:
        is_exempt = not self.csrf or getattr(request, "_ninja_csrf_exempt", False)
        return is_exempt or check_csrf(request) is None
