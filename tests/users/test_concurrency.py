"""Many at once, on a real database."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.users.conftest import Api, Browser, at_once, make_user
from users import crud
from users.admin import common
from users.models import AccessToken, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.asvs("15.4.2")
@pytest.mark.hostile("H85")
def test_twenty_four_identical_requests_make_one_user(root: User) -> None:
    """One 201, twenty-three 409, no 500, one row."""
    apis = [Api(root) for _ in range(24)]
    body = {"name": "Bob", "email": "bob@example.com"}
    answers = at_once(24, lambda index: apis[index].post("/users", body).status_code)
    assert Counter(answers) == {201: 1, 409: 23}
    assert User.objects.filter(email="bob@example.com").count() == 1


@pytest.mark.asvs("15.4.2")
def test_logins_at_once_keep_the_limit(ann: User) -> None:
    """They count one after the other."""
    for _ in range(crud.MOST_TOKENS - 2):
        crud.issue_token(user=ann, scope="me")
    at_once(8, lambda _: crud.issue_token(user=ann, scope="me"))
    assert AccessToken.objects.filter(revoked_at=None).count() == crud.MOST_TOKENS


def test_each_token_is_revoked_once(ann: User, events: Any) -> None:
    """Whoever else revokes it at the same time: so says the log."""
    issued = [crud.issue_token(user=ann, scope="me")[0].key for _ in range(20)]
    browsers = [Browser(ann) for _ in range(8)]
    answers = at_once(8, lambda index: browsers[index].delete("/auth/tokens").status_code)
    assert answers == [204] * 8
    revoked = [one["token"] for one in events() if one["event"] == "token_revoked"]
    assert sorted(revoked) == sorted(issued)


def test_each_token_is_revoked_once_in_the_admin_site(root: User) -> None:
    """So says its log of what was done to whom."""
    issued = [crud.issue_token(user=root, scope="me")[0] for _ in range(20)]
    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(root)
    url = reverse("admin:users_accesstoken_changelist")
    form = {"action": "revoke", "_selected_action": [token.pk for token in issued]}
    answers = at_once(4, lambda index: clients[index].post(url, form).status_code)
    assert answers == [302] * 4
    noted = LogEntry.objects.values_list("object_repr", flat=True)
    assert sorted(noted) == sorted(token.key for token in issued)


@pytest.mark.asvs("15.4.2")
def test_two_superusers_cannot_delete_each_other(root: User) -> None:
    """One of them stays."""
    other = User.objects.create_superuser("other@example.com", name="Other")
    pairs = [(Api(root), other.pk), (Api(other), root.pk)]
    answers = at_once(
        2, lambda index: pairs[index][0].delete(f"/users/{pairs[index][1]}").status_code
    )
    assert User.objects.filter(is_superuser=True).count() == 1
    assert Counter(answers) in (Counter({204: 1, 401: 1}), Counter({204: 1, 409: 1}))


@pytest.mark.asvs("15.4.2")
def test_the_last_superusers_cannot_all_leave(root: User) -> None:
    """Eight who deactivate each other in a ring: they wait for each other, and one stays."""
    people = [User.objects.create_superuser(f"u{n}@example.com", name="U") for n in range(8)]
    root.delete()
    apis = [Api(person) for person in people]

    def deactivate_next(index: int) -> int:
        url = f"/users/{people[index - 1].pk}"
        return apis[index].patch(url, {"is_active": False}).status_code

    answers = at_once(8, deactivate_next)
    assert set(answers) <= {200, 401, 409}
    assert User.objects.filter(is_superuser=True, is_active=True).exists()


def test_a_use_is_noted_without_waiting_for_a_writer(handler: str) -> None:
    """When another writer holds the lock, then a read with a token is answered at once."""
    user = make_user("lock@example.com")
    api = Api(user)
    is_locked, may_end = Event(), Event()

    def write() -> None:
        try:
            with transaction.atomic():
                AccessToken.objects.update(label="held")
                is_locked.set()
                assert may_end.wait(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert is_locked.wait(60)
        try:
            before = time.monotonic()
            assert api.get("/users/me").status_code == 200
            assert time.monotonic() - before < 4  # a database waits for 5 or 20
        finally:
            may_end.set()
        writing.result()
    assert AccessToken.objects.get().last_used_at is None
    assert api.get("/users/me").status_code == 200
    assert AccessToken.objects.get().last_used_at is not None
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)


def test_many_are_locked_out_in_batches(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """When an action is about many rows, then no transaction changes more than a few of them."""
    monkeypatch.setattr(common, "_BATCH", 2)
    users = [make_user(f"u{number}@example.com") for number in range(5)]
    apis = [Api(user) for user in users]
    client = Client()
    client.force_login(root)
    pages = {
        "users/user": ("deactivate", [user.pk for user in users], "Deactivated 5 users."),
        "users/accesstoken": ("revoke", [1], "Revoked 5 tokens."),
    }
    for page, (action, ids, told) in reversed(pages.items()):
        with CaptureQueriesContext(connection) as queries:
            data = {"action": action, "_selected_action": ids, "select_across": 1}
            answer = client.post(f"/admin/{page}/", data, follow=True)
        assert told in answer.content.decode()
        writes = [one["sql"] for one in queries if one["sql"].startswith(("BEGIN", "COMMIT"))]
        assert len(writes) >= 6  # three transactions, and that of the session
    assert [api.get("/users/me").status_code for api in apis] == [401] * 5
    assert set(User.objects.values_list("is_active", flat=True)) == {False, True}
    assert User.objects.filter(locked_out_at=None).get() == root
    assert LogEntry.objects.count() == 10
