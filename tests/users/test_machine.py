"""Random lives of users, groups and tokens: the API answers as the model does.

``--hypothesis-profile=nightly -o faulthandler_timeout=0`` makes it a long run.
"""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from pytest_django import Settings

from tests.users.conftest import Api, login
from tests.users.model import GROUPS, USES, Answer, Model, Person, Token
from users import crud
from users.crud import tokens as token_queries
from users.models import AccessToken, User

pytestmark = pytest.mark.django_db(transaction=True)

MOST_TOKENS = 3
PASSWORD, *_ = PASSWORDS = ("correct horse battery", "twelve green bottles")
EVERY_SCOPE = frozenset(USES)

emails = st.sampled_from([f"{name}@example.com" for name in ("root", "ann", "bob", "cid")])
names = st.sampled_from(["Ann", "Bob", "Cid"])
passwords = st.sampled_from(PASSWORDS)
scopes = st.sampled_from([EVERY_SCOPE, EVERY_SCOPE, EVERY_SCOPE - {"users:admin"}]) | st.frozensets(
    st.sampled_from(sorted(USES))
)

OWN = {"name": names, "email": emails}
OTHERS = {
    **OWN,
    "password": passwords,
    "is_active": st.booleans(),
    "is_superuser": st.booleans(),
    "groups": st.lists(st.sampled_from(sorted(GROUPS)), unique=True).map(frozenset),
}


def one_or_more(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return what may change; all at once is mostly refused."""
    one = [st.fixed_dictionaries({name: value}) for name, value in fields.items()]
    return st.one_of(*one, st.fixed_dictionaries({}, optional=fields))


# Without this, most of those who call would have a token that is dead.
good_tokens = st.runner().flatmap(lambda machine: st.sampled_from(machine.good_tokens()))
good_credentials = st.runner().flatmap(lambda machine: st.sampled_from(machine.credentials()))


class Machine(RuleBasedStateMachine):
    """Each rule sends a request, or does what no request can, and asks the model about it."""

    people: Bundle[Person] = Bundle("people")
    tokens: Bundle[Token] = Bundle("tokens")
    callers = st.one_of(good_tokens, good_tokens, tokens)

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(MOST_TOKENS)
        User.objects.all().delete()
        self.groups = {name: make_group(name, actions).pk for name, actions in GROUPS.items()}
        self.add("Root", is_superuser=True)
        self.add("Ann", groups=frozenset({"managers"}))
        self.add("Bob", groups=frozenset({"adders"}))

    def add(
        self, name: str, *, is_superuser: bool = False, groups: frozenset[str] = frozenset()
    ) -> None:
        """Let there be somebody, with a token for everything and one for little."""
        email = f"{name.lower()}@example.com"
        user = User.objects.create_user(email, PASSWORD, name=name, is_superuser=is_superuser)
        user.groups.set([self.groups[group] for group in groups])
        person = Person(user.pk, name, email, PASSWORD, is_superuser=is_superuser, groups=groups)
        self.model.people[person.id] = person
        self.let_in(person, EVERY_SCOPE)
        self.let_in(person, frozenset({"me"}))

    def let_in(self, person: Person, scope: frozenset[str]) -> None:
        """Give somebody a token."""
        user = User.objects.get(pk=person.id)
        _, text = crud.issue_token(user=user, scope=" ".join(sorted(scope)))
        self.model.issue(person, scope, text)

    def credentials(self) -> list[tuple[str, str]]:
        """Return what people log in with."""
        return [(p.email, p.password) for p in self.model.people.values() if p.password]

    def good_tokens(self) -> list[Token]:
        """Return those with which one can call; if there is none, an administrator gets one."""
        if not any(map(self.model.is_good, self.model.tokens)):
            people = self.model.people.values()
            self.let_in(
                next(one for one in people if one.is_superuser and one.is_active), EVERY_SCOPE
            )
        return [token for token in self.model.tokens if self.model.is_good(token)]

    def send(self, caller: Token, method: str, path: str, body: Any = None) -> Answer:
        """Send a request with the token *caller*."""
        return read(api_of(caller).request(method, path, body))

    def newest(self, answered: Answer) -> Token | MultipleResults[Token]:
        """Return the token that there is since this answer, if there is one."""
        return self.model.tokens[-1] if answered[0] == 200 else multiple()

    @initialize(target=people)
    def people_are_there(self) -> MultipleResults[Person]:
        """A superuser, a manager who may not add, somebody who may only add."""
        return multiple(*self.model.people.values())

    @initialize(target=tokens)
    def tokens_are_there(self) -> MultipleResults[Token]:
        """Two of each of them."""
        return multiple(*self.model.tokens)

    @rule(target=tokens, credentials=st.tuples(emails, passwords) | good_credentials, scope=scopes)
    def log_in(
        self, credentials: tuple[str, str], scope: frozenset[str]
    ) -> Token | MultipleResults[Token]:
        """With what somebody has, who may be locked out, or with anything."""
        email, password = credentials
        form = {"username": email, "password": password, "scope": " ".join(sorted(scope))}
        answered = read(login(form))
        text = answered[1].get("access_token", "")
        assert answered == self.model.log_in(email, password, scope, text)
        return self.newest(answered)

    @rule(caller=callers, person=people)
    def read(self, caller: Token, person: Person) -> None:
        """All that can be read, of oneself, of somebody who may be gone, and of everybody."""
        status, listed = self.send(caller, "get", "/auth/tokens")
        keys = [token["key"] for token in listed] if status == 200 else listed
        assert (status, keys) == self.model.list_tokens(caller)
        for path, expected in {
            "/users/me": self.model.read_me(caller),
            "/users": self.model.list_users(caller),
            f"/users/{person.id}": self.model.read_user(caller, person),
        }.items():
            assert self.send(caller, "get", path) == expected

    @rule(caller=callers, changes=one_or_more(OWN))
    def patch_me(self, caller: Token, changes: dict[str, Any]) -> None:
        """Name and address are everybody's own."""
        answered = self.send(caller, "patch", "/users/me", changes)
        assert answered == self.model.patch_me(caller, changes)

    @rule(target=people, caller=callers, name=names, email=emails, password=st.none() | passwords)
    def create_user(
        self, caller: Token, name: str, email: str, password: str | None
    ) -> Person | MultipleResults[Person]:
        """With a password, or without."""
        body = {"name": name, "email": email, **({"password": password} if password else {})}
        answered = self.send(caller, "post", "/users", body)
        id_ = answered[1].get("id", 0)
        assert answered == self.model.create_user(caller, name, email, password, id_)
        return self.model.people[id_] if answered[0] == 201 else multiple()

    @rule(caller=callers, person=people, is_active=st.booleans())
    def set_active(self, caller: Token, person: Person, is_active: bool) -> None:
        """Deactivate, and activate again: old tokens stay dead."""
        self.patch_user(caller, person, {"is_active": is_active})

    @rule(caller=callers, person=people, password=passwords)
    def set_password(self, caller: Token, person: Person, password: str) -> None:
        """Give somebody another password, which ends their tokens."""
        self.patch_user(caller, person, {"password": password})

    @rule(caller=callers, person=people, changes=one_or_more(OTHERS))
    def patch_somehow(self, caller: Token, person: Person, changes: dict[str, Any]) -> None:
        """Rename, grant and take away, and all of it at once."""
        self.patch_user(caller, person, changes)

    def patch_user(self, caller: Token, person: Person, changes: dict[str, Any]) -> None:
        """Send a change, and compare."""
        body = dict(changes)
        if "groups" in changes:
            body["groups"] = [self.groups[name] for name in changes["groups"]]
        answered = self.send(caller, "patch", f"/users/{person.id}", body)
        assert answered == self.model.patch_user(caller, person, changes)

    @rule(caller=callers, person=people)
    def delete_user(self, caller: Token, person: Person) -> None:
        """And their tokens with them."""
        answered = self.send(caller, "delete", f"/users/{person.id}")
        assert answered == self.model.delete_user(caller, person)

    @rule(caller=callers, token=tokens, how=st.sampled_from(["key", "text", "all"]))
    def revoke(self, caller: Token, token: Token, how: str) -> None:
        """A token that may be another's or dead, by its key or its text, or all of one's own."""
        if how == "key":
            answered = self.send(caller, "delete", f"/auth/tokens/{token.key}")
            assert answered == self.model.revoke_by_key(caller, token)
        elif how == "text":
            answered = read(api_of(caller).form("/auth/revoke", {"token": token.text}))
            assert answered == self.model.revoke_by_text(caller, token)
        else:
            answered = self.send(caller, "delete", "/auth/tokens")
            assert answered == self.model.revoke_tokens(caller)

    @rule(target=tokens, caller=callers, old=passwords, new=passwords)
    def change_password(self, caller: Token, old: str, new: str) -> Token | MultipleResults[Token]:
        """The caller's own; a new token comes back."""
        body = {"current_password": old, "new_password": new}
        answered = self.send(caller, "post", "/auth/password", body)
        text = answered[1].get("access_token", "")
        assert answered == self.model.change_password(caller, old, new, text)
        return self.newest(answered)

    @rule(token=tokens)
    def time_passes(self, token: Token) -> None:
        """And this token is too old."""
        AccessToken.objects.filter(key=token.key).update(expires_at=timezone.now())
        token.is_expired = True

    @rule(person=people)
    def lock_out(self, person: Person) -> None:
        """An update by SQL knows no rules: the tokens are not revoked, and yet no good."""
        if not person.is_superuser:
            User.objects.filter(pk=person.id).update(is_active=False)
            person.is_active = False

    @invariant()
    def the_rows_are_those_of_the_model(self) -> None:
        """Whatever was answered, no more and no less has changed."""
        people = sorted(self.model.people.values(), key=lambda person: person.id)
        fields = ("id", "name", "email", "is_active", "is_superuser")
        rows = User.objects.order_by("id").values_list(*fields)
        assert list(rows) == [tuple(getattr(one, field) for field in fields) for one in people]
        grants = User.groups.through.objects.values_list("user_id", "group__name")
        assert set(grants) == {(one.id, group) for one in people for group in one.groups}
        stored = AccessToken.objects.order_by("id").select_related("user")
        tokens = [token for token in self.model.tokens if token.owner.id in self.model.people]
        now = timezone.now()
        assert [(t.key, t.revoked_at is not None, t.refusal(now) is None) for t in stored] == [
            (token.key, token.is_revoked, self.model.is_good(token)) for token in tokens
        ]


def api_of(caller: Token) -> Api:
    api = Api()
    api.headers["Authorization"] = f"Bearer {caller.text}"
    return api


def read(response: Any) -> Answer:
    return response.status_code, response.json() if response.content else None


def make_group(name: str, actions: set[str]) -> Group:
    group, _ = Group.objects.get_or_create(name=name)
    codenames = [f"{action}_user" for action in actions]
    group.permissions.set(
        Permission.objects.filter(content_type__app_label="users", codename__in=codenames)
    )
    return group


def test_the_api_answers_as_the_model(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status and body of every answer, and every row after it."""
    settings.API_THROTTLES = dict.fromkeys(settings.API_THROTTLES)
    monkeypatch.setattr(token_queries, "MOST_TOKENS", MOST_TOKENS)  # so that it is reached
    run_state_machine_as_test(
        Machine,
        settings=hypothesis.settings(
            stateful_step_count=30,
            phases=set(hypothesis.Phase) - {hypothesis.Phase.shrink},  # it takes minutes
        ),
    )
