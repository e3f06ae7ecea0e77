"""Django's middlewares without the trips to a thread that they do not need under ASGI.

Django runs ``process_request`` and ``process_response`` of each in the request's thread, because
some other middleware may wait there. Those of Django wait for the database only when a session or
messages are written, and when a form is read for its CSRF token. A trip costs more than all that
one of them does. Nothing else is different, and under WSGI nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.deprecation import MiddlewareMixin

_CSRF_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


class _Inline(MiddlewareMixin):
    """A middleware whose work is done on the loop, unless it `may_wait`."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        before: Callable[..., Any] | None = getattr(self, "process_request", None)
        response: HttpResponseBase | None = before(request) if before is not None else None
        if response is None:
            response = await self.get_response(request)  # type: ignore[misc]
        after: Callable[..., Any] | None = getattr(self, "process_response", None)
        if after is None:
            return response
        if self.may_wait(request):
            response = await sync_to_async(after)(request, response)
        else:
            response = after(request, response)
        return response

    def may_wait(self, request: HttpRequest) -> bool:  # noqa: ARG002 - for those that may
        """Return True if ``process_response`` may ask a database."""
        return False


class Security(_Inline, SecurityMiddleware):
    """Redirect to HTTPS, and set headers."""


class Common(_Inline, CommonMiddleware):
    """Refuse foreign hosts, and tell the length."""


class Authentication(_Inline, AuthenticationMiddleware):
    """Set ``request.user``, which is read when it is used."""


class XFrameOptions(_Inline, XFrameOptionsMiddleware):
    """Set a header."""


class Session(_Inline, SessionMiddleware):
    """Set ``request.session``, which is read when it is used, and save it if it was changed."""

    def may_wait(self, request: HttpRequest) -> bool:
        """Return True if the session is to be saved."""
        return request.session.modified or settings.SESSION_SAVE_EVERY_REQUEST


class Messages(_Inline, MessageMiddleware):
    """Keep messages for the next page, if there are any."""

    def may_wait(self, request: HttpRequest) -> bool:
        """Return True if messages were shown or added, which changes the session."""
        messages = request._messages  # type: ignore[attr-defined]  # noqa: SLF001 - Django's name
        return messages.used or messages.added_new  # type: ignore[no-any-return]


class Csrf(_Inline, CsrfViewMiddleware):
    """Check the CSRF token of unsafe requests, and set the cookie."""

    def __init__(self, get_response: Callable[..., Any]) -> None:
        super().__init__(get_response)
        if self.async_mode:
            self.process_view = self.aprocess_view  # type: ignore[method-assign, assignment]

    async def aprocess_view(
        self, request: HttpRequest, view: Callable[..., Any], *arguments: Any
    ) -> HttpResponseBase | None:
        """Return the refusal of *request*, None if it may go on."""
        check = super().process_view
        if getattr(view, "csrf_exempt", False) or request.method in _CSRF_SAFE:
            return check(request, view, *arguments)
        return await sync_to_async(check)(request, view, *arguments)


_INLINE: dict[str, type[MiddlewareMixin]] = {
    f"{base.__module__}.{base.__qualname__}": one
    for one in (Security, Session, Common, Csrf, Authentication, Messages, XFrameOptions)
    for base in [one.__bases__[1]]
}


@contextmanager
def inlined() -> Iterator[None]:
    """Let the handler that is made meanwhile have these middlewares in place of Django's.

    Afterwards the settings have Django's names, because its deployment checks look for these.
    """
    names = settings.MIDDLEWARE
    settings.MIDDLEWARE = [
        f"{__name__}.{_INLINE[name].__qualname__}" if name in _INLINE else name for name in names
    ]
    try:
        yield
    finally:
        settings.MIDDLEWARE = names
