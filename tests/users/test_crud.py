"""Rules that need the database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from di.sessions import Session
from tests.users.conftest import make_user
from users import crud
from users.exceptions import EmailTakenError, UndeletableUserError, WrongCredentialsError
from users.models import AccessToken, User

pytestmark = pytest.mark.django_db


@pytest.mark.asvs("2.4.1")
def test_a_user_has_at_most_fifty_live_tokens(ann: User) -> None:
    """The fifty-first revokes the oldest; dead ones do not count."""
    first, _ = crud.issue_token(user=ann, scope="me")
    expired, _ = crud.issue_token(user=ann, scope="me", lifetime=dt.timedelta(seconds=-1))
    others, _ = crud.issue_token(user=make_user("bob@example.com"), scope="me")
    for _ in range(49):
        crud.issue_token(user=ann, scope="me")
    first.refresh_from_db()
    assert first.revoked_at is None
    crud.issue_token(user=ann, scope="me")
    for token in (first, expired, others):
        token.refresh_from_db()
    assert first.revoked_at is not None
    assert expired.revoked_at is None
    assert others.revoked_at is None
    assert len(crud.list_tokens(user=ann)) == crud.MOST_TOKENS == 50


def test_use_is_noted_once_in_ten_minutes(
    ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A token that is used a thousand times a second is not written a thousand times."""
    token, _ = crud.issue_token(user=ann, scope="me")
    now = timezone.now()
    with CaptureQueriesContext(connection) as queries:
        crud.note_use(token=token, now=now)
    assert [one["sql"][:6] for one in queries if "access" in one["sql"]] == ["UPDATE"]
    token.refresh_from_db()
    assert token.last_used_at == now
    with django_assert_num_queries(0):
        crud.note_use(token=token, now=now + dt.timedelta(minutes=9))
    later = now + dt.timedelta(minutes=10)
    crud.note_use(token=token, now=later)
    token.refresh_from_db()
    assert token.last_used_at == later


def test_use_that_another_request_noted_is_not_noted_again(ann: User) -> None:
    """Of many at once that saw the same row, one writes."""
    token, _ = crud.issue_token(user=ann, scope="me")
    now = timezone.now()
    AccessToken.objects.update(last_used_at=now)
    crud.note_use(token=token, now=now + dt.timedelta(minutes=1))
    token.refresh_from_db()
    assert token.last_used_at == now


def test_a_token_is_found_with_its_user_in_one_query(
    ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Authentication costs one query."""
    token, _ = crud.issue_token(user=ann, scope="me")
    with django_assert_num_queries(1):
        found = crud.find_token(key=token.key)
        assert found is not None
        assert found.user == ann
    assert crud.find_token(key="nothing") is None


def test_dead_tokens_are_purged_in_batches(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that are expired or revoked, none that is live."""
    monkeypatch.setattr(crud.tokens, "_PURGE_BATCH", 2)
    live, _ = crud.issue_token(user=ann, scope="me")
    for _ in range(3):
        crud.issue_token(user=ann, scope="me", lifetime=dt.timedelta(seconds=-1))
    revoked, _ = crud.issue_token(user=ann, scope="me")
    AccessToken.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    assert crud.purge_tokens() == 4
    assert list(AccessToken.objects.all()) == [live]


def test_the_last_superuser_stays(root: User) -> None:
    """Neither deactivated nor, by somebody who just lost the right, deleted."""
    session = Session()
    with pytest.raises(UndeletableUserError, match="last active superuser"):
        crud.update_user(
            session=session, user_id=root.pk, changes={"is_active": False}, by=root, is_admin=True
        )
    other = User.objects.create_superuser("other@example.com", name="Other")
    crud.update_user(
        session=session, user_id=other.pk, changes={"is_active": False}, by=root, is_admin=True
    )
    stale = make_user("stale@example.com", is_superuser=True, is_active=False)
    with pytest.raises(UndeletableUserError, match="last active superuser"):
        crud.delete_user(session=session, user_id=root.pk, by=stale, is_admin=True)
    crud.delete_user(session=session, user_id=other.pk, by=root, is_admin=True)
    User.objects.filter(pk=root.pk).update(is_active=False)
    crud.delete_user(session=session, user_id=root.pk, by=stale, is_admin=True)
    assert not User.objects.filter(pk=other.pk).exists()


def test_superusers_are_locked_out_by_others_and_never_all(root: User) -> None:
    """Passed over by who is none; and one who can log in is left."""
    other = User.objects.create_superuser("other@example.com", name="Other")

    def deactivate(*users: User, is_admin: bool) -> list[User]:
        ids = {user.pk for user in users}
        return crud.set_active(
            session=Session(), user_ids=ids, is_active=False, by=root, is_admin=is_admin
        )

    assert deactivate(root, other, is_admin=False) == []
    with pytest.raises(UndeletableUserError, match="last active superuser"):
        deactivate(root, other, is_admin=True)
    assert deactivate(other, is_admin=True) == [other]
    with pytest.raises(UndeletableUserError, match="last active superuser"):
        deactivate(root, is_admin=True)
    assert deactivate(other, is_admin=True) == []


@pytest.mark.cve("2024-22513")
@pytest.mark.asvs("15.4.2")
@pytest.mark.parametrize("changed", ["deleted", "inactive", "back", "password"])
def test_no_token_for_who_changed_since(changed: str, ann: User) -> None:
    """Between the check of a password and the token, somebody may have locked the user out."""
    if changed == "deleted":
        User.objects.filter(pk=ann.pk).delete()
    elif changed == "inactive":
        User.objects.filter(pk=ann.pk).update(is_active=False)
    elif changed == "back":
        other = User.objects.get(pk=ann.pk)
        for is_active in (False, True):
            other.is_active = is_active
            other.save()
    else:
        User.objects.filter(pk=ann.pk).update(password="!")
    with pytest.raises(WrongCredentialsError):
        crud.issue_token(user=ann, scope="me")
    assert AccessToken.objects.count() == 0


def test_what_is_revoked_is_what_was_found(ann: User) -> None:
    """A token that is issued in between is neither revoked nor said to be."""
    old, _ = crud.issue_token(user=ann, scope="me")
    new: list[AccessToken] = []

    def issue(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith('UPDATE "users_accesstoken"'):
            new.append(crud.issue_token(user=ann, scope="me")[0])
        return execute(sql, *args)

    with connection.execute_wrapper(issue):
        assert crud.revoke_tokens(access_tokens=ann.access_tokens.all()) == [old]
    assert list(AccessToken.objects.filter(revoked_at=None)) == new
    assert len(new) == 1


def test_only_a_taken_address_is_a_taken_address(ann: User) -> None:
    """Another constraint that fails is not the client's doing."""
    session = Session()
    with pytest.raises(EmailTakenError), transaction.atomic():
        crud.create_user(session=session, name="A", email=ann.email, password_hash="!", by=ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        changes = {"email": "free@example.com", "password": None}
        crud.update_user(session=session, user_id=ann.pk, changes=changes, by=ann, is_admin=True)
    # A row that passed by the model, found by the second constraint.
    User.objects.filter(pk=ann.pk).update(email="ANN@example.com")
    with pytest.raises(EmailTakenError), transaction.atomic():
        crud.create_user(
            session=session, name="A", email="ann@example.com", password_hash="!", by=ann
        )


def test_users_are_locked_out_and_let_in_again(ann: User, root: User) -> None:
    """Only who was in is locked out, and loses all tokens for ever."""
    token, _ = crud.issue_token(user=ann, scope="me")

    def set_active(is_active: bool) -> list[User]:
        ids = {ann.pk, 999_999}
        return crud.set_active(
            session=Session(), user_ids=ids, is_active=is_active, by=root, is_admin=False
        )

    assert [set_active(False) for _ in range(2)] == [[ann], []]
    assert [set_active(True) for _ in range(2)] == [[ann], []]
    ann.refresh_from_db()
    token.refresh_from_db()
    assert ann.is_active
    assert token.refusal(timezone.now()) == "revoked"
