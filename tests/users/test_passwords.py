"""What may be a password, and what is one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import hashers
from django.test import Client

from project import settings as project_settings
from tests.users.conftest import PASSWORD, Api, login
from users.models import User

NEW = "another long passphrase"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

GOOD = [
    "abcxyzabcxyz",
    "MiXeD CaSe wOrDs",
    "384629105732",
    "!!!!????....",
    " " * 12,
    "  blanks stay  ",
    "пароль пароль",
    "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301",
    "🔑" * 12,
    "xy" * 32,
    "xy" * 64,
]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    """A test may mistype as often as it likes."""
    settings.API_THROTTLES = dict.fromkeys(("login_client", "client", "login", "anonymous"))


def others(password: str) -> list[str]:
    """Return what a careless check would take for *password*."""
    return [
        *(password[:-1], password[:72], password + "x", password.strip(), f" {password}"),
        *(password.upper(), password.swapcase(), password.replace("e\u0301", "é")),
    ]


@pytest.mark.asvs("6.2.1", "6.2.5", "6.2.8", "6.2.9")
@pytest.mark.parametrize("password", GOOD)
def test_a_password_is_what_was_typed(password: str, manager: User) -> None:
    """Whatever it is made of, from 12 to 128 characters; and nothing that is almost it."""
    body = {"name": "Bob", "email": "bob@example.com", "password": password}
    assert Api(manager).post("/users", body).status_code == 201
    for almost in {*others(password)} - {password, ""}:
        assert login({"username": "bob@example.com", "password": almost}).status_code == 400
    assert login({"username": "bob@example.com", "password": password}).status_code == 200


@pytest.mark.asvs("6.2.1", "6.2.2", "6.2.3")
@pytest.mark.parametrize(
    ("new", "status"), [("x1y2z3x1y2z", 422), ("x1y2z3x1y2z3", 200), ("xy" * 64 + "x", 422)]
)
def test_changing_it(new: str, status: int, ann: User) -> None:
    """One's own, by who knows the current one: from 12 characters to 128."""
    change = {"current_password": PASSWORD, "new_password": new}
    assert Api(ann).post("/auth/password", {**change, "current_password": new}).status_code in (
        400,
        422,
    )
    assert Api(ann).post("/auth/password", change).status_code == status
    works = new if status == 200 else PASSWORD
    assert login({"username": ann.email, "password": works}).status_code == 200


@pytest.mark.asvs("6.2.8", "11.4.2")
def test_argon2_hashes_all_of_it(ann: User, settings: Any) -> None:
    """Of two long passwords the last character makes the difference."""
    settings.PASSWORD_HASHERS = project_settings.PASSWORD_HASHERS
    ann.set_password("xy" * 64)
    ann.save()
    assert hashers.identify_hasher(ann.password).algorithm == "argon2"
    assert login({"username": ann.email, "password": "xy" * 63 + "xz"}).status_code == 400
    assert login({"username": ann.email, "password": "xy" * 64}).status_code == 200


def test_ones_own_needs_the_old_one_everywhere(root: User, manager: User) -> None:
    """When users set their own password by id, then it is refused, whoever they are."""
    for user in (root, manager):
        before = user.password
        answer: Any = Api(user).patch(f"/users/{user.pk}", {"password": NEW, "name": "X"})
        detail = "Your own password is changed with the old one, at POST auth/password"
        assert (answer.status_code, answer.json()) == (403, {"detail": detail})
        user.refresh_from_db()
        assert (user.password, user.name != "X") == (before, True)


@pytest.mark.parametrize("form", ["{}", "0{}"])
def test_the_admin_site_asks_for_the_old_one(form: str, root: User) -> None:
    """When superusers set their own password on the page for others', then it asks for the old."""
    client = Client()
    client.force_login(root)
    data = {"usable_password": "true", "password1": NEW, "password2": NEW}
    page = client.post(f"/admin/users/user/{form.format(root.pk)}/password/", data)
    assert page.headers["Location"] == "/admin/password_change/"
    before = root.password
    root.refresh_from_db()
    assert root.password == before
