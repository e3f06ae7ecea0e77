"""Users and tokens as rows."""

from __future__ import annotations

import datetime as dt
import importlib
import types
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from tests.users.conftest import PASSWORD
from users import crud, tokens
from users.models import AccessToken, User

pytestmark = pytest.mark.django_db


def test_a_user_has_an_address_and_no_username() -> None:
    """Whatever spelling comes in, one is stored; without a password nobody logs in."""
    user = User.objects.create_user(" Ann@Example.com ", name=" Ann  Lee ")
    assert (user.email, user.name, str(user)) == ("ann@example.com", "Ann Lee", "ann@example.com")
    assert not user.has_usable_password()
    assert not hasattr(user, "username")
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)


def test_a_name_is_made_of_the_address_if_there_is_none() -> None:
    """A command that asks for no name still makes a user."""
    assert User.objects.create_superuser("root@example.com", PASSWORD).name == "root"


def test_what_cannot_be_spelled_is_not_stored() -> None:
    """Not by save() either; an update of other columns does not look."""
    user = User.objects.create_user("ann@example.com", name="Ann")
    user.email = "nobody"
    with pytest.raises(ValueError, match="email address"):
        user.save()
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    user.refresh_from_db()
    assert (user.email, user.is_staff) == ("ann@example.com", True)


def test_forms_are_told_which_field_is_wrong() -> None:
    """Both at once, each once; a twin is found in whatever spelling."""
    with pytest.raises(ValidationError) as caught:
        User(name="a\u200b", email="a@[127.0.0.1]", password="x").full_clean()
    assert caught.value.message_dict == {
        "email": ["This is not the name of a mail domain"],
        "name": ["A name has no control characters, line breaks or invisible characters"],
    }
    user = User(name=" Ann ", email="A@B.co", password="x")
    user.full_clean()
    assert (user.name, user.email) == ("Ann", "a@b.co")
    user.save()
    with pytest.raises(ValidationError) as caught:
        User(name="Ann", email="a@B.CO", password="x").full_clean()
    assert caught.value.message_dict == {"email": ["A user with this email already exists."]}


def test_the_database_refuses_a_second_spelling() -> None:
    """Even of rows that pass by the model."""
    User.objects.create_user("ann@example.com", name="Ann")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(name="A", email="ANN@example.com")])


@pytest.mark.parametrize("is_async", [False, True])
def test_the_address_is_the_login_however_it_is_spelled(is_async: bool) -> None:
    """And what is no address is nobody, not an error."""
    user = User.objects.create_user("ann@example.com", PASSWORD, name="Ann")
    log_in = async_to_sync(aauthenticate) if is_async else authenticate
    find = User.objects.get_by_natural_key
    if is_async:
        find = async_to_sync(User.objects.aget_by_natural_key)
    assert log_in(username="ANN@example.com ", password=PASSWORD) == user
    assert log_in(username="ann@example.com", password="wrong") is None
    assert log_in(username="a\x00b", password=PASSWORD) is None
    for nobody in ("\x00", "", "x", None):
        with pytest.raises(User.DoesNotExist):
            find(nobody)


def test_two_groups_are_there() -> None:
    """People get groups; a new database has one for readers and one for managers."""
    # Tests with real transactions empty the tables that the migration filled.
    migration = importlib.import_module("users.migrations.0002_groups")
    migration.create_groups(apps, types.SimpleNamespace(connection=connection))
    found = {
        group.name: sorted(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.all()
    }
    everything = ["add_user", "change_user", "delete_user", "view_user"]
    assert found == {"user-managers": everything, "user-readers": ["view_user"]}


def issued(user: User, **options: Any) -> tuple[AccessToken, str]:
    token, text = crud.issue_token(user=user, scope="me", **options)
    token = AccessToken.objects.select_related("user").get(pk=token.pk)
    return token, text


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ann@example.com", PASSWORD, name="Ann")


def test_a_token_matches_its_text_only(user: User, settings: Settings) -> None:
    """Under the key that made it, also when that has become a fallback."""
    token, text = issued(user)
    assert token.digest == tokens.digest(text)
    assert text not in repr(token.__dict__)
    assert str(token) == token.key
    assert token.matches(text)
    assert not token.matches(text[:-1])
    old, settings.SECRET_KEY = settings.SECRET_KEY, "new" * 20
    assert not token.matches(text)
    settings.SECRET_KEY_FALLBACKS = ["other", old]
    assert token.matches(text)
    assert token.refusal(timezone.now()) is None


@pytest.mark.asvs("7.3.2")
def test_why_a_token_is_refused(user: User) -> None:
    """Revoked, expired (to the second), inactive user, new password."""
    token, _ = issued(user)
    now = timezone.now()
    assert token.refusal(now) is None
    assert token.refusal(token.expires_at) == "expired"
    assert token.refusal(token.expires_at - dt.timedelta(microseconds=1)) is None
    token.user.is_active = False
    assert token.refusal(now) == "inactive user"
    token.user.is_active = True
    token.user.set_password("another password")
    assert token.refusal(now) == "password changed"
    token.revoked_at = now
    assert token.refusal(now) == "revoked"


@pytest.mark.asvs("7.4.3")
def test_any_way_to_a_new_password_ends_tokens(user: User) -> None:
    """Even a raw UPDATE of the column: there is no hook to forget."""
    token, _ = issued(user)
    User.objects.update(password="!")
    token = AccessToken.objects.select_related("user").get(pk=token.pk)
    assert token.refusal(timezone.now()) == "password changed"


@pytest.mark.parametrize("update_fields", [None, ["is_active"], ["name"]])
def test_who_is_deactivated_loses_the_tokens(update_fields: Any, user: User) -> None:
    """In a shell too, and for ever; but only if that is what was written."""
    token, _ = issued(user)
    other, _ = issued(User.objects.create_user("bob@example.com", name="Bob"))
    earlier, _ = issued(user)
    AccessToken.objects.filter(pk=earlier.pk).update(revoked_at=user.date_joined)
    user.is_active = False
    user.save(update_fields=update_fields)
    User.objects.update(is_active=True)
    for one in (token, other, earlier):
        one.refresh_from_db()
    now = timezone.now()
    assert token.refusal(now) == (None if update_fields == ["name"] else "revoked")
    assert other.refusal(now) is None
    assert earlier.revoked_at == user.date_joined


@pytest.mark.parametrize("update_fields", [None, ["is_active"]])
def test_a_lock_out_is_written_with_the_flag(update_fields: Any, user: User) -> None:
    """By the same statement; the other one revokes the tokens."""
    user.is_active = False
    with CaptureQueriesContext(connection) as queries:
        user.save(update_fields=update_fields)
    users, revoked = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert users.startswith('UPDATE "users_user" SET ')
    assert ('"is_active" = ' in users, '"locked_out_at" = ' in users) == (True, True)
    assert revoked.startswith('UPDATE "users_accesstoken" SET "revoked_at" = ')
    assert user.locked_out_at == User.objects.get(pk=user.pk).locked_out_at


def test_nobody_is_locked_out_by_what_does_not_deactivate(user: User) -> None:
    """Neither by writing other columns of somebody inactive, nor by letting them in."""
    user.is_active = False
    user.save(update_fields=["name"])
    assert User.objects.get(pk=user.pk).locked_out_at is None
    user.save()
    (locked_out_at,) = User.objects.values_list("locked_out_at", flat=True)
    user.is_active = True
    user.save()
    user.refresh_from_db()
    assert (user.is_active, user.locked_out_at) == (True, locked_out_at)


def test_who_was_never_locked_out_has_the_hash_of_django(user: User, settings: Settings) -> None:
    """What was issued before there was the column stays good, under older secret keys too."""
    settings.SECRET_KEY_FALLBACKS = ["old" * 20]
    assert user.get_session_auth_hash() == AbstractBaseUser.get_session_auth_hash(user)
    for secret in (None, "old" * 20):
        django = AbstractBaseUser._get_session_auth_hash(user, secret)  # type: ignore[attr-defined]
        assert user._get_session_auth_hash(secret) == django


def test_a_lock_out_knows_older_secret_keys(user: User, settings: Settings) -> None:
    """What began since then lives on under a key that is now a fallback; what ended does not."""
    before = user.get_session_auth_hash()
    user.is_active = False
    user.save()
    user.is_active = True
    user.save()
    token, _ = issued(user)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    token = AccessToken.objects.select_related("user").get(pk=token.pk)
    assert token.refusal(timezone.now()) is None
    assert list(token.user.get_session_auth_fallback_hash()) == [token.fingerprint]
    assert before not in (token.fingerprint, token.user.get_session_auth_hash())


def test_who_is_inactive_when_the_column_is_added_is_locked_out(user: User) -> None:
    """Their sessions have not been ended yet; nobody else's end."""
    off = User.objects.create_user("off@example.com", name="Off")
    User.objects.filter(pk=off.pk).update(is_active=False)
    migration = importlib.import_module("users.migrations.0004_user_locked_out_at")
    migration.lock_out(apps, types.SimpleNamespace(connection=connection))
    for one in (user, off):
        one.refresh_from_db()
    assert (user.locked_out_at is None, off.locked_out_at is None) == (True, False)


def test_old_addresses_get_their_one_spelling(caplog: pytest.LogCaptureFixture) -> None:
    """When rows have other spellings, then each is respelled, and no row or address is lost."""
    written = (
        "ann@example.com",
        "Bob@Example.com",
        "eve@b\u00fccher.example",
        "eve@b\u00dccher.example",  # SQLite lets both in
        "no address",
        "max@stra\u00dfe.example",
        "max@strasse.example",
        "{|}~@x-1.example",
    )
    rows = [User(email=email, name="X") for email in written]
    User.objects.bulk_create(rows[:3])
    is_twin_possible = connection.vendor == "sqlite"
    User.objects.bulk_create(rows[3 if is_twin_possible else 4 :])
    migration = importlib.import_module("users.migrations.0006_user_email_idna_2008")
    for _ in range(2):
        migration.spell(apps, types.SimpleNamespace(connection=connection))
    stored = dict(User.objects.values_list("pk", "email"))
    expected = {
        written[1]: "bob@example.com",
        written[2]: "eve@xn--bcher-kva.example",
        written[5]: "max@xn--strae-oqa.example",
    }
    assert [stored[row.pk] for row in rows if row.pk in stored] == [
        expected.get(row.email, row.email) for row in rows if row.pk in stored
    ]
    assert len(stored) == (8 if is_twin_possible else 7)
    told = [record.getMessage() for record in caplog.records]
    assert f"User {rows[4].pk} has no email address to log in with" in told
    twins = f"User {rows[3].pk} has the email address of user {rows[2].pk}"
    assert (twins in told) is is_twin_possible


def test_users_and_tokens_can_be_dumped_and_loaded(user: User, tmp_path: Any) -> None:
    """And the tokens still work."""
    token, text = issued(user)
    dump = str(tmp_path / "users.json")
    call_command("dumpdata", "users", natural_foreign=True, output=dump, verbosity=0)
    User.objects.all().delete()
    call_command("loaddata", dump, verbosity=0)
    token = AccessToken.objects.get(key=token.key)
    assert (token.matches(text), token.refusal(timezone.now())) == (True, None)


def test_renewing_a_hash_does_not_undo_a_new_password(user: User, settings: Settings) -> None:
    """The old password is right, but by now it is the old one."""
    stale = User.objects.get(pk=user.pk)
    user.set_password("another long passphrase")
    user.save()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert stale.check_password(PASSWORD)
    assert User.objects.get(pk=user.pk).password == user.password


def test_renewing_a_hash_knows_older_secret_keys(user: User, settings: Settings) -> None:
    """A token that was stamped under a key that is now a fallback stays alive."""
    token, _ = issued(user)
    other, _ = issued(User.objects.create_user("bob@example.com", user.password, name="Bob"))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert user.check_password(PASSWORD)
    kept = AccessToken.objects.select_related("user").get(pk=token.pk)
    assert kept.refusal(timezone.now()) is None
    assert kept.fingerprint != token.fingerprint
    assert AccessToken.objects.get(pk=other.pk).fingerprint == other.fingerprint


@pytest.mark.parametrize("is_async", [False, True])
def test_a_renewed_hash_does_not_end_tokens(is_async: bool, user: User, settings: Settings) -> None:
    """Logging in after a change of hasher keeps the user's other tokens alive."""
    token, _ = issued(user)
    stale, _ = issued(user)
    AccessToken.objects.filter(pk=stale.pk).update(fingerprint="of an older password")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = user.password
    check = async_to_sync(user.acheck_password) if is_async else user.check_password
    assert check(PASSWORD)
    assert user.password != before
    token = AccessToken.objects.select_related("user").get(pk=token.pk)
    stale = AccessToken.objects.select_related("user").get(pk=stale.pk)
    assert token.refusal(timezone.now()) is None
    assert stale.refusal(timezone.now()) == "password changed"
