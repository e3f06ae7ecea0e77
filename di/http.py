"""The exception that is an answer."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from http.client import responses
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from ninja.errors import HttpError

from di.exceptions import UnsupportedArgumentError
from di.foreign import is_foreign_answer, shown
from di.rendering import name_of

if TYPE_CHECKING:
    from ninja import NinjaAPI


_logger = logging.getLogger("di")


class HTTPException(HttpError):  # noqa: N818 - the name that FastAPI gave it
    """Raise it in a view or a dependable to answer with *status_code*.

    The body is ``{"detail": detail}``. Being Ninja's own `HttpError`, it is understood by
    every API; that its headers arrive is `handle`'s work, of which `di.plain` tells Ninja.

    Args:
        status_code: the HTTP status of the answer.
        detail: anything that JSON can hold; by default the status's own phrase.
        headers: header fields of the answer.

    Raises:
        UnsupportedArgumentError: an argument cannot be part of an answer.
    """

    def __init__(
        self,
        status_code: int,
        detail: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        _check_status(status_code, detail)
        if detail is None:
            detail = responses.get(status_code, "Unknown status code")
        if isinstance(detail, BaseException):
            problem = f"The detail of an HTTPException is {shown(detail)}, which JSON cannot hold."
            raise UnsupportedArgumentError(problem, hint="Write detail=str(error).")
        super().__init__(status_code, detail)
        self.detail = detail
        self.headers = _checked_headers(headers)

    def body(self) -> dict[str, Any]:
        """Return the answer's body, for a subclass to add to."""
        return {"detail": self.detail}

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code}, detail={self.detail!r})"


def _check_status(status_code: object, detail: object) -> None:
    is_number = isinstance(status_code, int) and not isinstance(status_code, bool)
    if is_number and status_code in _STATUSES:
        return
    problem = (
        f"The status code of an HTTPException is {shown(status_code)}, which is no HTTP status."
    )
    hint = 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'
    if isinstance(detail, int) and not is_number:
        hint = f"Swap the arguments: HTTPException({int(detail)}, {shown(status_code)})."
    raise UnsupportedArgumentError(problem, hint=hint)


def _checked_headers(headers: object) -> dict[str, str]:
    hint = 'Write a dictionary of strings: headers={"WWW-Authenticate": "Bearer"}.'
    problem = f"The headers of an HTTPException are {shown(headers)}, which is not a mapping."
    try:
        checked: dict[Any, Any] = dict(headers or {})  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise UnsupportedArgumentError(problem, hint=hint) from None
    for name, value in checked.items():
        is_text = isinstance(name, str) and isinstance(value, (str, bytes, int, float, Promise))
        if not is_text or any(end in f"{name}{value}" for end in "\r\n"):
            problem = (
                f"The header {shown(name)} of an HTTPException is {shown(value)}, which is not"
                " one line of text."
            )
            raise UnsupportedArgumentError(problem, hint=hint)
    return checked


_STATUSES = range(100, 600)


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


def translated(api: NinjaAPI, error: BaseException) -> BaseException:
    """Return our exception for an ``HTTPException`` of FastAPI's that *api* has no handler for."""
    handlers = api._exception_handlers  # noqa: SLF001 - no public way to ask
    own = {cls for cls in type(error).__mro__ if cls in handlers} - {Exception}
    if own or not is_foreign_answer(error):
        return error
    known: Any = error
    _logger.warning(
        "%s was raised and answered with its status. Import HTTPException from di instead.",
        name_of(type(error)),
        exc_info=error,
    )
    answer = HTTPException(known.status_code, known.detail, known.headers)
    answer.__cause__ = error
    return answer


def ensure_handled(api: NinjaAPI) -> None:
    """Let *api* answer an `HTTPException` with its headers, unless it has a handler."""
    handlers: dict[Any, Any] = api._exception_handlers  # noqa: SLF001 - a user's handler stays
    handlers.setdefault(HTTPException, functools.partial(handle, api))
