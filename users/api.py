"""The routes: each one is its dependencies, one call of `crud`, and a schema."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from ninja import Status

from di.markers import Depends
from di.routing import Router
from di.sessions import ReadSessionDep, SessionDep
from users import crud
from users.dependencies.authority import (
    AnyCaller,
    Deleter,
    Me,
    MyCaller,
    Owner,
    Reader,
    Writer,
    browser_session,
)
from users.dependencies.credentials import SESSION_TOO, enforce_csrf
from users.dependencies.errors import RulesDep, TokenRulesDep
from users.dependencies.inputs import (
    CommonsDep,
    MyChangesDep,
    NewPasswordDep,
    NewUserDep,
    UserChangesDep,
    next_link,
)
from users.dependencies.login import (
    LoginDep,
    SessionLoginDep,
    granted_scope,
    password_login_is_on,
    token_to_revoke,
)
from users.dependencies.primary import PrimaryDep
from users.dependencies.throttling import throttle_anonymous
from users.models import User
from users.schemas import (
    LONGEST_SECRET,
    CsrfOut,
    ItemOut,
    MeOut,
    TokenErrorOut,
    TokenInfo,
    TokenOut,
    UserOut,
)
from users.scopes import PERMISSIONS


def private(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keep what an operation answers, errors too, out of every cache.

    What it does not expect itself is the project's to answer.
    """

    @functools.wraps(run)
    def answer(*args: Any, **kwargs: Any) -> HttpResponse:
        response = run(*args, **kwargs)
        response["Cache-Control"] = "no-store"
        patch_vary_headers(response, ("Authorization", "Cookie"))
        return response

    return answer


def _refusal(text: str) -> dict[str, Any]:
    return {"description": text}


def _header(name: str, text: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"headers": {name: {"description": text, "required": True, "schema": schema}}}


def _form(**required: dict[str, Any]) -> dict[str, Any]:
    # No parameter says so: RFC 6749 has a 400 for a field that is missing, and no 422.
    schema = {"required": [*required], "properties": required}
    return {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}


# For OpenAPI: what an operation answers that does not follow from what it takes.
_CREATED = _header("Location", "Where the user is.")
_LISTED = {
    "headers": {
        "Link": {
            "description": "The next page, if there is one (RFC 8288).",
            "schema": {"type": "string"},
        },
        "X-Total-Count": {
            "description": "How many users there are on all pages, if that was counted.",
            "schema": {"type": "integer"},
        },
    }
}
_GONE = _refusal("The caller has just been deleted.")
_TAKEN = _refusal("Another user has this e-mail address.")
_NEEDED = _refusal("Another user has this e-mail address, or the last superuser would be none.")
_UNDELETABLE = _refusal("It is the caller, or the last active superuser.")
_LOGIN_IS_OFF = _refusal("Nobody can log in by password here.")
_WRONG_PASSWORD = _refusal("The request cannot be read, or the password is wrong.")
_FOREIGN = _refusal("Another site's page may have sent it.")
_MANY = _refusal("There were too many requests.")
_LOGIN_FORM = _form(
    username={"minLength": 1}, password={"minLength": 1, "maxLength": LONGEST_SECRET}
)
_TOKEN_FORM = _form(token={"minLength": 1})

users_router = Router(dependencies=[RulesDep])
auth_router = Router(dependencies=[RulesDep])
for router in (users_router, auth_router):
    router.add_decorator(private, mode="view")


@users_router.get(
    "", response=list[UserOut], openapi_extra={**SESSION_TOO, "responses": {200: _LISTED}}
)
def list_users(
    request: HttpRequest,
    by: Reader,
    commons: CommonsDep,
    session: ReadSessionDep,
    response: HttpResponse,
) -> Any:
    """List users by id, those with *q* in their name or e-mail address.

    If there are more, ``Link`` leads to the next page (RFC 8288). ``X-Total-Count`` is the
    number of users on all pages. Ask for it by ``count=true`` beyond 10,000 users, for a
    search, and after a user; it is left out where it would cost too much.
    """
    page = crud.list_users(session=session, **commons)
    if page.total is not None:
        response["X-Total-Count"] = str(page.total)
    if page.after is not None:
        response["Link"] = next_link(request, commons, page.after)
    return page.users


@users_router.post(
    "",
    response={201: UserOut},
    openapi_extra={**SESSION_TOO, "responses": {201: _CREATED, 409: _TAKEN}},
)
def create_user(
    request: HttpRequest,
    by: Writer,
    user: NewUserDep,
    session: SessionDep,
    response: HttpResponse,
) -> Any:
    """Create a user. Without a password nobody can log in as them."""
    created = crud.create_user(
        session=session,
        name=user.name,
        email=user.email,
        password_hash=user.password_hash,
        by=by.user,
    )
    response["Location"] = f"{request.path}/{created.pk}"
    return created


@users_router.get("/me", response=MeOut, openapi_extra=SESSION_TOO)
def read_me(request: HttpRequest, caller: MyCaller) -> Any:
    """Show the caller, and what they may do with the credentials of this request."""
    user = caller.user
    return MeOut(
        id=user.pk,
        name=user.name,
        email=user.email,
        scopes=caller.usable_scopes,
        permissions=[name for name in PERMISSIONS if user.has_perm(name)],
    )


@users_router.patch(
    "/me",
    response=UserOut,
    openapi_extra={**SESSION_TOO, "responses": {404: _GONE, 409: _TAKEN}},
)
def update_me(request: HttpRequest, user: Me, changes: MyChangesDep, session: SessionDep) -> Any:
    """Change the caller's name or e-mail address."""
    return crud.update_user(
        session=session, user_id=user.pk, changes=changes, by=user, is_admin=user.is_superuser
    )


@users_router.get("/me/items", response=list[ItemOut], openapi_extra=SESSION_TOO)
def list_my_items(request: HttpRequest, user: Owner) -> Any:
    """List what belongs to the caller."""
    return [ItemOut(item_id="Foo", owner=user.name)]


@users_router.get("/{int:user_id}", response=UserOut, openapi_extra=SESSION_TOO)
def read_user(request: HttpRequest, user_id: int, by: Reader, session: PrimaryDep) -> Any:
    """Show one user, as of now."""
    return crud.get_user(session=session, user_id=user_id)


@users_router.patch(
    "/{int:user_id}",
    response=UserOut,
    openapi_extra={**SESSION_TOO, "responses": {409: _NEEDED}},
)
def update_user(
    request: HttpRequest,
    user_id: int,
    by: Writer,
    changes: UserChangesDep,
    session: SessionDep,
) -> Any:
    """Change one user; what is left out stays. Privileges need the scope `users:admin`."""
    return crud.update_user(
        session=session, user_id=user_id, changes=changes, by=by.user, is_admin=by.is_admin
    )


@users_router.delete(
    "/{int:user_id}",
    response={204: None},
    openapi_extra={**SESSION_TOO, "responses": {409: _UNDELETABLE}},
)
def delete_user(request: HttpRequest, user_id: int, by: Deleter, session: SessionDep) -> None:
    """Delete one user and their tokens. To lock somebody out for a while, deactivate them."""
    crud.delete_user(session=session, user_id=user_id, by=by.user, is_admin=by.is_admin)


@auth_router.post(
    "/token",
    response={200: TokenOut, 400: TokenErrorOut},
    dependencies=[Depends(password_login_is_on), TokenRulesDep],
    openapi_extra={
        "requestBody": _LOGIN_FORM,
        "responses": {404: _LOGIN_IS_OFF, 429: _MANY},
    },
)
def create_token(
    request: HttpRequest,
    user: LoginDep,
    scope: Annotated[str, Depends(granted_scope)],
    response: HttpResponse,
) -> Any:
    """Log in: exchange e-mail address and password for an access token (RFC 6749 §4.3).

    For this site's own clients only: it is no OAuth server (RFC 9700 §2.4).
    """
    response["Pragma"] = "no-cache"
    return _issued(user, scope)


@auth_router.post(
    "/revoke",
    response={200: dict[str, str], 400: TokenErrorOut},
    openapi_extra={**SESSION_TOO, "requestBody": _TOKEN_FORM},
)
def revoke_token(
    request: HttpRequest, caller: AnyCaller, token: Annotated[str, Depends(token_to_revoke)]
) -> Any:
    """End one of the caller's tokens; to any other text the answer is the same (RFC 7009)."""
    crud.revoke_text(user=caller.user, text=token)
    return {}


@auth_router.get("/tokens", response=list[TokenInfo], openapi_extra=SESSION_TOO)
def list_tokens(request: HttpRequest, user: Me) -> Any:
    """List the caller's tokens that are still good, newest first."""
    return crud.list_tokens(user=user)


@auth_router.delete("/tokens", response={204: None}, openapi_extra=SESSION_TOO)
def revoke_tokens(request: HttpRequest, user: Me) -> None:
    """End all of the caller's tokens."""
    crud.revoke_tokens(access_tokens=user.access_tokens.all())


@auth_router.get("/tokens/{key}", response=TokenInfo, openapi_extra=SESSION_TOO)
def read_token(request: HttpRequest, key: str, user: Me) -> Any:
    """Show one of the caller's tokens."""
    return crud.get_token(user=user, key=key)


@auth_router.delete("/tokens/{key}", response={204: None}, openapi_extra=SESSION_TOO)
def revoke_token_by_key(request: HttpRequest, key: str, user: Me) -> None:
    """End one of the caller's tokens."""
    token = crud.get_token(user=user, key=key)
    crud.revoke_tokens(access_tokens=user.access_tokens.filter(pk=token.pk))


@auth_router.post(
    "/password",
    response={200: TokenOut, 204: None},
    openapi_extra={**SESSION_TOO, "responses": {400: _WRONG_PASSWORD}},
)
def change_password(
    request: HttpRequest, caller: MyCaller, new: NewPasswordDep, session: SessionDep
) -> Any:
    """Change the caller's password, which ends their other sessions and all tokens.

    Who called with a token is given a new one of the same scope.
    """
    crud.change_password(session=session, user=new.user, password_hash=new.password_hash)
    if caller.token is None:
        update_session_auth_hash(request, new.user)
        return Status(204, None)
    return _issued(new.user, caller.token.scope)


@auth_router.get(
    "/csrf",
    response=CsrfOut,
    dependencies=[Depends(throttle_anonymous)],
    openapi_extra={"responses": {429: _MANY}},
)
def read_csrf_token(request: HttpRequest) -> Any:
    """Give a page of this site what its unsafe requests need, and the cookie to it."""
    return CsrfOut(csrf_token=get_token(request))


@auth_router.post(
    "/session",
    response=UserOut,
    dependencies=[Depends(enforce_csrf)],
    openapi_extra={"responses": {400: _WRONG_PASSWORD, 403: _FOREIGN, 429: _MANY}},
)
def create_session(request: HttpRequest, user: SessionLoginDep) -> Any:
    """Log a browser in."""
    login(request, user)
    return user


@auth_router.delete("/session", response={204: None}, dependencies=[Depends(browser_session)])
def delete_session(request: HttpRequest) -> None:
    """Log the browser out."""
    logout(request)


def _issued(user: User, scope: str) -> TokenOut:
    _, text = crud.issue_token(user=user, scope=scope)
    expires_in = int(crud.LOGIN_LIFETIME.total_seconds())
    return TokenOut(access_token=text, expires_in=expires_in, scope=scope)
