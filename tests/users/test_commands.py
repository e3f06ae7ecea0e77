"""Management commands."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils import timezone

from tests.users.conftest import PASSWORD, Api, Browser, login, make_user
from users import crud
from users.models import AccessToken, AuditEntry, ThrottleCounter, User

pytestmark = pytest.mark.django_db


def run(*args: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_token_is_printed_once_and_works(manager: User) -> None:
    """Nothing but the token on standard output, so that a shell can use it."""
    out, err = run(
        *("create_token", "MANAGER@example.com", "--label", "ci", "--days", "90"),
        *("--scope", "users:read me"),
    )
    assert "For manager@example.com, scope 'me users:read', 90 days." in err
    api = Api()
    api.headers["Authorization"] = f"Bearer {out.strip()}"
    assert api.get("/users").status_code == 200
    token = AccessToken.objects.get()
    assert (token.label, (token.expires_at - timezone.now()).days) == ("ci", 89)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nobody@example.com"], "There is no user 'nobody@example.com'."),
        (["ann@example.com", "--days", "91"], "--days must be 1 to 90."),
        (["ann@example.com", "--days", "0"], "--days must be 1 to 90."),
        (["ann@example.com", "--scope", "x"], "The scope is unknown. Known are: me, items,"),
        (["ann@example.com", "--label", "x" * 101], "--label has at most 100 characters."),
        (["off@example.com"], "off@example.com is not active."),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(args: list[str], message: str, ann: User) -> None:
    """And no token is made."""
    make_user("off@example.com", is_active=False)
    with pytest.raises(CommandError, match=message):
        run("create_token", *args)
    assert AccessToken.objects.count() == 0


def test_dead_tokens_are_purged(ann: User) -> None:
    """And counters whose time is over; the command says how many they were."""
    crud.issue_token(user=ann, scope="me")
    crud.revoke_tokens(access_tokens=AccessToken.objects.all())
    crud.count("x", seconds=0)
    crud.count("y", seconds=60)
    assert run("purge_tokens")[0] == "Deleted 1 tokens and 1 counters.\n"
    assert ThrottleCounter.objects.count() == 1


def test_djangos_own_commands_know_our_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Createsuperuser asks for an address and a name."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    run("createsuperuser", "--no-input", "--email", "Root@example.com", "--name", "Root")
    assert User.objects.get(email="root@example.com").is_superuser


@pytest.mark.parametrize("email", ["nobody", "a@[127.0.0.1]", "\u0430nn@example.com"])
def test_createsuperuser_says_what_is_wrong(email: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a line, not with a traceback."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    with pytest.raises(CommandError, match="mail"):
        run("createsuperuser", "--no-input", "--email", email, "--name", "Root")
    assert User.objects.count() == 0


def test_changepassword_ends_tokens(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds the user by address."""
    api = Api(ann)
    monkeypatch.setattr("getpass.getpass", lambda **_: "another long passphrase")
    run("changepassword", "ann@example.com")
    ann.refresh_from_db()
    assert ann.check_password("another long passphrase")
    assert api.get("/users/me").status_code == 401


@pytest.fixture
def people(ann: User, root: User) -> list[User]:
    """Somebody without permissions and a superuser."""
    return [ann, root]


@pytest.mark.parametrize("index", [0, 1])
def test_a_lost_password_is_replaced(index: int, people: list[User], events: Any) -> None:
    """When the command ran, then its password works, and all access of before has ended."""
    user = people[index]
    api, page = Api(user), Browser(user)
    with TestCase.captureOnCommitCallbacks(execute=True):
        out, err = run("reset_password", user.email.upper())
    assert login({"username": user.email, "password": PASSWORD}).status_code == 400
    assert login({"username": user.email, "password": out.strip()}).status_code == 200
    assert (api.get("/users/me").status_code, page.get("/users/me").status_code) == (401, 401)
    assert err == f"For {user}. All sessions and tokens of before have ended.\n"
    assert {"event": "password_changed", "outcome": "success", "whom": user.pk} in events()


def test_a_new_password_lets_nobody_in_who_is_not_active(ann: User) -> None:
    """When the user is inactive, then the command says that the password cannot help."""
    User.objects.update(is_active=False)
    assert "ann@example.com is not active, and cannot log in." in run("reset_password", ann)[1]


@pytest.mark.parametrize("index", [0, 1])
def test_all_access_of_a_user_is_ended(index: int, people: list[User], events: Any) -> None:
    """When the command ran, then old sessions and tokens are void, and a new login works."""
    user, other = people[index], people[1 - index]
    api, page, bystander = Api(user), Browser(user), Api(other)
    with TestCase.captureOnCommitCallbacks(execute=True):
        out, _ = run("end_sessions", user.email)
    assert out == f"Ended all sessions and tokens of {user}.\n"
    assert (api.get("/users/me").status_code, page.get("/users/me").status_code) == (401, 401)
    assert bystander.get("/users/me").status_code == 200
    answer = login({"username": user.email, "password": PASSWORD})
    again = Api()
    again.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"  # type: ignore[attr-defined]
    assert again.get("/users/me").status_code == 200
    assert {"event": "access_ended", "outcome": "success", "whom": user.pk} in events()
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.actor_id, entry.target_id) == ("access_ended", "", str(user.pk))


@pytest.mark.parametrize("command", ["reset_password", "end_sessions"])
def test_a_user_who_is_not_there(command: str) -> None:
    """When there is no such user, then the command says so in one line."""
    with pytest.raises(CommandError, match=r"There is no user 'nobody@example.com'\."):
        run(command, "nobody@example.com")
