"""Every query of users and access tokens, and the rules that need one."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import authenticate as django_authenticate
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from di.sessions import ReadSession, Session
from users import tokens
from users.exceptions import (
    EmailTakenError,
    ProtectedUserError,
    UndeletableUserError,
    UserNotFoundError,
    WrongCredentialsError,
)
from users.models import AccessToken, User

MOST_TOKENS = 50
LOGIN_LIFETIME = dt.timedelta(hours=8)
LONGEST_LIFETIME = dt.timedelta(days=90)

_USE_IS_NOTED_EVERY = dt.timedelta(minutes=10)
_PURGE_BATCH = 1_000
_ACTIVE_SUPERUSER = Q(is_superuser=True, is_active=True)
_EMAIL_IS_TAKEN = re.compile(
    r"users_user_email\w*"  # PostgreSQL names the constraint, SQLite writes a sentence
    r"|UNIQUE constraint failed: (users_user\.email|index 'users_user_email\w*')"
)


def list_users(
    *, session: Session | ReadSession, q: str | None, skip: int, limit: int
) -> QuerySet[User]:
    """Return *limit* users by id after the first *skip*, those with *q* in name or e-mail."""
    return _found(session, q).only("id", "name", "email").order_by("id")[skip : skip + limit]


def count_users(*, session: Session | ReadSession, q: str | None) -> int:
    """Return how many users have *q* in name or e-mail."""
    return _found(session, q).count()


def get_user(*, session: Session | ReadSession, user_id: int) -> User:
    """Return one user.

    Raises:
        UserNotFoundError: there is none with this id.
    """
    user = session.query(User).filter(pk=user_id).first()
    if user is None:
        raise UserNotFoundError
    return user


def create_user(*, session: Session, name: str, email: str, password_hash: str) -> User:
    """Create a user.

    Args:
        session: in which it happens.
        name: of the user.
        email: of the user.
        password_hash: made before the session was opened, which holds a lock.

    Raises:
        EmailTakenError: another user has *email*. No look-up before the insert could
            promise that nobody takes it in between.
    """
    user = User(name=name, email=email, password=password_hash)
    with _unique_email(session):
        session.add(user)
    return user


def update_user(*, session: Session, user_id: int, changes: Mapping[str, Any], by: User) -> User:
    """Change *changes* of one user; what is as it was is not written.

    Raises:
        UserNotFoundError: there is none.
        ProtectedUserError: *by* may not change this one.
        UndeletableUserError: nobody would be left to administrate.
        EmailTakenError: another user has the new e-mail address.
    """
    is_leaving = changes.get("is_active") is False
    user = _locked(session=session, user_id=user_id, by=by, is_leaving=is_leaving)
    changed = {field: new for field, new in changes.items() if getattr(user, field) != new}
    for field, new in changed.items():
        setattr(user, field, new)
    if changed:
        with _unique_email(session):
            user.save(using=session.using, update_fields=changed.keys())
    return user


def delete_user(*, session: Session, user_id: int, by: User) -> None:
    """Delete one user, their tokens included.

    Raises:
        UserNotFoundError: there is none.
        ProtectedUserError: *by* may not delete this one.
        UndeletableUserError: it is *by*, or the last active superuser.
    """
    user = _locked(session=session, user_id=user_id, by=by, is_leaving=True)
    if user.pk == by.pk:
        message = "You cannot delete yourself"
        raise UndeletableUserError(message)
    session.delete(user)


def set_active(*, user_ids: Collection[int], is_active: bool) -> int:
    """Lock users out, or let them in again; return how many that changed.

    Who is locked out loses all tokens for ever.
    """
    with transaction.atomic():
        users = User.objects.filter(pk__in=user_ids).exclude(is_active=is_active)
        changed = list(users.order_by("pk").select_for_update())
        for user in changed:
            user.is_active = is_active
            user.save(update_fields=["is_active"])
    return len(changed)


def authenticate(*, request: HttpRequest, email: str, password: str) -> User:
    """Return the active user with these credentials; every attempt costs one hash.

    Raises:
        WrongCredentialsError: there is none.
    """
    user = django_authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        raise WrongCredentialsError
    return user


def issue_token(
    *,
    user: User,
    scope: str,
    label: str = "",
    lifetime: dt.timedelta = LOGIN_LIFETIME,
) -> tuple[AccessToken, str]:
    """Create an access token and return it with its text, which is not stored.

    A user has at most `MOST_TOKENS` live ones; the oldest are revoked.

    Raises:
        WrongCredentialsError: since *user* was read, they were deleted or deactivated, or
            their password was changed: whoever knew the old one gets no token.
    """
    text = tokens.generate()
    now = timezone.now()
    with transaction.atomic():
        # Two logins at once count one after the other, and neither misses a deactivation.
        same = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
        if same.select_for_update().first() is None:
            raise WrongCredentialsError
        live = _live(now).filter(user=user).order_by("-id")
        surplus = list(live.values_list("pk", flat=True)[MOST_TOKENS - 1 :])
        revoke_tokens(access_tokens=AccessToken.objects.filter(pk__in=surplus))
        token = AccessToken.objects.create(
            user=user,
            key=text.key,
            digest=tokens.digest(text.text),
            scope=scope,
            label=label,
            fingerprint=user.get_session_auth_hash(),
            created_at=now,
            expires_at=now + lifetime,
        )
    return token, text.text


def find_token(*, key: str) -> AccessToken | None:
    """Return the token with *key* and its user, in one query."""
    return AccessToken.objects.select_related("user").filter(key=key).first()


def note_use(*, token: AccessToken, now: dt.datetime) -> None:
    """Note that *token* was used, at most once in ten minutes."""
    due = now - _USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= due:
        AccessToken.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=due), pk=token.pk
        ).update(last_used_at=now)


def revoke_tokens(*, access_tokens: QuerySet[AccessToken]) -> int:
    """Revoke *access_tokens* for ever and return how many were not revoked before."""
    return access_tokens.filter(revoked_at=None).update(revoked_at=timezone.now())


def purge_tokens() -> int:
    """Delete tokens that are of no use any more and return their number."""
    now = timezone.now()
    dead = AccessToken.objects.filter(Q(expires_at__lte=now) | Q(revoked_at__isnull=False))
    total = 0
    # In batches, each a short transaction, so that nobody waits.
    while batch := list(dead.values_list("pk", flat=True)[:_PURGE_BATCH]):
        total += AccessToken.objects.filter(pk__in=batch).delete()[0]
    return total


def _found(session: Session | ReadSession, q: str | None) -> QuerySet[User]:
    users = session.query(User)
    if not q:
        return users
    q = unicodedata.normalize("NFC", q)  # as names are stored
    return users.filter(Q(name__icontains=q) | Q(email__icontains=q))


def _locked(*, session: Session, user_id: int, by: User, is_leaving: bool) -> User:
    """Lock one user and return them, if *by* may touch them.

    Args:
        session: in which it happens.
        user_id: whose row it is.
        by: who asks.
        is_leaving: the user is to be deleted or deactivated. All active superusers are
            locked with them, in one query and in one order: of two who do this at once
            the second waits, and then sees who is left.
    """
    wanted = Q(pk=user_id) | _ACTIVE_SUPERUSER if is_leaving else Q(pk=user_id)
    rows = session.query(User).filter(wanted).order_by("pk").select_for_update()
    others = {row.pk: row for row in rows}
    user = others.pop(user_id, None)
    if user is None:
        raise UserNotFoundError
    if user.is_superuser and not by.is_superuser:
        raise ProtectedUserError
    if is_leaving and user.is_superuser and user.is_active and not others:
        message = "The last active superuser must stay"
        raise UndeletableUserError(message)
    return user


def _live(now: dt.datetime) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(revoked_at=None, expires_at__gt=now)


@contextmanager
def _unique_email(session: Session) -> Iterator[None]:
    """Undo a write that would give two users one address.

    Raises:
        EmailTakenError: it would.
    """
    try:
        with session.atomic():
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if _EMAIL_IS_TAKEN.fullmatch(getattr(diagnosis, "constraint_name", None) or str(error)):
            raise EmailTakenError from error
        raise
