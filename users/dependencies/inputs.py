"""What a request asks to be written or listed, checked, and passwords hashed.

That comes before a session is opened: hashing takes long, and others would wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Query
from pydantic import SecretStr

from di.markers import Depends
from users import crud, hashing, scopes
from users.dependencies.authority import Me, MyCaller, Writer, require
from users.dependencies.errors import invalid_input
from users.dependencies.login import log_in
from users.dependencies.primary import PrimaryDep
from users.dependencies.throttling import throttle_address
from users.exceptions import GroupNotFoundError, OwnPasswordError, WrongCredentialsError
from users.models import User
from users.schemas import PRIVILEGES, MeUpdate, PasswordChange, UserCreate, UserUpdate

_LARGEST_ID = 2**63 - 1


def common_parameters(  # noqa: PLR0913 - the parameters of a list
    request: HttpRequest,
    *,
    q: Annotated[str | None, Query(max_length=100, pattern="^[^\x00]*$")] = None,
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    after: Annotated[int | None, Query(ge=0, le=_LARGEST_ID)] = None,
    count: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """Return the parameters that lists have in common: a search text and a page."""
    commons = {"q": q, "skip": skip, "limit": limit, "after": after, "count": count}
    for name in commons:
        if len(request.GET.getlist(name)) > 1:
            raise invalid_input("query", name, text="Give it once")
    return commons


def next_link(request: HttpRequest, commons: Mapping[str, Any], after: int) -> str:
    """Return the header ``Link`` to the page that begins after the id *after* (RFC 8288 §3).

    The address is relative, so that it holds behind any proxy. It does not ask to count,
    because to count for each page would cost more than the pages.
    """
    kept = {"q": commons["q"], "limit": commons["limit"], "after": after}
    query = urlencode({name: value for name, value in kept.items() if value is not None})
    return f'<{request.path}?{query}>; rel="next"'


CommonsDep = Annotated[dict[str, Any], Depends(common_parameters)]


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be created, the password already hashed."""

    name: str
    email: str
    password_hash: str = field(repr=False)


def new_user(user: UserCreate) -> NewUser:
    """Return a user to be created."""
    password_hash = make_password(None)
    if "password" in user.model_fields_set:
        owner = User(name=user.name, email=user.email)
        password_hash = hashing.hash_password(_strong("user", "password", user.password, owner))
    return NewUser(user.name, user.email, password_hash)


NewUserDep = Annotated[NewUser, Depends(new_user)]


def user_changes(
    request: HttpRequest,
    by: Writer,
    changes: UserUpdate,
    user_id: int,
    session: PrimaryDep,
) -> dict[str, Any]:
    """Return what is to change about a user.

    Raises:
        HTTPException: 403 for privileges, which `users:admin` is needed to change.
        OwnPasswordError: a caller, or somebody with a stolen token, would set their own
            password without the old one.
        InvalidInputError: a password is weak, a group unknown.
    """
    given = changes.dict(exclude_unset=True)
    if PRIVILEGES & given.keys():
        require(request, by, [scopes.ADMIN_SCOPE])
    if "groups" in given:
        try:
            given["groups"] = crud.find_groups(session=session, ids=given["groups"])
        except GroupNotFoundError as error:
            raise invalid_input("body", "changes", "groups", text=str(error)) from None
    if "password" in given:
        if user_id == by.user.pk:
            raise OwnPasswordError
        owner = crud.get_user(session=session, user_id=user_id)
        owner.name, owner.email = given.get("name", owner.name), given.get("email", owner.email)
        password = _strong("changes", "password", changes.password, owner)
        given["password"] = hashing.hash_password(password)
    return given


UserChangesDep = Annotated[dict[str, Any], Depends(user_changes)]


def my_changes(user: Me, changes: MeUpdate) -> dict[str, Any]:
    """Return the fields that users are to change about themselves.

    Raises:
        ThrottledError: they have asked for too many e-mail addresses.
    """
    given = changes.dict(exclude_unset=True)
    if given.get("email", user.email) != user.email:
        throttle_address(user.pk)
    return given


MyChangesDep = Annotated[dict[str, Any], Depends(my_changes)]


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A new password, already hashed, of a user who knew the old one."""

    user: User
    password_hash: str = field(repr=False)


def new_password(request: HttpRequest, caller: MyCaller, change: PasswordChange) -> NewPassword:
    """Return the caller's new password; to guess the old one costs what a login costs.

    Raises:
        InvalidInputError: it is weak.
        WrongCredentialsError: the current one is another.
    """
    password = _strong("change", "new_password", change.new_password, caller.user)
    user = log_in(request, caller.user.email, change.current_password.get_secret_value())
    if user != caller.user:  # the address has just become somebody else's
        raise WrongCredentialsError
    return NewPassword(user, hashing.hash_password(password))


NewPasswordDep = Annotated[NewPassword, Depends(new_password)]


def _strong(body: str, name: str, password: SecretStr, owner: User) -> str:
    """Return a password in *body*, if it is good enough for *owner*.

    Raises:
        InvalidInputError: it is too short, too common, or too much like its owner.
    """
    text = password.get_secret_value()
    try:
        validate_password(text, owner)
    except ValidationError as error:
        raise invalid_input("body", body, name, text=" ".join(error.messages)) from None
    return text
