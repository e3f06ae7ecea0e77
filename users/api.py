"""The routes: each one is its dependencies, one call of `crud`, and a schema."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse

from di.markers import Depends
from di.routing import Router
from di.sessions import ReadSessionDep, SessionDep
from users import crud
from users.dependencies import (
    CurrentUser,
    LoginDep,
    NewUser,
    RulesDep,
    common_parameters,
    granted_scope,
    my_changes,
    new_user,
    permitted,
    user_changes,
)
from users.models import User
from users.schemas import TokenOut, UserOut

users_router = Router(dependencies=[RulesDep])
auth_router = Router(dependencies=[RulesDep])

CanView = Annotated[User, Depends(permitted("users.view_user"))]
CanAdd = Annotated[User, Depends(permitted("users.add_user"))]
CanChange = Annotated[User, Depends(permitted("users.change_user"))]
CanDelete = Annotated[User, Depends(permitted("users.delete_user"))]


@users_router.get("", response=list[UserOut])
def list_users(
    request: HttpRequest,
    by: CanView,
    commons: Annotated[dict[str, Any], Depends(common_parameters)],
    session: ReadSessionDep,
    response: HttpResponse,
) -> Any:
    """List users by id, those with *q* in their name or e-mail address.

    ``X-Total-Count`` is the number of all of them, on this page or not.
    """
    response["X-Total-Count"] = str(crud.count_users(session=session, q=commons["q"]))
    return crud.list_users(session=session, **commons)


@users_router.post("", response={201: UserOut})
def create_user(
    request: HttpRequest,
    by: CanAdd,
    user: Annotated[NewUser, Depends(new_user)],
    session: SessionDep,
    response: HttpResponse,
) -> Any:
    """Create a user. Without a password nobody can log in as them."""
    created = crud.create_user(
        session=session, name=user.name, email=user.email, password_hash=user.password_hash
    )
    response["Location"] = f"{request.path}/{created.pk}"
    return created


@users_router.get("/me", response=UserOut)
def read_me(request: HttpRequest, user: CurrentUser) -> Any:
    """Show the user whose token this is."""
    return user


@users_router.patch("/me", response=UserOut)
def update_me(
    request: HttpRequest,
    user: CurrentUser,
    changes: Annotated[dict[str, Any], Depends(my_changes)],
    session: SessionDep,
) -> Any:
    """Change the name or the e-mail address of the user whose token this is."""
    return crud.update_user(session=session, user_id=user.pk, changes=changes, by=user)


@users_router.get("/{int:user_id}", response=UserOut)
def read_user(request: HttpRequest, user_id: int, by: CanView, session: ReadSessionDep) -> Any:
    """Show one user."""
    return crud.get_user(session=session, user_id=user_id)


@users_router.patch("/{int:user_id}", response=UserOut)
def update_user(
    request: HttpRequest,
    user_id: int,
    by: CanChange,
    changes: Annotated[dict[str, Any], Depends(user_changes)],
    session: SessionDep,
) -> Any:
    """Change one user; what is left out stays."""
    return crud.update_user(session=session, user_id=user_id, changes=changes, by=by)


@users_router.delete("/{int:user_id}", response={204: None})
def delete_user(request: HttpRequest, user_id: int, by: CanDelete, session: SessionDep) -> None:
    """Delete one user and their tokens. To lock somebody out for a while, deactivate them."""
    crud.delete_user(session=session, user_id=user_id, by=by)


@auth_router.post("/token", response=TokenOut)
def create_token(
    request: HttpRequest,
    user: LoginDep,
    scope: Annotated[str, Depends(granted_scope)],
    response: HttpResponse,
) -> Any:
    """Log in: exchange e-mail address and password for an access token (RFC 6749 §4.3)."""
    _, text = crud.issue_token(user=user, scope=scope)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    expires_in = int(crud.LOGIN_LIFETIME.total_seconds())
    return TokenOut(access_token=text, expires_in=expires_in, scope=scope)
