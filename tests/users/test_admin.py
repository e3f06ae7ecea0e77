"""The admin site, as a browser uses it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.users.conftest import EVERY_SCOPE, PASSWORD, Api, make_user
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
    ann_url = reverse("admin:users_user_change", args=[ann.pk])
    raised = {"is_staff": "on", "is_superuser": "on", "groups": [Group.objects.create().pk]}
    assert client.post(ann_url, {**change_form(client, ann), **raised}).status_code == 302
    ann.refresh_from_db()
    assert (ann.is_staff, ann.is_superuser, list(ann.groups.all())) == (False, False, [])
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
    assert client.post(change, {"scope": "users:admin", "key": "x"}).status_code == 403
    token.refresh_from_db()
    assert token.scope == EVERY_SCOPE
    assert "Revoked 1 tokens." in act(client, "accesstoken", "revoke", token)
    assert api.get("/users/me").status_code == 401


@pytest.mark.parametrize("field", ["digest", "fingerprint"])
def test_hidden_columns_cannot_be_guessed(field: str, root: User, ann: User) -> None:
    """Filtering by their first letters would spell them out."""
    Api(ann)
    token = AccessToken.objects.get()
    client = browser(root)
    url = reverse("admin:users_accesstoken_changelist")
    assert client.get(f"{url}?{field}__startswith={getattr(token, field)[0]}").status_code == 400
    assert client.get(f"{url}?user__password__startswith=a").status_code == 400
    assert client.get(f"{url}?key__startswith={token.key[0]}").status_code == 200


def test_a_user_is_deleted_with_their_tokens(root: User, staff: User, ann: User) -> None:
    """Nobody may delete tokens alone, but they do not keep a user; nobody deletes themselves."""
    Api(ann)
    url = reverse("admin:users_user_delete", args=[ann.pk])
    assert browser(staff).post(url, {"post": "yes"}).status_code == 302
    assert AccessToken.objects.count() == 0
    assert not User.objects.filter(pk=ann.pk).exists()
    url = reverse("admin:users_user_delete", args=[root.pk])
    assert browser(root).post(url, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=root.pk).exists()


def test_nobody_locks_themselves_out(root: User) -> None:
    """One's own switches are read-only, so there is always a superuser who can log in."""
    client = browser(root)
    url = reverse("admin:users_user_change", args=[root.pk])
    assert client.post(url, {"email": root.email, "name": "Root 2"}).status_code == 302
    root.refresh_from_db()
    assert (root.name, root.is_active, root.is_staff, root.is_superuser) == (
        "Root 2",
        True,
        True,
        True,
    )


def test_a_form_writes_only_what_was_changed_in_it(root: User, ann: User) -> None:
    """A password that somebody sets while the form is being saved is not overwritten."""
    client = browser(root)
    form = {**change_form(client, ann), "name": "Anne"}
    url = reverse("admin:users_user_change", args=[ann.pk])
    with CaptureQueriesContext(connection) as queries:
        client.post(url, form)
    (update,) = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    written = re.sub(r".* SET | WHERE .*", "", update)
    assert written == "\"name\" = 'Anne'"


def test_groups_are_handed_out_by_superusers(root: User, ann: User) -> None:
    """A form that changes nothing but groups changes them."""
    group = Group.objects.create(name="readers")
    client = browser(root)
    url = reverse("admin:users_user_change", args=[ann.pk])
    form = {**change_form(client, ann), "groups": [group.pk]}
    assert client.post(url, form).status_code == 302
    assert list(ann.groups.all()) == [group]
    assert changelist(client, f"groups__id__exact={group.pk}") == [ann.email]


def test_a_password_is_set_and_the_old_tokens_end(root: User, ann: User) -> None:
    """By the form behind the link in the user's page."""
    client, api = browser(root), Api(ann)
    form = {
        "usable_password": "true",
        "password1": "another long passphrase",
        "password2": "another long passphrase",
    }
    url = reverse("admin:auth_user_password_change", args=[ann.pk])
    assert client.post(url, form).status_code == 302
    ann.refresh_from_db()
    assert ann.check_password("another long passphrase")
    assert api.get("/users/me").status_code == 401
