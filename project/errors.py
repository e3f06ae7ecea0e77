"""Errors of the framework, answered in the API's own format."""

from __future__ import annotations

import functools
import json
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException
from ninja import NinjaAPI
from ninja.errors import HttpError

from di.http import HTTPException
from project.logs import request_id
from project.parser import BodyError

_ANSWERS: dict[type[Exception], HTTPException] = {
    RequestDataTooBig: HTTPException(413, "The request is too large"),
    TooManyFieldsSent: HTTPException(400, "The request has too many fields"),
    MultiPartParserError: HTTPException(400, "The form cannot be read"),
    UnreadablePostError: HTTPException(400, "The body ended early"),
    # A CSRF check has read the body, which it does for forms only.
    RawPostDataException: HTTPException(415, "Send application/json"),
}
"""What Django raises while a body or a query is read, and would answer as 400 or 500."""


def register(api: NinjaAPI) -> None:
    """Let *api* answer what Django and the parser raise."""
    for error_class, answer in _ANSWERS.items():
        api.add_exception_handler(error_class, functools.partial(_answer_with, answer, api=api))
    api.add_exception_handler(HttpError, functools.partial(_answer, api=api))
    # Ninja shows a traceback to the client while DEBUG is on.
    api.add_exception_handler(Exception, _pass_on)


def convert(response: HttpResponseBase) -> None:
    """Make *response*, an error that the framework answers in HTML or text, one in JSON.

    It stays the same object, with the headers, cookies and closers that it has.
    """
    if not isinstance(response, HttpResponse) or is_json(response):
        return
    body = {"detail": response.reason_phrase}
    if response.status_code >= 500:  # noqa: PLR2004 - HTTP's own number
        body["request_id"] = request_id.get()
    response.content = json.dumps(body).encode()
    response.headers["Content-Type"] = "application/json"
    response.headers["Content-Length"] = str(len(response.content))
    if "Allow" in response.headers:
        response.headers["Allow"] = ", ".join(sorted(response.headers["Allow"].split(", ")))


def is_json(response: HttpResponseBase) -> bool:
    """Whether *response* says that it is JSON."""
    return response.headers.get("Content-Type", "").startswith("application/json")


def is_api(request: HttpRequest) -> bool:
    """Whether *request* is for the API."""
    return f"{request.path_info}/".startswith(settings.API_PREFIX)


def _answer(request: HttpRequest, error: HttpError, *, api: NinjaAPI) -> HttpResponse:
    """Answer *error*; why a body cannot be read is hidden behind Ninja's own words."""
    cause = error.__cause__
    if isinstance(cause, BodyError):
        error = cause
    elif isinstance(cause, RawPostDataException):
        error = _ANSWERS[RawPostDataException]
    body = error.body() if isinstance(error, HTTPException) else {"detail": str(error)}
    return api.create_response(request, body, status=error.status_code)


def _answer_with(
    answer: HTTPException,
    request: HttpRequest,
    error: Exception,  # noqa: ARG001 - its text is for the log
    *,
    api: NinjaAPI,
) -> HttpResponse:
    return api.create_response(request, answer.body(), status=answer.status_code)


def _pass_on(request: HttpRequest, error: Any) -> NoReturn:  # noqa: ARG001 - Ninja's signature
    raise error
