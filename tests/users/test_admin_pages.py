"""The words of the admin site: labels, reasons, names and links."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.test import Client
from django.urls import reverse

from tests.users.conftest import Api, make_user
from users.models import AccessToken, AuditEntry, User

pytestmark = pytest.mark.django_db

PRIVILEGES_LEFT = "Only a superuser may change staff status"
PROTECTED = "Only a superuser may change a superuser."
ONESELF = "Your own active, staff and superuser status are for another superuser to change"
DATES = "The site writes these dates itself."


def page(reader: User, name: str, *args: Any, query: str = "") -> str:
    """Return an admin page as *reader* sees it."""
    client = Client()
    client.force_login(reader)
    response = client.get(reverse(f"admin:{name}", args=args) + query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def staff(db: None) -> User:
    """A member of the staff who may view and change users."""
    return make_user("staff@example.com", "view_user", "change_user", name="Staff", is_staff=True)


@pytest.mark.parametrize("name", ["is_active", "is_staff", "is_superuser", "date_joined"])
def test_labels_are_those_of_django(name: str) -> None:
    """When the admin site shows a field of Django's own User, then it has Django's words."""
    ours, django = User._meta.get_field(name), AbstractUser._meta.get_field(name)
    assert (ours.verbose_name, ours.help_text) == (django.verbose_name, django.help_text)


@pytest.mark.parametrize(
    ("reader", "shown", "reasons"),
    [
        ("root", "ann", set()),
        ("root", "root", {ONESELF}),
        ("staff", "ann", {PRIVILEGES_LEFT}),
        ("staff", "staff", {PRIVILEGES_LEFT, ONESELF}),
        ("staff", "root", {PRIVILEGES_LEFT, PROTECTED}),
    ],
)
def test_a_user_page_says_why_a_field_is_read_only(
    reader: str, shown: str, reasons: set[str], root: User, staff: User, ann: User
) -> None:
    """When a reader cannot change a field, then the page gives the reason, and only then."""
    people = {"root": root, "staff": staff, "ann": ann}
    text = page(people[reader], "users_user_change", people[shown].pk)
    given = {one for one in (PRIVILEGES_LEFT, PROTECTED, ONESELF, DATES) if one in text}
    assert given == reasons | {DATES}


def test_a_group_page_says_why_it_is_read_only(root: User, staff: User) -> None:
    """When the reader is no superuser, then the group's page says that it takes one."""
    staff.user_permissions.add(*Permission.objects.filter(content_type__model="group"))
    reason = "Only a superuser may change a group, because"
    group = Group.objects.get(name="user-readers")
    assert reason in page(staff, "auth_group_change", group.pk)
    assert reason not in page(root, "auth_group_change", group.pk)


def test_a_token_page_says_how_to_end_the_token(root: User, ann: User) -> None:
    """When a token is shown, then the page names the action, because no field can change."""
    Api(ann)
    text = page(root, "users_accesstoken_change", AccessToken.objects.get().pk)
    assert "A token cannot be changed. The list has an action that revokes it." in text


def test_audit_entries_have_names_and_links(root: User, ann: User) -> None:
    """When users are there, then an entry links to them by address; else it has their id."""
    AuditEntry.objects.create(event="user_deleted", actor_id=root.pk, target_id="987")
    entry = AuditEntry.objects.create(event="privilege_changed", actor_id=root.pk, target_id=ann.pk)
    listed = page(root, "users_auditentry_changelist")
    shown = page(root, "users_auditentry_change", entry.pk)
    for user in (root, ann):
        link = f'<a href="{reverse("admin:users_user_change", args=[user.pk])}">{user.email}</a>'
        assert link in listed
        assert link in shown
    assert "987 (deleted)" in listed
    assert "Privilege changed" in listed
    assert "User deleted" in listed
    assert "Audit entries can be neither changed nor deleted." in shown


def test_audit_entries_are_filtered_and_found(root: User, ann: User) -> None:
    """When a reader filters by event or searches for an address or an id, then rows match."""
    for event, target in (("user_deleted", "987"), ("privilege_changed", ann.pk)):
        AuditEntry.objects.create(event=event, actor_id=root.pk, target_id=target)
    for query, found in (
        ("?event=user_deleted", ["987"]),
        ("?q=ann@EXAMPLE.com", [str(ann.pk)]),
        ("?q=987", ["987"]),
        ("?q=nobody", []),
    ):
        client = Client()
        client.force_login(root)
        answer = client.get(reverse("admin:users_auditentry_changelist") + query)
        assert [entry.target_id for entry in answer.context["cl"].queryset] == found
        assert ">Privilege changed</a>" in answer.content.decode()  # the filter's words


def test_audit_entries_of_a_command_say_so(root: User, ann: User) -> None:
    """When a command did it, then no user is named, on both databases."""
    AuditEntry.objects.create(event="access_ended", actor_id="", target_id=ann.pk)
    text = page(root, "users_auditentry_changelist")
    assert '<td class="field-by">a command</td>' in text
    assert f">{ann.email}</a>" in text


def test_audit_entries_show_no_address_to_readers_who_may_see_no_user(root: User) -> None:
    """When the reader may view entries but not users, then ids stand in for addresses."""
    reader = make_user("auditor@example.com", name="Auditor", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    AuditEntry.objects.create(event="user_deleted", actor_id=root.pk, target_id="987")
    text = page(reader, "users_auditentry_changelist")
    assert root.email not in text
    assert f'<td class="field-by">{root.pk}</td>' in text
    assert "987 (deleted)" not in text


def test_audit_entries_take_one_query_for_all_names(
    root: User, ann: User, django_assert_max_num_queries: Any
) -> None:
    """When the list is long, then the names of its rows cost no further queries."""
    entry = AuditEntry(event="user_deleted", actor_id=str(root.pk), target_id=str(ann.pk))
    client = Client()
    client.force_login(root)
    url = reverse("admin:users_auditentry_changelist")
    for _ in range(2):
        AuditEntry.objects.bulk_create(
            AuditEntry(event=entry.event, actor_id=entry.actor_id, target_id=entry.target_id)
            for _ in range(20)
        )
        with django_assert_max_num_queries(8):
            assert client.get(url).status_code == 200
