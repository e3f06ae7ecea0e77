"""The admin site, as a browser uses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.users.conftest import PASSWORD, Api, make_user
from users.models import AccessToken, User

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    """Return a browser in which *user* has logged in with e-mail and password."""
    client = Client()
    form = {"username": user.email.upper(), "password": PASSWORD, "next": "/admin/"}
    response = client.post(reverse("admin:login"), form)
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
    return client


@pytest.fixture
def staff(db: None) -> User:
    """Somebody of the staff who may do everything with users."""
    return make_user(
        "staff@example.com",
        *("add_user", "change_user", "delete_user", "view_user"),
        name="Staff",
        is_staff=True,
    )


def changelist(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{reverse('admin:users_user_changelist')}?{query}")
    return [user.email for user in response.context["cl"].queryset]


def test_login_is_by_address(root: User) -> None:
    """And shows both kinds of rows."""
    page = browser(root).get("/admin/").content.decode()
    assert "Access tokens" in page
    assert "Users" in page


def test_users_are_listed_found_and_filtered(root: User, ann: User) -> None:
    """By name, by address, by what they are."""
    client = browser(root)
    assert changelist(client) == [root.email, ann.email]
    assert changelist(client, "q=ann") == [ann.email]
    assert changelist(client, "is_superuser__exact=1") == [root.email]


def test_a_user_is_added_with_a_password(root: User) -> None:
    """The address in its one spelling; a bad one is told beside its field."""
    client = browser(root)
    form = {
        "email": " Bob@Example.com",
        "name": "Bob",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert client.post(reverse("admin:users_user_add"), form).status_code == 302
    bob = User.objects.get(email="bob@example.com")
    assert bob.check_password(PASSWORD)
    response = client.post(reverse("admin:users_user_add"), {**form, "name": "\u200b"})
    assert "invisible characters" in response.content.decode()
    response = client.post(reverse("admin:users_user_add"), form)
    assert "A user with this email already exists." in response.content.decode()


def change_form(client: Client, user: User) -> dict[str, Any]:
    """Return the fields of the change page as a browser would send them back."""
    page = client.get(reverse("admin:users_user_change", args=[user.pk]))
    initial = page.context["adminform"].form.initial
    fields = ("email", "name", "is_active", "is_staff", "is_superuser")
    return {name: initial[name] for name in fields if initial.get(name) not in (False, None)}


def test_changing_and_deactivating(root: User, ann: User) -> None:
    """Who is deactivated loses their tokens for ever."""
    client, api = browser(root), Api(ann)
    form = change_form(client, ann)
    url = reverse("admin:users_user_change", args=[ann.pk])
    assert client.post(url, {**form, "name": "Anne"}).status_code == 302
    ann.refresh_from_db()
    assert (ann.name, api.get("/users/me").status_code) == ("Anne", 200)
    form.pop("is_active")
    assert client.post(url, form).status_code == 302
    User.objects.update(is_active=True)
    assert api.get("/users/me").status_code == 401


def act(client: Client, kind: str, action: str, *rows: Any) -> str:
    url = reverse(f"admin:users_{kind}_changelist")
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(url, data, follow=True).content.decode()


def test_actions_deactivate_and_activate(root: User, ann: User) -> None:
    """Never oneself."""
    client, api = browser(root), Api(ann)
    assert "Deactivated 1 users." in act(client, "user", "deactivate", ann, root)
    for user in (ann, root):
        user.refresh_from_db()
    assert (ann.is_active, root.is_active) == (False, True)
    assert "Activated 1 users." in act(client, "user", "activate", ann, root)
    assert api.get("/users/me").status_code == 401


def test_staff_cannot_raise_themselves(staff: User, root: User, ann: User) -> None:
    """Privileges are read-only for them, superusers out of reach, bulk deletion gone."""
    client = browser(staff)
    url = reverse("admin:users_user_change", args=[staff.pk])
    form = {**change_form(client, staff), "is_superuser": "on", "name": "Still staff"}
    assert client.post(url, form).status_code == 302
    staff.refresh_from_db()
    assert (staff.is_superuser, staff.name) == (False, "Still staff")
    root_url = reverse("admin:users_user_change", args=[root.pk])
    assert client.post(root_url, {"email": root.email, "name": "X"}).status_code == 403
    assert client.post(reverse("admin:users_user_delete", args=[root.pk])).status_code == 403
    assert "Deactivated 1 users." in act(client, "user", "deactivate", ann, root)
    act(client, "user", "delete_selected", ann, root)
    root.refresh_from_db()
    assert root.is_active
    assert User.objects.filter(pk=ann.pk).exists()


def test_tokens_are_looked_at_and_revoked(root: User, ann: User) -> None:
    """No page shows a digest; nothing can be added, changed or deleted."""
    client, api = browser(root), Api(ann)
    token = AccessToken.objects.get()
    pages = [
        client.get(reverse("admin:users_accesstoken_changelist")),
        client.get(reverse("admin:users_accesstoken_change", args=[token.pk])),
    ]
    for page in pages:
        content = page.content.decode()
        assert token.key in content
        assert token.digest not in content
        assert token.fingerprint not in content
    assert client.get(reverse("admin:users_accesstoken_add")).status_code == 403
    delete = reverse("admin:users_accesstoken_delete", args=[token.pk])
    assert client.post(delete).status_code == 403
    change = reverse("admin:users_accesstoken_change", args=[token.pk])
    client.post(change, {"scope": "users:admin", "key": "x"})
    token.refresh_from_db()
    assert token.scope == "me"
    assert "Revoked 1 tokens." in act(client, "accesstoken", "revoke", token)
    assert api.get("/users/me").status_code == 401
