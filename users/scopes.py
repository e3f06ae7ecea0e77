"""The OAuth2 scopes: what each allows, and what its user must be allowed anyway."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from users.exceptions import InvalidScopeError

LONGEST_SCOPE = 1_000
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")
"""RFC 6749 §3.3: tokens of printable ASCII without quote and backslash, single spaces."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token with this scope may do, if its user may.

    Attributes:
        allows: for the person who grants it.
        permissions: Django permissions, one of which the user must hold to be granted it.
        superusers_only: granted to superusers only.
    """

    allows: str
    permissions: tuple[str, ...] = ()
    superusers_only: bool = False


SCOPES: dict[str, Scope] = {
    "me": Scope("Read and change your own profile, password and tokens."),
    "items": Scope("Read your own items."),
    "users:read": Scope("List and read users.", ("users.view_user",)),
    "users:write": Scope("Create and change users.", ("users.add_user", "users.change_user")),
    "users:delete": Scope("Delete users.", ("users.delete_user",)),
    "users:admin": Scope("Change privileges, act on superusers.", superusers_only=True),
}

DEFAULT_SCOPE = "me"


class Grantee(Protocol):
    """A user, as far as granting looks at one."""

    is_superuser: bool

    def has_perm(self, perm: str) -> bool:
        """Whether the user holds the permission *perm*."""


def grant(requested: str | None, user: Grantee) -> str:
    """Return what of *requested* may be granted to *user*, sorted, separated by spaces.

    Args:
        requested: scopes separated by spaces; None and "" mean `DEFAULT_SCOPE`.
        user: whose token it will be.

    Raises:
        InvalidScopeError: a scope is malformed or unknown, or nothing is left to grant.
    """
    requested = requested or DEFAULT_SCOPE
    if len(requested) > LONGEST_SCOPE or not _SCOPE.fullmatch(requested):
        message = "The scope is malformed"
        raise InvalidScopeError(message)
    names = set(requested.split(" "))
    if not names <= SCOPES.keys():
        message = "The scope is unknown"
        raise InvalidScopeError(message)
    granted = sorted(name for name in names if _may_have(user, SCOPES[name]))
    if not granted:
        message = "None of this scope can be granted to you"
        raise InvalidScopeError(message)
    return " ".join(granted)


def _may_have(user: Grantee, scope: Scope) -> bool:
    if scope.superusers_only:
        return user.is_superuser
    return not scope.permissions or any(user.has_perm(one) for one in scope.permissions)
