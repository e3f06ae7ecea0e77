"""The exception that is an answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja.errors import HttpError

if TYPE_CHECKING:
    from ninja import NinjaAPI


class HTTPException(HttpError):  # noqa: N818 - the name that FastAPI gave it
    """Raise it in a view or a dependable to answer with *status_code*.

    The body is ``{"detail": detail}``. Being Ninja's own `HttpError`, it is understood by
    every API; that its headers arrive is `handle`'s work, of which `di.plain` tells Ninja.

    Args:
        status_code: the HTTP status of the answer.
        detail: anything that JSON can hold; by default the status's own phrase.
        headers: header fields of the answer.
    """

    def __init__(
        self,
        status_code: int,
        detail: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if detail is None:
            detail = HTTPStatus(status_code).phrase
        super().__init__(status_code, detail)
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the answer's body, for a subclass to add to."""
        return {"detail": self.detail}

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code}, detail={self.detail!r})"


def handle(api: NinjaAPI, request: HttpRequest, error: HTTPException) -> HttpResponse:
    """Answer *error*, through the API's own handler of `HttpError` if it has one."""
    custom = api._exception_handlers.get(HttpError)  # noqa: SLF001 - no public way to ask
    is_default = getattr(getattr(custom, "func", None), "__module__", "") == HttpError.__module__
    if custom is None or is_default:
        response = api.create_response(request, error.body(), status=error.status_code)
    else:
        response = custom(request, error)
    for name, value in error.headers.items():
        response.headers.setdefault(name, value)
    return response


def ensure_handled(api: NinjaAPI) -> None:
    """Let *api* answer an `HTTPException` with its headers, unless it has a handler."""
    handlers: dict[Any, Any] = api._exception_handlers  # noqa: SLF001 - a user's handler stays
    handlers.setdefault(HTTPException, functools.partial(handle, api))
