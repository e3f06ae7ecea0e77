"""Queries of access tokens."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import router, transaction
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.utils import timezone

from users import audit, tokens
from users.crud.prepared import ListOf, Prepared, Slot, columns_of
from users.exceptions import TokenNotFoundError, WrongCredentialsError
from users.models import AccessToken, User

MOST_TOKENS = 50
LOGIN_LIFETIME = dt.timedelta(hours=8)
LONGEST_LIFETIME = dt.timedelta(days=90)

_USE_IS_NOTED_EVERY = dt.timedelta(minutes=10)
_PURGE_BATCH = 1_000


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
        same = unchanged(users=User.objects.select_for_update(), user=user)
        if same.first() is None:
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
        _record("token_issued", token.key, user.pk)
    return token, text.text


def unchanged(*, users: QuerySet[User], user: User) -> QuerySet[User]:
    """Return *user* among *users*: nobody if, since they were read, something ended.

    That is, if they were given another password or locked out, be it for a moment.
    """
    return users.filter(
        pk=user.pk, password=user.password, is_active=True, locked_out_at=user.locked_out_at
    )


def find_token(*, key: str) -> AccessToken | None:
    """Return the token with *key*, its user, and what they may do now, in one query."""
    using = router.db_for_read(AccessToken)
    rows = _TOKEN.rows(using, key=key)
    if not rows:
        return None
    *values, permissions = rows[0]
    token = AccessToken.from_db(using, _TOKEN_COLUMNS, values[: len(_TOKEN_COLUMNS)])
    token.user = User.from_db(using, _USER_COLUMNS, values[len(_TOKEN_COLUMNS) :])
    token.user.hold(permissions or ())
    return token


def list_tokens(*, user: User) -> list[AccessToken]:
    """Return the tokens with which *user* could call now, newest first."""
    now = timezone.now()
    live = _live(now).filter(user=user).select_related("user")
    return [token for token in live if token.refusal(now) is None]


def get_token(*, user: User, key: str) -> AccessToken:
    """Return one of `list_tokens`.

    Raises:
        TokenNotFoundError: there is none with *key*.
    """
    token = find_token(key=key) if tokens.is_key(key) else None
    if token is None or token.user != user or token.refusal(timezone.now()) is not None:
        raise TokenNotFoundError
    return token


def note_use(*, token: AccessToken, now: dt.datetime) -> None:
    """Note that *token* was used, at most once in ten minutes.

    Raises:
        OperationalError: another writer has locked the database or the row. It is not
            worth waiting for.
    """
    due = now - _USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= due:
        is_due = Q(last_used_at=None) | Q(last_used_at__lte=due)
        rows = AccessToken.objects.filter(is_due, pk=token.pk)
        with _not_waiting():
            noted = rows.update(last_used_at=now)
        if noted and token.last_used_at is None:
            audit.record("token_first_used", token=token.key, user=token.user_id)


@contextmanager
def _not_waiting() -> Iterator[None]:
    """Let writes fail at once where they would wait for another writer."""
    connection = transaction.get_connection()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            milliseconds = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                yield
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 1")
            yield


def revoke_tokens(*, access_tokens: QuerySet[AccessToken]) -> list[AccessToken]:
    """Revoke *access_tokens* for ever and return those that were not revoked before."""
    with transaction.atomic():
        # Of two who revoke a token at once the second waits, and then does not find it.
        unrevoked = access_tokens.filter(revoked_at=None).order_by("pk")
        found = list(unrevoked.select_for_update(of=("self",)))
        locked = unrevoked.filter(pk__in=[token.pk for token in found])
        locked.update(revoked_at=timezone.now())
        for token in found:
            _record("token_revoked", token.key, token.user_id)
    return found


def revoke_text(*, user: User, text: str) -> None:
    """Revoke the token that *text* is, if it is one of *user* (RFC 7009 §2.2)."""
    recognized = tokens.recognize(text)
    token = find_token(key=recognized.key) if recognized else None
    if token is not None and token.user == user and token.matches(text):
        revoke_tokens(access_tokens=AccessToken.objects.filter(pk=token.pk))


def purge_tokens() -> int:
    """Delete tokens that are of no use any more and return their number."""
    now = timezone.now()
    dead = AccessToken.objects.filter(Q(expires_at__lte=now) | Q(revoked_at__isnull=False))
    total = 0
    # In batches, each a short transaction, so that nobody waits.
    while batch := list(dead.values_list("pk", flat=True)[:_PURGE_BATCH]):
        total += AccessToken.objects.filter(pk__in=batch).delete()[0]
    return total


_TOKEN_COLUMNS = columns_of(AccessToken)
_USER_COLUMNS = columns_of(User)


def _token_of_slot() -> QuerySet[AccessToken, Any]:
    """Return the columns of the token in the slot, of its user, and their permissions."""
    user = OuterRef(OuterRef("user_id"))
    own = User.user_permissions.through.objects.filter(user=user)
    shared = Group.permissions.through.objects.filter(group__user=user)
    held = Permission.objects.filter(
        Q(pk__in=own.values("permission")) | Q(pk__in=shared.values("permission"))
    )
    names = Concat("content_type__app_label", Value("."), "codename")
    return AccessToken.objects.filter(key=Slot("key", CharField())).values_list(
        *_TOKEN_COLUMNS,
        *(f"user__{name}" for name in _USER_COLUMNS),
        Subquery(held.order_by().values_list(ListOf(names))),
    )


_TOKEN = Prepared(_token_of_slot)


def _live(now: dt.datetime) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(revoked_at=None, expires_at__gt=now)


def _record(event: str, key: str, user_id: int) -> None:
    record = functools.partial(audit.record, event, token=key, user=user_id)
    transaction.on_commit(record, robust=True)
