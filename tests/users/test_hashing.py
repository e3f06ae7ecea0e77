"""How many passwords are hashed at once, and with what."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.utils import timezone

from tests.users.conftest import PASSWORD, Api, Browser, at_once, login, make_user
from users import conf, crud, hashing
from users.exceptions import BusyError
from users.models import AccessToken, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

BUSY = (503, {"detail": "The server is busy, try again"}, "1")


@pytest.fixture
def all_slots(settings: Any) -> Any:
    """Take all slots, from whoever would wait for none."""
    settings.API_HASHING_WAIT = 0
    with ExitStack() as stack:
        for _ in range(conf.hashing_slots()):
            stack.enter_context(hashing.slot())
        yield


def answer(response: Any) -> Any:
    return response.status_code, response.json(), response["Retry-After"]


@pytest.mark.asvs("15.4.1")
def test_a_slot_is_given_back(settings: Any) -> None:
    """Whatever happened in it; there are as many as the project says, at first as cores."""
    for _ in range(conf.hashing_slots() + 1):
        with pytest.raises(ZeroDivisionError), hashing.slot():
            raise ZeroDivisionError
    settings.API_HASHING_SLOTS = 7
    assert conf.hashing_slots() == 7


@pytest.mark.asvs("2.4.1", "13.1.2")
@pytest.mark.usefixtures("all_slots")
def test_nothing_waits_for_a_slot_for_ever(ann: User, root: User, hashed: list[str]) -> None:
    """When no slot is free in time, then 503, wherever a password would be hashed."""
    with pytest.raises(BusyError), hashing.slot():
        pass
    hashed.clear()
    new = "another long passphrase"
    change = {"current_password": PASSWORD, "new_password": new}
    body = {"name": "B", "email": "b@example.com", "password": new}
    for response in (
        login({"username": ann.email, "password": PASSWORD}),
        Browser().post("/auth/session", {"email": ann.email, "password": PASSWORD}),
        Api(ann).post("/auth/password", change),
        Api(root).post("/users", body),
        Api(root).patch(f"/users/{ann.pk}", {"password": new}),
    ):
        assert answer(response) == BUSY
    assert hashed == []
    assert Api(root).post("/users", {**body, "password": None}).status_code == 422
    del body["password"]
    assert Api(root).post("/users", body).status_code == 201


@pytest.mark.usefixtures("all_slots")
def test_who_finds_no_slot_has_made_no_attempt(ann: User, settings: Any) -> None:
    """A busy server does not lock its users out."""
    settings.API_THROTTLES = {"login_client": (2, 300)}
    form = {"username": ann.email, "password": PASSWORD}
    assert [login(form).status_code for _ in range(4)] == [503] * 4


@pytest.mark.django_db(transaction=True)
def test_twenty_right_logins_at_once_all_get_in(
    ann: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When more users log in than passwords are hashed at once, then they wait their turn."""
    settings.API_THROTTLES = {"anonymous": None, "login_client": None, "client": None}
    hasher = type(hashers.get_hasher())
    encode = hasher.encode
    running, most = [], []

    def slow(*args: Any, **kwargs: Any) -> str:
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()
        return encode(*args, **kwargs)

    monkeypatch.setattr(hasher, "encode", slow)
    form = {"username": ann.email, "password": PASSWORD}
    assert at_once(20, lambda _: login(form).status_code) == [200] * 20
    assert max(most) <= conf.hashing_slots()


ARGON2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
PBKDF2 = "django.contrib.auth.hashers.PBKDF2PasswordHasher"


@pytest.mark.asvs("11.4.2")
def test_an_old_hash_is_renewed_and_ends_nothing(settings: Any) -> None:
    """Argon2 first, PBKDF2 known: a login hashes anew, and all tokens go on working."""
    settings.PASSWORD_HASHERS = [PBKDF2]
    ann = make_user("ann@example.com")
    api = Api(ann)
    settings.PASSWORD_HASHERS = [ARGON2, PBKDF2]
    assert login({"username": ann.email, "password": PASSWORD}).status_code == 200
    ann.refresh_from_db()
    assert hashers.identify_hasher(ann.password).algorithm == "argon2"
    assert api.get("/users/me").status_code == 200
    assert len(crud.list_tokens(user=ann)) == 2
    User.objects.update(password=hashers.make_password(PASSWORD))
    assert api.get("/users/me").status_code == 401
    assert AccessToken.objects.filter(expires_at__gt=timezone.now()).count() == 2


@pytest.mark.asvs("11.4.2")
def test_the_project_hashes_with_argon2() -> None:
    """And knows what was hashed before."""
    from project import settings as project_settings

    assert project_settings.PASSWORD_HASHERS == [ARGON2, PBKDF2]
