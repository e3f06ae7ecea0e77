"""Every query of users and access tokens, and the rules that need one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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
)
from users.models import AccessToken, User

MOST_TOKENS = 50
LOGIN_LIFETIME = dt.timedelta(hours=8)
LONGEST_LIFETIME = dt.timedelta(days=90)

_LARGEST_ID = 2**63 - 1
_USE_IS_NOTED_EVERY = dt.timedelta(minutes=10)
_PURGE_BATCH = 1_000


def list_users(
    *, session: Session | ReadSession, q: str | None, skip: int, limit: int
) -> QuerySet[User]:
    """Return *limit* users by id after the first *skip*, those with *q* in name or e-mail."""
    users = session.query(User).only("id", "name", "email").order_by("id")
    if q:
        users = users.filter(Q(name__icontains=q) | Q(email__icontains=q))
    return users[skip : skip + limit]


def get_user(*, session: Session | ReadSession, user_id: int) -> User:
    """Return one user.

    Raises:
        UserNotFoundError: there is none with this id, or no id can be this.
    """
    return _one(session.query(User), user_id)


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
    try:
        with session.atomic():
            session.add(user)
    except IntegrityError as error:
        raise EmailTakenError from error
    return user


def update_user(*, session: Session, user_id: int, changes: Mapping[str, Any], by: User) -> User:
    """Change *changes* of one user; what is as it was is not written.

    Raises:
        UserNotFoundError: there is none.
        ProtectedUserError: *by* may not change this one.
        UndeletableUserError: nobody would be left to administrate.
        EmailTakenError: another user has the new e-mail address.
    """
    user = _one(session.query(User).select_for_update(), user_id)
    if user.is_superuser and not by.is_superuser:
        raise ProtectedUserError
    changed = {field: new for field, new in changes.items() if getattr(user, field) != new}
    if changed.get("is_active") is False:
        _keep_one_superuser(session=session, user=user)
        revoke_tokens(users=session.query(User).filter(pk=user.pk))
    for field, new in changed.items():
        setattr(user, field, new)
    if changed:
        try:
            with session.atomic():
                user.save(using=session.using, update_fields=list(changed))
        except IntegrityError as error:
            raise EmailTakenError from error
    return user


def delete_user(*, session: Session, user_id: int, by: User) -> None:
    """Delete one user, their tokens included.

    Raises:
        UserNotFoundError: there is none.
        ProtectedUserError: *by* may not delete this one.
        UndeletableUserError: it is *by*, or the last active superuser.
    """
    user = _one(session.query(User).select_for_update(), user_id)
    if user.is_superuser and not by.is_superuser:
        raise ProtectedUserError
    if user.pk == by.pk:
        message = "You cannot delete yourself"
        raise UndeletableUserError(message)
    _keep_one_superuser(session=session, user=user)
    session.delete(user)


def authenticate(*, request: HttpRequest, email: str, password: str) -> User | None:
    """Return the active user with these credentials; every attempt costs one hash."""
    user = django_authenticate(request, username=email, password=password)
    return user if isinstance(user, User) else None


def issue_token(
    *,
    user: User,
    scope: str,
    label: str = "",
    lifetime: dt.timedelta = LOGIN_LIFETIME,
) -> tuple[AccessToken, str]:
    """Create an access token and return it with its text, which is not stored.

    A user has at most `MOST_TOKENS` live ones; the oldest are revoked.
    """
    text = tokens.generate()
    now = timezone.now()
    with transaction.atomic():
        # Two logins at once count one after the other.
        locked = User.objects.select_for_update().get(pk=user.pk)
        live = _live(now).filter(user=locked).order_by("-id")
        surplus = list(live.values_list("pk", flat=True)[MOST_TOKENS - 1 :])
        AccessToken.objects.filter(pk__in=surplus).update(revoked_at=now)
        token = AccessToken.objects.create(
            user=locked,
            key=text.key,
            digest=tokens.digest(text.text),
            scope=scope,
            label=label,
            fingerprint=locked.get_session_auth_hash(),
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


def revoke_tokens(*, users: QuerySet[User]) -> int:
    """Revoke the tokens of *users* for ever: a user who is let in again needs new ones."""
    unrevoked = AccessToken.objects.filter(user__in=users, revoked_at=None)
    return unrevoked.update(revoked_at=timezone.now())


def purge_tokens() -> int:
    """Delete tokens that are of no use any more and return their number."""
    now = timezone.now()
    dead = AccessToken.objects.filter(Q(expires_at__lte=now) | Q(revoked_at__isnull=False))
    total = 0
    # In batches, each a short transaction, so that nobody waits.
    while batch := list(dead.values_list("pk", flat=True)[:_PURGE_BATCH]):
        total += AccessToken.objects.filter(pk__in=batch).delete()[0]
    return total


def _one(users: QuerySet[User], user_id: int) -> User:
    user = users.filter(pk=user_id).first() if 1 <= user_id <= _LARGEST_ID else None
    if user is None:
        raise UserNotFoundError
    return user


def _keep_one_superuser(*, session: Session, user: User) -> None:
    """Refuse if *user* is the last active superuser; two at once wait for each other."""
    if not (user.is_superuser and user.is_active):
        return
    superusers = session.query(User).filter(is_superuser=True, is_active=True)
    if len(superusers.select_for_update().order_by("id")) == 1:
        message = "The last active superuser must stay"
        raise UndeletableUserError(message)


def _live(now: dt.datetime) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(revoked_at=None, expires_at__gt=now)
