"""The OAuth2 scopes: what each allows, and what its user must be allowed anyway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from users.exceptions import InvalidScopeError

LONGEST_SCOPE = 1_000
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")
"""RFC 6749 §3.3: tokens of printable ASCII without quote and backslash, single spaces."""


class Grantee(Protocol):
    """A user, as far as scopes look at one."""

    is_superuser: bool

    def has_perm(self, perm: str) -> bool:
        """Whether the user holds the permission *perm*."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token with this scope may do, if its user may.

    Attributes:
        allows: for the person who grants it.
        permissions: by HTTP method, the Django permission that its user must hold when
            it is used; without any, what it allows is every user's own.
        superusers_only: of use to superusers only.
    """

    allows: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    superusers_only: bool = False

    def permits(self, user: Grantee, method: str | None) -> bool:
        """Whether *user* may do now what the scope allows, by way of *method*."""
        if self.superusers_only:
            return user.is_superuser
        if not self.permissions:
            return True
        permission = self.permissions.get(method or "")
        return permission is not None and user.has_perm(permission)

    def may_be_granted_to(self, user: Grantee) -> bool:
        """Whether *user* could use the scope at all."""
        if not self.permissions:
            return self.permits(user, None)
        return any(self.permits(user, method) for method in self.permissions)


SCOPES: dict[str, Scope] = {
    "me": Scope("Read and change your own profile, password and tokens."),
    "items": Scope("Read your own items."),
    "users:read": Scope("List and read users.", {"GET": "users.view_user"}),
    "users:write": Scope(
        "Create and change users.", {"POST": "users.add_user", "PATCH": "users.change_user"}
    ),
    "users:delete": Scope("Delete users.", {"DELETE": "users.delete_user"}),
    "users:admin": Scope("Change privileges, act on superusers.", superusers_only=True),
}

PERMISSIONS = sorted({name for scope in SCOPES.values() for name in scope.permissions.values()})
"""All permissions that some scope needs."""

DEFAULT_SCOPE = "me"
ADMIN_SCOPE = "users:admin"


def parse(requested: str | None) -> frozenset[str]:
    """Return the names in *requested*; None and "" mean `DEFAULT_SCOPE`.

    Raises:
        InvalidScopeError: one is malformed or unknown.
    """
    requested = requested or DEFAULT_SCOPE
    if len(requested) > LONGEST_SCOPE or not _SCOPE.fullmatch(requested):
        message = "The scope is malformed"
        raise InvalidScopeError(message)
    names = frozenset(requested.split(" "))
    if not names <= SCOPES.keys():
        message = "The scope is unknown"
        raise InvalidScopeError(message)
    return names


def grant(requested: str | None, user: Grantee) -> str:
    """Return what of *requested* may be granted to *user*, sorted, separated by spaces.

    Args:
        requested: scopes separated by spaces; see `parse`.
        user: whose token it will be.

    Raises:
        InvalidScopeError: a scope is malformed or unknown, or nothing is left to grant.
    """
    granted = sorted(name for name in parse(requested) if SCOPES[name].may_be_granted_to(user))
    if not granted:
        message = "None of this scope can be granted to you"
        raise InvalidScopeError(message)
    return " ".join(granted)
