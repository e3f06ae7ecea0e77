"""What users, groups and tokens allow, as a model: small, without a database, obviously so.

Each method that stands for a request returns the answer, and changes what it would change.
What only the server knows, an id or a token's text, is handed to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, Any]

GROUPS = {"readers": {"view"}, "adders": {"add"}, "managers": {"view", "change", "delete"}}
USES = {
    "me": {"any"},
    "items": {"any"},
    "users:read": {"view"},
    "users:write": {"add", "change"},
    "users:delete": {"delete"},
    "users:admin": {"admin"},
}
"""For each scope, what somebody must be allowed to have a use for it: one of these."""

PERMISSIONS = ("add", "change", "delete", "view")

INVALID = "The access token is invalid or expired"
MISSING_SCOPE = "Not enough permissions: the token lacks {}"
DENIED = "Permission denied"
NO_USER = "User not found"
NO_TOKEN = "Token not found"
TAKEN = "A user with this email already exists"
WRONG = "Incorrect username or password"
OWN_PASSWORD = "Your own password is changed with the old one, at POST auth/password"
LAST = "The last active superuser must stay"
ONESELF = "You cannot delete yourself"
NOTHING_TO_GRANT = "None of this scope can be granted to you"


class Refused(Exception):  # noqa: N818 - an answer, and not an error of the model
    """The answer is a refusal, and nothing has changed."""

    def __init__(self, status: int, detail: str, **more: str) -> None:
        self.answer = (status, {"detail": detail, **more})


@dataclass(eq=False)
class Person:
    """A user.

    Attributes:
        password_number: how often the password was set.
    """

    id: int
    name: str
    email: str
    password: str | None = None
    is_active: bool = True
    is_superuser: bool = False
    groups: frozenset[str] = frozenset()
    password_number: int = 0

    def may(self, action: str) -> bool:
        """Whether they are allowed to, now."""
        allowed = {"any"}.union(*(GROUPS[group] for group in self.groups))
        return self.is_superuser or action in allowed

    def shown(self) -> dict[str, Any]:
        """Return them as the API shows them."""
        return {"id": self.id, "name": self.name, "email": self.email}


@dataclass(eq=False, repr=False)
class Token:
    """An access token, made when its owner's password had that number."""

    text: str
    owner: Person
    scope: frozenset[str]
    password_number: int
    is_revoked: bool = False
    is_expired: bool = False

    def __repr__(self) -> str:
        return f"<{self.key} of {self.owner.name}>"

    @property
    def key(self) -> str:
        """Its public part."""
        return self.text[4:16]


def answer(request: Callable[..., Answer]) -> Callable[..., Answer]:
    """Let a refusal be an answer."""

    @functools.wraps(request)
    def run(*args: Any, **options: Any) -> Answer:
        try:
            return request(*args, **options)
        except Refused as refused:
            return refused.answer

    return run


@dataclass
class Model:
    """Everybody who is there, by id, and all tokens that ever were, oldest first."""

    most_tokens: int
    people: dict[int, Person] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)

    def is_good(self, token: Token) -> bool:
        """Whether one can call with *token*."""
        owner = token.owner
        return (
            owner.id in self.people
            and owner.is_active
            and not token.is_revoked
            and not token.is_expired
            and token.password_number == owner.password_number
        )

    def tokens_of(self, person: Person) -> list[Token]:
        """Return the tokens that *person* could call with, newest first."""
        return [t for t in reversed(self.tokens) if t.owner is person and self.is_good(t)]

    def find(self, email: str) -> Person | None:
        """Return who has the address *email*."""
        return next((p for p in self.people.values() if p.email == email), None)

    def issue(self, person: Person, scope: frozenset[str], text: str) -> None:
        """Add a token; the oldest go, be they good or not, if there are too many."""
        unrevoked = [
            t
            for t in reversed(self.tokens)
            if t.owner is person and not t.is_revoked and not t.is_expired
        ]
        for token in unrevoked[self.most_tokens - 1 :]:
            token.is_revoked = True
        self.tokens.append(Token(text, person, scope, person.password_number))

    def revoke_all(self, person: Person) -> None:
        """End all tokens of *person*, for ever."""
        for token in self.tokens:
            if token.owner is person:
                token.is_revoked = True

    def require(self, token: Token, scope: str | None = None, action: str = "any") -> Person:
        """Return who calls with *token*, if they may."""
        if not self.is_good(token):
            raise Refused(401, INVALID)
        if scope is not None and scope not in token.scope:
            raise Refused(403, MISSING_SCOPE.format(scope))
        if not token.owner.may(action):
            raise Refused(403, DENIED)
        return token.owner

    def reach(self, caller: Token, person: Person, *, is_leaving: bool) -> None:
        """Let only those touch *person* who may."""
        if person.id not in self.people:
            raise Refused(404, NO_USER)
        is_admin = caller.owner.is_superuser and "users:admin" in caller.scope
        if person.is_superuser and not is_admin:
            raise Refused(403, DENIED)
        others = [
            p for p in self.people.values() if p.is_superuser and p.is_active and p is not person
        ]
        if is_leaving and person.is_superuser and person.is_active and not others:
            raise Refused(409, LAST)

    def refuse_taken(self, email: str, person: Person | None = None) -> None:
        """Let no two people have one address."""
        if self.find(email) not in (None, person):
            raise Refused(409, TAKEN)

    @answer
    def log_in(self, email: str, password: str, scope: frozenset[str], text: str) -> Answer:
        """`POST /auth/token`."""
        person = self.find(email)
        if person is None or not person.is_active or person.password != password:
            raise Refused(400, WRONG, error="invalid_grant", error_description=WRONG)
        granted = frozenset(
            name for name in scope or {"me"} if any(person.may(action) for action in USES[name])
        )
        if not granted:
            error = {"error": "invalid_scope", "error_description": NOTHING_TO_GRANT}
            raise Refused(400, NOTHING_TO_GRANT, **error)
        self.issue(person, granted, text)
        return 200, issued(text, granted)

    @answer
    def read_me(self, caller: Token) -> Answer:
        """`GET /users/me`."""
        person = self.require(caller, "me")
        usable = [name for name, uses in USES.items() if any(map(person.may, uses))]
        return 200, {
            **person.shown(),
            "scopes": [name for name in usable if name in caller.scope],
            "permissions": [f"users.{one}_user" for one in PERMISSIONS if person.may(one)],
        }

    @answer
    def patch_me(self, caller: Token, changes: Mapping[str, Any]) -> Answer:
        """`PATCH /users/me`."""
        person = self.require(caller, "me")
        self.refuse_taken(changes.get("email", person.email), person)
        vars(person).update(changes)
        return 200, person.shown()

    @answer
    def list_users(self, caller: Token) -> Answer:
        """`GET /users`."""
        self.require(caller, "users:read", "view")
        return 200, [self.people[id_].shown() for id_ in sorted(self.people)]

    @answer
    def read_user(self, caller: Token, person: Person) -> Answer:
        """`GET /users/{id}`."""
        self.require(caller, "users:read", "view")
        if person.id not in self.people:
            raise Refused(404, NO_USER)
        return 200, person.shown()

    @answer
    def create_user(
        self, caller: Token, name: str, email: str, password: str | None, new_id: int
    ) -> Answer:
        """`POST /users`."""
        self.require(caller, "users:write", "add")
        self.refuse_taken(email)
        self.people[new_id] = Person(new_id, name, email, password)
        return 201, self.people[new_id].shown()

    @answer
    def patch_user(self, caller: Token, person: Person, changes: Mapping[str, Any]) -> Answer:
        """`PATCH /users/{id}`."""
        self.require(caller, "users:write", "change")
        if {"groups", "is_superuser"} & changes.keys():
            self.require(caller, "users:admin", "admin")
        if "password" in changes and person is caller.owner:
            raise Refused(403, OWN_PASSWORD)
        is_leaving = False in (changes.get("is_active"), changes.get("is_superuser"))
        self.reach(caller, person, is_leaving=is_leaving)
        self.refuse_taken(changes.get("email", person.email), person)
        if person.is_active and changes.get("is_active") is False:
            self.revoke_all(person)
        if "password" in changes:
            person.password_number += 1
        vars(person).update(changes)
        return 200, person.shown()

    @answer
    def delete_user(self, caller: Token, person: Person) -> Answer:
        """`DELETE /users/{id}`."""
        self.require(caller, "users:delete", "delete")
        self.reach(caller, person, is_leaving=True)
        if person is caller.owner:
            raise Refused(409, ONESELF)
        del self.people[person.id]
        return 204, None

    @answer
    def list_tokens(self, caller: Token) -> Answer:
        """`GET /auth/tokens`, as far as their keys go."""
        return 200, [token.key for token in self.tokens_of(self.require(caller, "me"))]

    @answer
    def revoke_by_key(self, caller: Token, token: Token) -> Answer:
        """`DELETE /auth/tokens/{key}`."""
        if token not in self.tokens_of(self.require(caller, "me")):
            raise Refused(404, NO_TOKEN)
        token.is_revoked = True
        return 204, None

    @answer
    def revoke_by_text(self, caller: Token, token: Token) -> Answer:
        """`POST /auth/revoke`, which tells nothing."""
        if self.require(caller) is token.owner:
            token.is_revoked = True
        return 200, {}

    @answer
    def revoke_tokens(self, caller: Token) -> Answer:
        """`DELETE /auth/tokens`."""
        self.revoke_all(self.require(caller, "me"))
        return 204, None

    @answer
    def change_password(self, caller: Token, old: str, new: str, text: str) -> Answer:
        """`POST /auth/password`."""
        person = self.require(caller, "me")
        if person.password != old:
            raise Refused(400, WRONG)
        person.password = new
        person.password_number += 1
        self.revoke_all(person)
        self.issue(person, caller.scope, text)
        return 200, issued(text, caller.scope)


def issued(text: str, scope: frozenset[str]) -> dict[str, Any]:
    """Return a new token as the API shows it."""
    return {
        "access_token": text,
        "token_type": "bearer",
        "expires_in": 28_800,
        "scope": " ".join(sorted(scope)),
    }
