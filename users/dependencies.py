"""What the routes depend on: who calls, what they may, what they sent."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone
from ninja import Form, Query
from ninja.errors import ValidationError as InvalidInputError
from pydantic import SecretStr

from di.http import HTTPException
from di.markers import Depends
from di.security.oauth2 import OAuth2PasswordBearer
from di.sessions import ReadSessionDep
from users import crud, exceptions, scopes, tokens
from users.models import AccessToken, User
from users.schemas import MeUpdate, UserCreate, UserUpdate

logger = logging.getLogger("security")

_BEARER = re.compile(r"bearer(?P<rest>[\s,].*)?", re.IGNORECASE | re.DOTALL)
_CREDENTIALS = re.compile(r" +(?P<token>[A-Za-z0-9._~+/-]+=*)")  # RFC 6750 §2.1
_LONGEST_PASSWORD = 4_096
_NOTHING = SecretStr("")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_FIELDS = ("username", "password", "scope", "grant_type", "client_id", "client_secret")
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenRequestError(HTTPException):
    """A request for a token that is refused (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, description, _NO_STORE)
        self.error = error

    def body(self) -> dict[str, Any]:
        """Return the answer's body: the API's own format and the RFC's."""
        return {"detail": self.detail, "error": self.error, "error_description": self.detail}


ANSWERS: dict[type[exceptions.UsersError], Callable[[str], HTTPException]] = {
    exceptions.UserNotFoundError: functools.partial(HTTPException, 404),
    exceptions.EmailTakenError: functools.partial(HTTPException, 409),
    exceptions.ProtectedUserError: functools.partial(HTTPException, 403),
    exceptions.UndeletableUserError: functools.partial(HTTPException, 409),
    exceptions.WrongCredentialsError: functools.partial(TokenRequestError, "invalid_grant"),
    exceptions.InvalidScopeError: functools.partial(TokenRequestError, "invalid_scope"),
}
"""What a broken rule means over HTTP."""


def rules() -> Iterator[None]:
    """Answer a broken rule as `ANSWERS` says."""
    try:
        yield
    except exceptions.UsersError as error:
        raise ANSWERS[type(error)](str(error)) from error


RulesDep = Depends(rules, scope="function")


def common_parameters(
    request: HttpRequest,
    q: Annotated[str | None, Query(max_length=100, pattern="^[^\x00]*$")] = None,
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> dict[str, Any]:
    """Return what lists have in common: a search text and a page."""
    commons = {"q": q, "skip": skip, "limit": limit}
    for name in commons:
        if len(request.GET.getlist(name)) > 1:
            raise _invalid("query", name, "Give it once")
    return commons


class Bearer(OAuth2PasswordBearer):
    """Bearer tokens as RFC 6750 wants them: what cannot be read is a bad request."""

    def __call__(self, request: HttpRequest) -> str:
        """Return the credentials of a ``Bearer`` header (RFC 6750 §2.1).

        Raises:
            HTTPException: 401 if there are none, 400 if they cannot be read.
        """
        found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if found is None:
            raise self.make_not_authenticated_error()
        rest = found["rest"] or ""
        if not rest.isascii():
            return rest  # readable, but no token of ours
        credentials = _CREDENTIALS.fullmatch(rest)
        if credentials is None:
            challenge = _challenge("invalid_request")
            raise HTTPException(400, "Malformed credentials", {"WWW-Authenticate": challenge})
        return credentials["token"]

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


ShownToken = Annotated[AccessToken, Depends(get_access_token)]


def get_current_user(token: ShownToken) -> User:
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
    password_hash: str = field(repr=False)


def new_user(user: UserCreate) -> NewUser:
    """Return a user to be created, the password checked and hashed.

    That comes before a session is opened: hashing takes long, and others would wait.
    """
    password_hash = make_password(None)
    if "password" in user.model_fields_set:
        owner = User(name=user.name, email=user.email)
        password_hash = _hash("user", user.password, owner)
    return NewUser(user.name, user.email, password_hash)


def user_changes(changes: UserUpdate, user_id: int, session: ReadSessionDep) -> dict[str, Any]:
    """Return what is to change about a user, a new password hashed; see `new_user`."""
    given = changes.dict(exclude_unset=True)
    if "password" in given:
        owner = crud.get_user(session=session, user_id=user_id)
        owner.name, owner.email = given.get("name", owner.name), given.get("email", owner.email)
        given["password"] = _hash("changes", changes.password, owner)
    return given


def my_changes(changes: MeUpdate) -> dict[str, Any]:
    """Return what users are to change about themselves."""
    return changes.dict(exclude_unset=True)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the password form holds."""

    username: str
    password: str = field(repr=False)
    scope: str | None


def password_form(
    request: HttpRequest,
    username: Annotated[str, Form(description="The e-mail address.")] = "",
    password: Annotated[SecretStr, Form()] = _NOTHING,
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
    given = [request.POST.getlist(name) for name in _FIELDS]
    if any(len(values) > 1 for values in given):
        raise TokenRequestError("invalid_request", "A field is given twice")
    # Django has replaced what was not UTF-8 with U+FFFD.
    if any(bad in value for values in given for value in values for bad in "\x00\ufffd"):
        raise TokenRequestError("invalid_request", "A field cannot be read")
    if grant_type not in (None, "", "password"):
        raise TokenRequestError("unsupported_grant_type", "Only the grant type password is known")
    secret = password.get_secret_value()
    if not username or not secret:
        raise TokenRequestError("invalid_request", "username and password are required")
    if len(secret) > _LONGEST_PASSWORD:
        raise TokenRequestError("invalid_request", "The password is too long")
    return Credentials(username, secret, scope)


FormDep = Annotated[Credentials, Depends(password_form)]


def login(request: HttpRequest, form: FormDep) -> User:
    """Return the user who logs in."""
    return crud.authenticate(request=request, email=form.username, password=form.password)


LoginDep = Annotated[User, Depends(login)]


def granted_scope(form: FormDep, user: LoginDep) -> str:
    """Return the scope of the token to be issued."""
    return scopes.grant(form.scope, user)


def _hash(body: str, password: SecretStr, owner: User) -> str:
    """Return the hash of a password in *body*, if it is good enough for *owner*.

    Raises:
        InvalidInputError: it is too short, too common, or too much like its owner.
    """
    text = password.get_secret_value()
    try:
        validate_password(text, owner)
    except ValidationError as error:
        raise _invalid("body", body, "password", " ".join(error.messages)) from None
    return make_password(text)


def _invalid(*place: str) -> InvalidInputError:
    """Return a 422 in Ninja's own format: where, and last the text."""
    *loc, text = place
    return InvalidInputError([{"type": "value_error", "loc": loc, "msg": text}])


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
