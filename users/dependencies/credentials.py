"""Which credential of a request counts, and whose it is.

``Authorization`` or else the session cookie; never one after the other has failed. A
browser sends its cookie by itself, so an unsafe request must show with Django's CSRF token
that this site's own page sent it. A token that is not in the header is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone
from ninja.utils import check_csrf

from di.http import HTTPException
from di.markers import Depends
from di.security.api_key import APIKeyCookie
from di.security.oauth2 import OAuth2PasswordBearer
from users import audit, conf, crud, scopes, sessions, tokens
from users.dependencies.errors import challenge, not_authenticated
from users.models import AccessToken, User

_BEARER = re.compile(r"bearer(?P<rest>[\s,].*)?", re.IGNORECASE | re.DOTALL)
_CREDENTIALS = re.compile(r" +(?P<token>[A-Za-z0-9._~+/-]+=*)")  # RFC 6750 §2.1
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        user: read from the database in this request.
        token: with which they call; None in a browser session, which has no scopes.
    """

    user: User
    token: AccessToken | None

    def missing_scopes(self, names: Collection[str]) -> list[str]:
        """Return those of *names* that the token lacks; a browser session lacks none."""
        held = names if self.token is None else self.token.scope.split()
        return [name for name in names if name not in held]

    @property
    def usable_scopes(self) -> list[str]:
        """The scopes that the credentials have and that the user may use now."""
        return [
            name
            for name, scope in scopes.SCOPES.items()
            if not self.missing_scopes([name]) and scope.may_be_granted_to(self.user)
        ]

    @property
    def is_admin(self) -> bool:
        """Whether they may act on superusers, and on privileges."""
        admin = scopes.SCOPES[scopes.ADMIN_SCOPE]
        return not self.missing_scopes([scopes.ADMIN_SCOPE]) and admin.permits(self.user, None)


class Bearer(OAuth2PasswordBearer):
    """Bearer tokens as RFC 6750 wants them: what cannot be read is a bad request."""

    def __call__(self, request: HttpRequest) -> str | None:
        """Return the credentials of a ``Bearer`` header (RFC 6750 §2.1), None without header.

        Raises:
            HTTPException: 401 if the header has another scheme, 400 if it cannot be read.
        """
        header = request.headers.get("Authorization")
        if header is None:
            return None
        found = _BEARER.fullmatch(header)
        if found is None:
            raise not_authenticated()
        rest = found["rest"] or ""
        if not rest.isascii():
            return rest  # readable, but no token of ours
        credentials = _CREDENTIALS.fullmatch(rest)
        if credentials is None:
            raise HTTPException(400, "Malformed credentials", challenge(error="invalid_request"))
        return credentials["token"]


def make_bearer() -> Bearer:
    """Return the scheme, which the docs page logs in with if the project allows that."""
    scheme = Bearer(
        tokenUrl="auth/token",
        scheme_name="bearer",
        scopes={name: scope.allows for name, scope in scopes.SCOPES.items()},
        description="An access token; log in for one with e-mail address and password.",
    )
    if not conf.allows_password_login():
        scheme.model = {"type": "http", "scheme": "bearer", "description": "An access token."}
    return scheme


class SessionCookie(APIKeyCookie):
    """The cookie of a browser session; whose it is, is Django's to say."""

    def make_not_authenticated_error(self) -> HTTPException:
        """Ask for a token, as everywhere."""
        return not_authenticated()


bearer_token = make_bearer()
session_cookie = SessionCookie(
    name=settings.SESSION_COOKIE_NAME,
    scheme_name="session",
    description="A browser session; unsafe requests need a CSRF token in X-CSRFToken.",
    csrf=False,  # checked below, when there is somebody to protect
)

SESSION_TOO: dict[str, Any] = {"security": [{"session": []}]}
"""For OpenAPI: instead of what else an operation takes, it takes a browser session."""


def enforce_csrf(request: HttpRequest) -> None:
    """Let only this site's own pages pass, by Django's rules.

    Raises:
        HTTPException: 403 for any other.
    """
    if getattr(request, "_ninja_csrf_exempt", False):  # the view is @csrf_exempt
        return
    if check_csrf(request) is not None:
        audit.record("csrf_failed", outcome="failure", operation=audit.operation())
        raise HTTPException(403, "CSRF check failed")


def get_caller(request: HttpRequest, text: Annotated[str | None, Depends(bearer_token)]) -> Caller:
    """Return who calls.

    Raises:
        HTTPException: 401 if nobody does, 403 if a browser was made to by another site.
    """
    if text is not None:
        token = get_access_token(text)
        return Caller(token.user, token)
    return Caller(session_user(request), None)


CallerDep = Annotated[Caller, Depends(get_caller)]


def get_browser_user(
    request: HttpRequest, _: Annotated[str | None, Depends(session_cookie)]
) -> User:
    """Return the user of a browser session; a token does not do.

    Raises:
        HTTPException: see `get_caller`.
    """
    if "Authorization" in request.headers:
        raise not_authenticated()
    return session_user(request)


BrowserUser = Annotated[User, Depends(get_browser_user)]


def session_user(request: HttpRequest) -> User:
    """Return the user of the request's session.

    Raises:
        HTTPException: 401 if there is none, 403 if another site may have sent it.
    """
    user = request.user
    if not isinstance(user, User):
        raise not_authenticated()
    if request.method not in _SAFE_METHODS:
        enforce_csrf(request)
    sessions.shorten(request, user)
    return user


def get_access_token(text: str) -> AccessToken:
    """Return the valid token that *text* is.

    Raises:
        HTTPException: 401, the same for whatever is wrong with it; the log has the reason.
    """
    recognized = tokens.recognize(text)
    if recognized is None:
        raise _invalid_token("malformed")
    token = crud.find_token(key=recognized.key)
    if token is None:
        raise _invalid_token("unknown", recognized.key)
    now = timezone.now()
    reason = token.refusal(now) if token.matches(text) else "wrong secret"
    if reason is not None:
        raise _invalid_token(reason, recognized.key)
    # Outside the request's transaction, and not worth failing for.
    with suppress(DatabaseError):
        crud.note_use(token=token, now=now)
    return token


def _invalid_token(reason: str, key: str | None = None) -> HTTPException:
    audit.record("token_rejected", outcome="failure", token=key, reason=reason)
    text = "The access token is invalid or expired"
    return HTTPException(401, text, challenge(error="invalid_token", error_description=text))
