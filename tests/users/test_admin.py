"""The admin site, as a browser uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import hashers
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.views.debug import get_exception_reporter_filter

from tests.users.conftest import EVERY_SCOPE, PASSWORD, Api, at_once, login, make_user
from users import hashing
from users.admin.passwords import PasswordForm
from users.admin.user_forms import UserCreation
from users.models import AccessToken, AuditEntry, ThrottleCounter, User

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


NEW = {
    "email": "bob@example.com",
    "name": "Bob",
    "usable_password": "true",
    "password1": "another long passphrase",
    "password2": "another long passphrase",
}


@pytest.fixture
def in_transaction(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return, of each password that is hashed, whether that was inside a transaction."""
    found: list[bool] = []
    hasher = type(hashers.get_hasher())
    encode = hasher.encode

    def watched(self: Any, *args: Any, **kwargs: Any) -> str:
        found.append(connection.in_atomic_block)
        return encode(self, *args, **kwargs)

    monkeypatch.setattr(hasher, "encode", watched)
    return found


@pytest.mark.django_db(transaction=True)
def test_passwords_are_hashed_before_a_transaction(root: User, in_transaction: list[bool]) -> None:
    """Which on SQLite holds the one write lock; each is hashed once."""
    client = browser(root)
    in_transaction.clear()
    assert client.post(reverse("admin:users_user_add"), NEW).status_code == 302
    bob = User.objects.get(email="bob@example.com")
    assert in_transaction == [False]
    assert bob.check_password("another long passphrase")
    in_transaction.clear()
    url = reverse("admin:auth_user_password_change", args=[bob.pk])
    assert client.post(url, NEW).status_code == 302
    assert in_transaction == [False]
    assert change_own(client, PASSWORD).status_code == 302
    assert in_transaction == [False] * 3  # the old one, too


def test_nothing_is_hashed_for_a_form_that_is_refused(root: User, hashed: list[str]) -> None:
    """A taken address, no name, no password or two."""
    client = browser(root)
    hashed.clear()
    add = reverse("admin:users_user_add")
    for changed in ({"email": root.email}, {"name": ""}, {"password2": "x"}, {"password1": ""}):
        assert client.post(add, {**NEW, **changed}).status_code == 200
    assert hashed == []


@pytest.mark.parametrize("held", ["add_user", "change_user"])
def test_nothing_is_hashed_for_who_may_not_add(held: str, db: None, hashed: list[str]) -> None:
    """That is for who may add and change."""
    client = browser(make_user("some@example.com", held, is_staff=True))
    hashed.clear()
    assert client.post(reverse("admin:users_user_add"), NEW).status_code == 403
    assert hashed == []


@pytest.fixture
def pages(root: User, ann: User) -> list[Callable[[dict[str, str]], Any]]:
    """Return what sends each form with a new password: of a new user, another's, one's own."""
    client = browser(root)
    add = reverse("admin:users_user_add")
    change = reverse("admin:auth_user_password_change", args=[ann.pk])
    return [
        lambda form: client.post(add, form),
        lambda form: client.post(change, form),
        lambda form: change_own(client, PASSWORD, form["password1"]),
    ]


@pytest.mark.asvs("13.1.2")
def test_each_new_password_takes_a_slot(
    pages: Any, root: User, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds none free is told so on the page, and nothing is written; nobody waits."""
    monkeypatch.setattr(hashing, "_slots", BoundedSemaphore(1))
    # The old one is right, and was hashed a moment ago.
    monkeypatch.setattr("users.admin.common.log_in", lambda *_: root)
    hashed.clear()
    before = list(User.objects.order_by("pk").values())
    with hashing.slot():
        for send in pages:
            page = send(NEW)
            assert page.status_code == 200
            assert page.content.decode().count("The server is busy, try again.") == 1
    assert (hashed, list(User.objects.order_by("pk").values())) == ([], before)
    assert [send(NEW).status_code for send in pages] == [302] * 3
    assert hashed == [NEW["password1"]] * 3


def test_to_have_no_password_takes_no_slot(
    pages: Any, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to hash."""
    monkeypatch.setattr(hashing, "_slots", BoundedSemaphore(1))
    without = {**NEW, "usable_password": "false", "unset-password": "1"}
    with hashing.slot():
        assert [send(without).status_code for send in pages[:2]] == [302, 302]
    others = User.objects.exclude(pk=root.pk)
    assert [user.has_usable_password() for user in others] == [False, False]


def test_an_address_that_becomes_free_in_between(
    root: User, ann: User, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the transaction it was taken, and nothing was hashed; nor is it within."""
    client = browser(root)
    hashed.clear()
    add_view = DjangoUserAdmin.add_view

    def late(*args: Any, **kwargs: Any) -> Any:
        ann.delete()
        return add_view(*args, **kwargs)

    monkeypatch.setattr(DjangoUserAdmin, "add_view", late)
    page = client.post(reverse("admin:users_user_add"), {**NEW, "email": ann.email})
    assert (page.status_code, "try again." in page.content.decode()) == (200, True)
    assert (hashed, User.objects.get()) == ([], root)


def test_a_crash_tells_no_password(root: User, monkeypatch: Any, caplog: Any) -> None:
    """Who is sent the report of an error reads what was sent, but for this."""
    client = browser(root)
    client.raise_request_exception = False
    monkeypatch.setattr(hashing, "_slots", None)
    assert client.post(reverse("admin:users_user_add"), NEW).status_code == 500
    request = caplog.records[-1].request
    told = get_exception_reporter_filter(request).get_post_parameters(request)
    assert told.keys() == NEW.keys()
    assert NEW["password1"] not in told.values()


def test_the_form_of_a_new_user_can_be_used_elsewhere(db: None) -> None:
    """It hashes by itself, and saves now or later; empty it has no errors."""
    assert UserCreation().errors == {}
    form = UserCreation(NEW)
    assert form.is_valid()
    assert form.save(commit=False).pk is None
    assert form.save().check_password(NEW["password1"])
    assert User.objects.get().email == NEW["email"]


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


@pytest.mark.asvs("7.4.5")
def test_an_action_ends_all_access(root: User, staff: User, ann: User) -> None:
    """When the action ran, then sessions and tokens are void, but staff cannot end superusers'."""
    tokens = {user: Api(user) for user in (root, ann)}
    page = act(browser(staff), "user", "end_access", root, ann)
    assert "Ended all sessions and tokens of 1 users." in page
    assert tokens[ann].get("/users/me").status_code == 401
    assert tokens[root].get("/users/me").status_code == 200
    ann.refresh_from_db()
    assert ann.is_active
    noted = LogEntry.objects.values_list("object_repr", "change_message")
    assert list(noted) == [(ann.email, "Ended all sessions and tokens.")]
    act(browser(root), "user", "end_access", root)
    assert tokens[root].get("/users/me").status_code == 401
    by = AuditEntry.objects.order_by("pk").values_list("actor_id", flat=True)
    assert list(by) == [str(staff.pk), str(root.pk)]


@pytest.mark.asvs("8.3.1")
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


@pytest.mark.asvs("7.4.5", "10.4.9")
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


@pytest.mark.parametrize(
    ("kind", "action", "told"),
    [
        ("user", "deactivate", "Deactivated 49 users."),  # all but oneself
        ("accesstoken", "revoke", "Revoked 50 tokens."),
    ],
)
def test_all_rows_of_a_page_can_be_chosen(
    kind: str, action: str, told: str, root: User, ann: User
) -> None:
    """However many there are, a form has only so many fields."""
    User.objects.bulk_create(User(email=f"u{n}@example.com", name="U") for n in range(100))
    AccessToken.objects.bulk_create(
        AccessToken(user=ann, key=f"key{n}", expires_at=timezone.now()) for n in range(100)
    )
    client = browser(root)
    url = reverse(f"admin:users_{kind}_changelist")
    assert len(client.get(f"{url}?all=").context["cl"].result_list) == 50
    rows = list(client.get(url).context["cl"].result_list)
    done = act(client, kind, action, *rows)
    assert told in done


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


@pytest.mark.asvs("7.4.5")
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


def login_page(client: Client, **form: str) -> Any:
    return client.post(reverse("admin:login"), {"next": "/admin/", **form})


@pytest.mark.asvs("6.3.1")
def test_logging_in_is_throttled_as_everywhere(root: User, settings: Any) -> None:
    """By this form and by the API together; the page says so, and hashes nothing."""
    settings.API_THROTTLES = {"login_client": (2, 300)}
    client = Client()
    form = {"username": root.email, "password": "wrong"}
    assert "Please enter the correct email" in login_page(client, **form).content.decode()
    assert login({**form, "password": "x"}).status_code == 400
    page = login_page(client, username=root.email, password=PASSWORD)
    assert (page.status_code, "Too many requests." in page.content.decode()) == (200, True)
    assert login({**form, "password": PASSWORD}).status_code == 429


def test_a_busy_server_says_so(root: User, monkeypatch: Any) -> None:
    """On the page."""
    monkeypatch.setattr(hashing, "_slots", BoundedSemaphore(1))
    with hashing.slot():
        page = login_page(Client(), username=root.email, password=PASSWORD)
    assert "The server is busy, try again." in page.content.decode()
    browser(root)


@pytest.mark.parametrize("form", [{}, {"username": "root@example.com"}, {"password": PASSWORD}])
def test_a_form_that_is_not_filled_in(form: dict[str, str], root: User) -> None:
    """Is no attempt."""
    assert "This field is required." in login_page(Client(), **form).content.decode()
    assert not ThrottleCounter.objects.exists()


def test_only_the_staff_gets_in(ann: User, events: Any) -> None:
    """The page does not say why; the log says who it was."""
    page = login_page(Client(), username=ann.email, password=PASSWORD).content.decode()
    assert "Please enter the correct email" in page
    assert [one["event"] for one in events()] == ["login_succeeded"]


def test_sessions_here_are_shorter(root: User, settings: Any, events: Any) -> None:
    """And where they started is in the log."""
    settings.STAFF_SESSION_AGE = 900
    assert 840 < browser(root).cookies["sessionid"]["max-age"] <= 900
    assert [(one["event"], one.get("path")) for one in events()] == [
        ("login_succeeded", None),
        ("session_started", "/admin/login/"),
    ]


@pytest.mark.asvs("8.2.3")
def test_staff_writes_no_privilege_of_anybody(staff: User, ann: User) -> None:
    """Not by the page to add, nor by permissions, nor by a date that looks like a login."""
    client = browser(staff)
    permission = Permission.objects.get(codename="view_accesstoken")
    raised = {
        "is_staff": "on",
        "is_superuser": "on",
        "last_login_0": "2000-01-01",
        "user_permissions": [permission.pk],
    }
    new = {
        "email": "bob@example.com",
        "name": "Bob",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert client.post(reverse("admin:users_user_add"), {**new, **raised}).status_code == 302
    url = reverse("admin:users_user_change", args=[ann.pk])
    assert client.post(url, {**change_form(client, ann), **raised}).status_code == 302
    for user in User.objects.exclude(pk=staff.pk):
        assert (user.is_staff, user.is_superuser, user.last_login) == (False, False, None)
        assert not user.user_permissions.exists()


@pytest.mark.asvs("8.3.1")
def test_staff_sets_no_password_of_a_superuser(staff: User, root: User, ann: User) -> None:
    """That page is another one, and no button leads there."""
    client = browser(staff)
    for user, is_offered in ((ann, True), (root, False)):
        page = client.get(reverse("admin:users_user_change", args=[user.pk])).content.decode()
        assert user.name in page
        assert ("Reset password" in page) is is_offered
    form = {"usable_password": "true", "password1": "x" * 20, "password2": "x" * 20}
    url = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.post(url, form).status_code == 403
    before = root.password
    root.refresh_from_db()
    assert root.password == before


def test_groups_are_left_to_superusers(staff: User, root: User) -> None:
    """Who may change a group could join their own with every permission."""
    staff.user_permissions.add(*Permission.objects.filter(content_type__model="group"))
    group = Group.objects.create(name="one")
    urls = [
        reverse("admin:auth_group_add"),
        reverse("admin:auth_group_change", args=[group.pk]),
        reverse("admin:auth_group_delete", args=[group.pk]),
    ]
    for user, status in ((staff, 403), (root, 200)):
        client = browser(user)
        assert [client.post(url, {"name": ""}).status_code for url in urls[:2]] == [status] * 2
        assert client.get(urls[2]).status_code == status
    assert browser(staff).get(reverse("admin:auth_group_changelist")).status_code == 200


def test_what_is_done_here_is_noted(root: User, ann: User) -> None:
    """In Django's own log by row, and of who is deleted an entry stays."""
    client = browser(root)
    Api(ann)
    token = AccessToken.objects.get()
    act(client, "accesstoken", "revoke", token)
    act(client, "accesstoken", "revoke", token)
    act(client, "user", "deactivate", ann)
    act(client, "user", "activate", ann)
    noted = LogEntry.objects.order_by("pk").values_list("object_repr", "change_message")
    assert list(noted) == [
        (token.key, "Revoked."),
        (ann.email, "Deactivated."),
        (ann.email, "Activated."),
    ]
    url = reverse("admin:users_user_delete", args=[ann.pk])
    assert client.post(url, {"post": "yes"}).status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.actor_id, entry.target_id) == (
        "user_deleted",
        str(root.pk),
        str(ann.pk),
    )
    page = client.get(reverse("admin:users_auditentry_changelist")).content.decode()
    assert "User deleted" in page
    for name, args in (("add", []), ("delete", [entry.pk]), ("change", [entry.pk])):
        url = reverse(f"admin:users_auditentry_{name}", args=args)
        assert client.post(url, {"post": "yes", "event": "x"}).status_code == 403
    assert AuditEntry.objects.get().event == "user_deleted"


@pytest.mark.django_db(transaction=True)
def test_the_security_log_hears_of_it(root: User, events: Any) -> None:
    """Of each user who is added, changed, deleted, of privileges, passwords and tokens."""
    client = browser(root)
    new = {
        "email": "bob@example.com",
        "name": "Bob",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    client.post(reverse("admin:users_user_add"), new)
    bob = User.objects.get(email="bob@example.com")
    Api(bob)
    token = AccessToken.objects.get()
    group = Group.objects.create(name="one")
    permission = Permission.objects.get(codename="view_accesstoken")
    raised = {"is_staff": "on", "groups": [group.pk], "user_permissions": [permission.pk]}
    url = reverse("admin:users_user_change", args=[bob.pk])
    form = change_form(client, bob)
    del form["is_active"]
    client.post(url, {**form, **raised})
    act(client, "user", "activate", bob)
    AccessToken.objects.update(revoked_at=None)
    act(client, "accesstoken", "revoke", token)
    passwords = {"usable_password": "true", "password1": "x" * 20, "password2": "x" * 20}
    url = reverse("admin:auth_user_password_change", args=[bob.pk])
    for confirmation in ("y" * 20, "x" * 20):
        client.post(url, {**passwords, "password2": confirmation})
    client.post(reverse("admin:users_user_delete", args=[bob.pk]), {"post": "yes"})
    both = {"outcome": "success", "client": "127.0.0.1", "user": root.pk, "whom": bob.pk}
    revoked = {"outcome": "success", "client": "127.0.0.1", "user": bob.pk, "token": token.key}
    issued = {"outcome": "success", "user": bob.pk, "token": token.key}
    given = {"old": [], "new": [permission.pk]}
    assert events()[2:] == [
        {"event": "user_created", **both},
        {"event": "token_issued", **issued},
        {"event": "user_deactivated", **both},
        {"event": "privilege_changed", "privilege": "is_staff", "old": False, "new": True, **both},
        {"event": "privilege_changed", "privilege": "groups", **both, "old": [], "new": [group.pk]},
        {"event": "privilege_changed", "privilege": "user_permissions", **both, **given},
        {"event": "user_activated", **both},
        {"event": "token_revoked", **revoked},
        {"event": "password_changed", **both},
        {"event": "user_deleted", **both},
    ]


@pytest.mark.cve("2026-4292")
@pytest.mark.parametrize("kind", ["user", "accesstoken", "auditentry"])
def test_a_forged_list_adds_nothing(kind: str, staff: User, ann: User) -> None:
    """Lists and pages have no forms for rows, whatever is sent to them."""
    Api(ann)
    everything = Permission.objects.filter(content_type__app_label="users")
    staff.user_permissions.set(everything.exclude(codename__startswith="add"))
    before = [list(model.objects.values()) for model in (User, AccessToken, AuditEntry)]
    prefixes = ("form", "access_tokens", "audit")
    forged = {
        f"{prefix}-{name}": value
        for prefix in prefixes
        for name, value in {
            "TOTAL_FORMS": 1,
            "INITIAL_FORMS": 0,
            "0-email": "bob@example.com",
            "0-name": "Bob",
            "0-key": "x" * 12,
            "0-user": ann.pk,
            "0-event": "x",
        }.items()
    }
    client = browser(staff)
    User.objects.filter(pk=staff.pk).update(last_login=None)
    client.post(reverse(f"admin:users_{kind}_changelist"), {**forged, "_save": "Save"})
    assert [list(model.objects.values()) for model in (User, AccessToken, AuditEntry)] == before
    for model, model_admin in admin.site._registry.items():
        assert (model, model_admin.list_editable, model_admin.inlines) == (model, (), ())


@pytest.mark.django_db(transaction=True)
def test_the_log_hears_what_groups_may_do(root: User, events: Any) -> None:
    """Permissions that are given to a group and taken away: whoever is in it has them."""
    client = browser(root)
    view, change = Permission.objects.filter(
        codename__in=("view_user", "change_user"), content_type__app_label="users"
    ).order_by("-codename")
    form = {"name": "one", "permissions": [view.pk]}
    client.post(reverse("admin:auth_group_add"), form)
    group = Group.objects.get(name="one")
    url = reverse("admin:auth_group_change", args=[group.pk])
    client.post(url, {**form, "name": "two"})
    client.post(url, {**form, "permissions": [view.pk, change.pk]})
    client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert not Group.objects.filter(pk=group.pk).exists()
    who = {"outcome": "success", "client": "127.0.0.1", "user": root.pk, "group": group.pk}
    both = sorted([view.pk, change.pk])
    assert events()[2:] == [
        {"event": "group_changed", **who, "old": [], "new": [view.pk]},
        {"event": "group_changed", **who, "old": [view.pk], "new": both},
        {"event": "group_changed", **who, "old": both, "new": []},
    ]


def change_own(client: Client, old: str, new: str = "another long passphrase") -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("admin:password_change"), form)


def test_ones_own_password_is_changed(root: User, events: Any) -> None:
    """By who knows the old one: the log says so, tokens end, this session goes on."""
    client, api = browser(root), Api(root)
    page = change_own(client, "wrong").content.decode()
    assert "Your old password was entered incorrectly." in page
    assert change_own(client, PASSWORD).headers["Location"] == "/admin/password_change/done/"
    root.refresh_from_db()
    assert root.check_password("another long passphrase")
    assert api.get("/users/me").status_code == 401
    assert client.get("/admin/").status_code == 200
    both = {"outcome": "success", "client": "127.0.0.1", "user": root.pk, "whom": root.pk}
    assert {"event": "password_changed", **both} in events()


def test_ones_own_old_password_cannot_be_guessed(root: User, hashed: list[str]) -> None:
    """Whoever finds an open session has as many attempts as a login has."""
    client = browser(root)
    for _ in range(5):
        assert "entered incorrectly" in change_own(client, "wrong").content.decode()
    hashed.clear()
    assert "Too many requests." in change_own(client, PASSWORD).content.decode()
    assert hashed == []


@pytest.mark.parametrize("form", ["own", "another's", "none"])
def test_a_new_password_is_all_that_is_written(
    form: str, root: User, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is locked out while it is hashed stays so."""
    client, user = browser(root), root if form == "own" else ann

    def lock_out_during(name: str) -> None:
        set_password = getattr(User, name)

        def set_slowly(self: User, *args: Any) -> None:
            User.objects.filter(pk=user.pk).update(is_active=False)
            set_password(self, *args)

        monkeypatch.setattr(User, name, set_slowly)

    lock_out_during("set_unusable_password" if form == "none" else "set_password")
    new = "another long passphrase"
    if form == "own":
        change_own(client, PASSWORD, new)
    else:
        data = {"usable_password": "true", "password1": new, "password2": new}
        if form == "none":
            data = {"usable_password": "false", "unset-password": "1"}
        client.post(reverse("admin:auth_user_password_change", args=[ann.pk]), data)
    user.refresh_from_db()
    assert (user.check_password(new), user.is_active) == (form != "none", False)
    assert user.has_usable_password() is (form != "none")


def test_a_form_may_be_saved_later(ann: User) -> None:
    """As those of Django's that it stands in for."""
    new = "another long passphrase"
    form = PasswordForm(ann, {"usable_password": "true", "password1": new, "password2": new})
    assert form.is_valid()
    changed = form.save(commit=False)
    ann = User.objects.get(pk=ann.pk)
    assert (changed.check_password(new), ann.check_password(new)) == (True, False)


def demote(client: Client, user: User) -> Any:
    form = {"email": user.email, "name": user.name, "is_active": "on", "is_staff": "on"}
    return client.post(reverse("admin:users_user_change", args=[user.pk]), form)


def deactivate(client: Client, user: User) -> Any:
    form = {"email": user.email, "name": user.name, "is_superuser": "on", "is_staff": "on"}
    return client.post(reverse("admin:users_user_change", args=[user.pk]), form)


def deactivate_by_action(client: Client, user: User) -> Any:
    form = {"action": "deactivate", "_selected_action": [user.pk]}
    return client.post(reverse("admin:users_user_changelist"), form)


def delete(client: Client, user: User) -> Any:
    return client.post(reverse("admin:users_user_delete", args=[user.pk]), {"post": "yes"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("remove", [demote, deactivate, deactivate_by_action, delete])
def test_two_superusers_cannot_remove_each_other(remove: Any, root: User) -> None:
    """At once: one of them is left, and whoever came second is told."""
    other = User.objects.create_superuser("other@example.com", PASSWORD, name="Other")
    sides = [(browser(root), other), (browser(other), root)]
    statuses = at_once(2, lambda index: remove(*sides[index]).status_code)
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1
    assert 302 in statuses
    assert set(statuses) <= {302, 403}
