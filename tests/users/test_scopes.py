"""Granting scopes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from users.exceptions import InvalidScopeError
from users.scopes import SCOPES, grant


@dataclass
class Person:
    is_superuser: bool = False
    permissions: set[str] = field(default_factory=set)

    def has_perm(self, perm: str) -> bool:
        return self.is_superuser or perm in self.permissions


@pytest.mark.rfc("6749", "3.3")
@pytest.mark.parametrize(
    ("requested", "person", "granted"),
    [
        (None, Person(), "me"),
        ("", Person(is_superuser=True), "me"),
        ("me items", Person(), "items me"),
        ("me me", Person(), "me"),
        ("me users:admin", Person(), "me"),
        ("users:read users:write", Person(permissions={"users.view_user"}), "users:read"),
        ("users:write", Person(permissions={"users.change_user"}), "users:write"),
        (" ".join(SCOPES), Person(is_superuser=True), " ".join(sorted(SCOPES))),
    ],
)
def test_what_is_asked_for_and_may_be_had(
    requested: str | None, person: Person, granted: str
) -> None:
    """Nothing asked means `me`; what the user may not have is left out, and the answer says so."""
    assert grant(requested, person) == granted


@pytest.mark.rfc("6749", "3.3")
@pytest.mark.parametrize(
    ("requested", "reason"),
    [
        ("nothing", "unknown"),
        ("me nothing", "unknown"),
        ("me  items", "malformed"),
        (" me", "malformed"),
        ('me"', "malformed"),
        ("me\\", "malformed"),
        ("ж", "malformed"),
        ("x" * 1_001, "malformed"),
        ("users:read", "None of this"),
    ],
)
def test_what_cannot_be_granted(requested: str, reason: str) -> None:
    """Unknown, malformed (RFC 6749 §3.3), or nothing left."""
    with pytest.raises(InvalidScopeError, match=reason):
        grant(requested, Person())
