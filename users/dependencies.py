"""What the routes depend on: who calls, what they may, what they sent."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from django.contrib.auth.hashers import make_password
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone
from ninja import Form, Query
from pydantic import SecretStr

from di.http import HTTPException
from di.markers import Depends
from di.security.oauth2 import OAuth2PasswordBearer
from users import crud, exceptions, scopes, tokens
from users.models import AccessToken, User
from users.schemas import MeUpdate, UserCreate, UserUpdate

logger = logging.getLogger("security")

_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1
_LONGEST_PASSWORD = 4_096
_NO_PASSWORD = SecretStr("")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

STATUSES: dict[type[exceptions.UsersError], int] = {
    exceptions.UserNotFoundError: 404,
    exceptions.EmailTakenError: 409,
    exceptions.ProtectedUserError: 403,
    exceptions.UndeletableUserError: 409,
}
"""What a broken rule means over HTTP."""


def rules() -> Iterator[None]:
    """Answer a broken rule of `crud` with its status."""
    try:
        yield
    except exceptions.UsersError as error:
        raise HTTPException(STATUSES[type(error)], str(error)) from error


RulesDep = Depends(rules, scope="function")


def common_parameters(
    q: Annotated[str | None, Query(max_length=100)] = None,
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> dict[str, Any]:
    """Return what lists have in common: a search text and a page."""
    return {"q": q, "skip": skip, "limit": limit}


class Bearer(OAuth2PasswordBearer):
    """Bearer tokens as RFC 6750 wants them: what cannot be read is a bad request."""

    def __call__(self, request: HttpRequest) -> str:
        """Return the credentials of a ``Bearer`` header (RFC 6750 §2.1).

        Raises:
            HTTPException: 401 if there are none, 400 if they cannot be read.
        """
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise self.make_not_authenticated_error()
        credentials = credentials.lstrip(" ")
        if credentials.isascii() and not _B64TOKEN.fullmatch(credentials):
            challenge = _challenge("invalid_request")
            raise HTTPException(400, "Malformed credentials", {"WWW-Authenticate": challenge})
        return credentials

    def make_not_authenticated_error(self) -> HTTPException:
        """Name the realm; RFC 6750 §3.1 wants no error code here."""
        return HTTPException(401, "Not authenticated", {"WWW-Authenticate": _challenge()})


bearer_token = Bearer(
    tokenUrl="auth/token",
    scheme_name="password",
    scopes={name: scope.allows for name, scope in scopes.SCOPES.items()},
    description="Log in with e-mail address and password.",
)


def get_access_token(text: Annotated[str, Depends(bearer_token)]) -> AccessToken:
    """Return the valid token that the request shows.

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


CurrentToken = Annotated[AccessToken, Depends(get_access_token)]


def get_current_user(token: CurrentToken) -> User:
    """Return the user whose token the request shows."""
    return token.user


CurrentUser = Annotated[User, Depends(get_current_user)]


@functools.cache
def permitted(permission: str) -> Callable[[User], User]:
    """Return the dependable that lets nobody pass without *permission*, held now."""

    def check(user: CurrentUser) -> User:
        if not user.has_perm(permission):
            raise HTTPException(403, "Permission denied")
        return user

    return check


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be created, the password already hashed."""

    name: str
    email: str
    password_hash: str


def new_user(user: UserCreate) -> NewUser:
    """Hash the password of a new user before a session is opened: hashing takes long."""
    password = user.password.get_secret_value() if "password" in user.model_fields_set else None
    return NewUser(user.name, user.email, make_password(password))


def user_changes(changes: UserUpdate) -> dict[str, Any]:
    """Return what is to change about a user, a new password hashed; see `new_user`."""
    given = changes.dict(exclude_unset=True)
    if "password" in given:
        given["password"] = make_password(changes.password.get_secret_value())
    return given


def my_changes(changes: MeUpdate) -> dict[str, Any]:
    """Return what users are to change about themselves."""
    return changes.dict(exclude_unset=True)


class TokenRequestError(HTTPException):
    """A request for a token that is refused (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str, status_code: int = 400) -> None:
        super().__init__(status_code, description, _NO_STORE)
        self.error = error

    def body(self) -> dict[str, Any]:
        """Return the answer's body: the API's own format and the RFC's."""
        return {"detail": self.detail, "error": self.error, "error_description": self.detail}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the password form holds."""

    username: str
    password: str
    scope: str | None

    def __repr__(self) -> str:
        return "Credentials(...)"


def password_form(
    request: HttpRequest,
    username: Annotated[str, Form(description="The e-mail address.")] = "",
    password: Annotated[SecretStr, Form()] = _NO_PASSWORD,
    scope: Annotated[str | None, Form(description="Scopes, separated by spaces.")] = None,
    grant_type: Annotated[str | None, Form(description="password, or left out.")] = None,
) -> Credentials:
    """Return the credentials in a form of RFC 6749 §4.3.

    Raises:
        HTTPException: 415 for anything but a form.
        TokenRequestError: a field is missing, given twice, or cannot be read.
    """
    if request.content_type not in _FORMS:
        raise HTTPException(415, "Send a form", _NO_STORE)
    fields = ("username", "password", "scope", "grant_type", "client_id", "client_secret")
    if any(len(request.POST.getlist(field)) > 1 for field in fields):
        raise TokenRequestError("invalid_request", "A field is given twice")
    if grant_type not in (None, "", "password"):
        raise TokenRequestError("unsupported_grant_type", "Only the grant type password is known")
    secret = password.get_secret_value()
    if not username or not secret:
        raise TokenRequestError("invalid_request", "username and password are required")
    # Django has replaced what was not UTF-8 with U+FFFD.
    if any(bad in text for text in (username, secret) for bad in "\x00\ufffd"):
        raise TokenRequestError("invalid_request", "A field cannot be read")
    if len(secret) > _LONGEST_PASSWORD:
        raise TokenRequestError("invalid_request", "The password is too long")
    return Credentials(username, secret, scope)


def login(
    request: HttpRequest, credentials: Annotated[Credentials, Depends(password_form)]
) -> User:
    """Return the user who logs in.

    Raises:
        TokenRequestError: the same for a wrong password, an unknown address, a user who is
            inactive or has no password.
    """
    user = crud.authenticate(
        request=request, email=credentials.username, password=credentials.password
    )
    if user is None:
        raise TokenRequestError("invalid_grant", "Incorrect username or password")
    return user


LoggedIn = Annotated[User, Depends(login)]


def granted_scope(
    credentials: Annotated[Credentials, Depends(password_form)],
    user: LoggedIn,
) -> str:
    """Return the scope of the token to be issued.

    Raises:
        TokenRequestError: nothing of what was asked for can be granted.
    """
    try:
        return scopes.grant(credentials.scope, user)
    except exceptions.InvalidScopeError as error:
        raise TokenRequestError("invalid_scope", str(error)) from error


def _challenge(error: str = "", description: str = "") -> str:
    """Return a ``WWW-Authenticate`` value (RFC 6750 §3)."""
    parts = ['realm="api"']
    if error:
        parts.append(f'error="{error}"')
    if description:
        parts.append(f'error_description="{description}"')
    return f"Bearer {', '.join(parts)}"


def _invalid_token(reason: str, key: str = "") -> HTTPException:
    logger.info("token rejected: key=%s reason=%s", key or "-", reason)
    text = "The access token is invalid or expired"
    return HTTPException(401, text, {"WWW-Authenticate": _challenge("invalid_token", text)})
