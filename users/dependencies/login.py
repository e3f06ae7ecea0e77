"""Logging in: the form, the throttle, the hash, the answer that says nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from django.http import HttpRequest
from ninja import Form
from pydantic import SecretStr

from di.http import HTTPException
from di.markers import Depends
from users import audit, conf, crud, hashing, scopes
from users.dependencies.errors import TokenRequestError
from users.dependencies.throttling import attempt_of, throttle_anonymous
from users.exceptions import BusyError, ThrottledError, WrongCredentialsError
from users.models import User
from users.schemas import LONGEST_SECRET, SessionCreate

_NOTHING = SecretStr("")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def log_in(request: HttpRequest, email: str, password: str) -> User:
    """Return the active user with these credentials.

    One way for everybody: the attempt is counted, and then costs exactly one hash,
    whether there is such a user or not. A password that is too long is nobody's, and is
    neither counted nor hashed.

    Raises:
        ThrottledError: there were too many attempts.
        BusyError: too many passwords are being hashed.
        WrongCredentialsError: there is no such user.
    """
    if len(password) > LONGEST_SECRET:
        raise WrongCredentialsError
    attempt = attempt_of(request, email)
    login = audit.pseudonym(attempt.login)
    try:
        throttle_anonymous(request)  # the right password costs a hash, too
        attempt.count()
    except ThrottledError:
        audit.record("login_throttled", outcome="failure", login=login)
        raise
    try:
        with hashing.slot():
            user = crud.authenticate(request=request, email=email, password=password)
    except BusyError:
        attempt.withdraw()
        raise
    except WrongCredentialsError:
        audit.record("login_failed", outcome="failure", login=login)
        raise
    attempt.succeed()
    audit.record("login_succeeded", user=user.pk)
    return user


def password_login_is_on() -> None:
    """Let nobody in by password where the project has switched that off.

    Raises:
        HTTPException: 404.
    """
    if not conf.allows_password_login():
        raise HTTPException(404)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the password form holds."""

    username: str
    password: str = field(repr=False)
    scope: str


def require_form(request: HttpRequest, names: tuple[str, ...]) -> None:
    """Let only forms pass in which each of *names* is readable and there once at most.

    Raises:
        HTTPException: 415 for anything but a form.
        TokenRequestError: a field is given twice, or cannot be read.
    """
    if request.content_type not in _FORMS:
        raise HTTPException(415, "Send a form")
    given = [request.POST.getlist(name) for name in names]
    if any(len(values) > 1 for values in given):
        raise TokenRequestError("invalid_request", "A field is given twice")
    # Django has replaced what was not UTF-8 with U+FFFD.
    if any(bad in value for values in given for value in values for bad in "\x00\ufffd"):
        raise TokenRequestError("invalid_request", "A field cannot be read")


def password_form(
    request: HttpRequest,
    username: Annotated[str, Form(description="The e-mail address.")] = "",
    password: Annotated[SecretStr, Form()] = _NOTHING,
    scope: Annotated[str, Form(description="Scopes, separated by spaces.")] = "",
    grant_type: Annotated[str, Form(description="password, or left out.")] = "",
) -> Credentials:
    """Return the credentials in a form of RFC 6749 §4.3.

    Raises:
        HTTPException: 415 for anything but a form.
        TokenRequestError: a field is missing, given twice, or cannot be read.
        InvalidScopeError: so is a scope.
    """
    require_form(request, ("username", "password", "scope", "grant_type"))
    if grant_type not in ("", "password"):
        raise TokenRequestError("unsupported_grant_type", "Only the grant type password is known")
    secret = password.get_secret_value()
    if not username or not secret:
        raise TokenRequestError("invalid_request", "username and password are required")
    if len(secret) > LONGEST_SECRET:
        raise TokenRequestError("invalid_request", "The password is too long")
    scopes.parse(scope)
    return Credentials(username, secret, scope)


FormDep = Annotated[Credentials, Depends(password_form)]


def login_by_form(request: HttpRequest, form: FormDep) -> User:
    """Return the user who logs in for a token."""
    return log_in(request, form.username, form.password)


LoginDep = Annotated[User, Depends(login_by_form)]


def granted_scope(form: FormDep, user: LoginDep) -> str:
    """Return the scope of the token to be issued."""
    return scopes.grant(form.scope, user)


def token_to_revoke(request: HttpRequest, token: Annotated[str, Form()] = "") -> str:
    """Return the token in a form of RFC 7009 §2.1.

    Raises:
        HTTPException: 415 for anything but a form.
        TokenRequestError: there is none.
    """
    require_form(request, ("token",))
    if not token:
        raise TokenRequestError("invalid_request", "token is required")
    return token


def login_by_session(request: HttpRequest, credentials: SessionCreate) -> User:
    """Return the user who logs in with a browser."""
    return log_in(request, credentials.email, credentials.password.get_secret_value())


SessionLoginDep = Annotated[User, Depends(login_by_session)]
