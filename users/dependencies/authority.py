"""What a caller may do: what their token was made for, and what they may do now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from django.http import HttpRequest

from di.http import HTTPException
from di.markers import Depends, Security, SecurityScopes
from users import audit, scopes
from users.dependencies.credentials import BrowserUser, Caller, CallerDep
from users.dependencies.errors import challenge
from users.dependencies.throttling import throttle_user
from users.models import User


def authorized_caller(request: HttpRequest, caller: CallerDep, required: SecurityScopes) -> Caller:
    """Return the caller, if they may do what the required scopes say.

    Both must hold: the scopes are on the token, and its user has the permissions now. In
    a browser session the permissions alone decide.

    Raises:
        HTTPException: 403.
    """
    require(request, caller, required.scopes)
    return caller


def current_caller(caller: Annotated[Caller, Depends(authorized_caller)]) -> Caller:
    """Return the caller, if they do not call too often."""
    throttle_user(caller.user.pk)
    return caller


def current_user(caller: Annotated[Caller, Depends(current_caller)]) -> User:
    """Return the user who calls."""
    return caller.user


def browser_session(user: BrowserUser) -> None:
    """Let only browser sessions pass."""
    throttle_user(user.pk)


AnyCaller = Annotated[Caller, Security(current_caller)]
Me = Annotated[User, Security(current_user, scopes=["me"])]
MyCaller = Annotated[Caller, Security(current_caller, scopes=["me"])]
Owner = Annotated[User, Security(current_user, scopes=["items"])]
Reader = Annotated[User, Security(current_user, scopes=["users:read"])]
Writer = Annotated[Caller, Security(current_caller, scopes=["users:write"])]
Deleter = Annotated[Caller, Security(current_caller, scopes=["users:delete"])]


def require(request: HttpRequest, caller: Caller, names: Sequence[str]) -> None:
    """Let *caller* pass with the scopes *names* only.

    Raises:
        HTTPException: 403. For a missing scope the detail names it, and the header asks for
            all scopes that are needed (RFC 6750 §3.1). A missing permission has no header,
            because another token would not help.
    """
    missing = caller.missing_scopes(names)
    if missing:
        needed = " ".join(names)
        _record_denial(caller, scope=needed)
        headers = challenge(error="insufficient_scope", scope=needed)
        detail = f"Not enough permissions: the token lacks {', '.join(missing)}"
        raise HTTPException(403, detail, headers)
    if not all(scopes.SCOPES[name].permits(caller.user, request.method) for name in names):
        _record_denial(caller)
        raise HTTPException(403, "Permission denied")


def _record_denial(caller: Caller, scope: str | None = None) -> None:
    audit.record(
        "permission_denied",
        outcome="failure",
        user=caller.user.pk,
        token=caller.token and caller.token.key,
        operation=audit.operation(),
        missing_scope=scope,
    )
