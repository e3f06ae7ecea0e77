"""Queries of users, and the rules that need one."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import authenticate as django_authenticate
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.db.models import BigIntegerField, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from di.sessions import ReadSession, Session
from users import audit
from users.crud.prepared import NumberOf, Prepared, Slot, columns_of
from users.crud.tokens import revoke_tokens, unchanged
from users.exceptions import (
    EmailTakenError,
    GroupNotFoundError,
    ProtectedUserError,
    UndeletableUserError,
    UserNotFoundError,
    WrongCredentialsError,
)
from users.models import AccessToken, AuditEntry, User

MOST_COUNTED = 10_000
"""Users that are counted for each page; to count more takes a client that asks for it."""

_PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")
_ACTIVE_SUPERUSER = Q(is_superuser=True, is_active=True)
_EMAIL_IS_TAKEN = re.compile(
    r"users_user_email\w*"  # PostgreSQL names the constraint, SQLite writes a sentence
    r"|UNIQUE constraint failed: (users_user\.email|index 'users_user_email\w*')"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some users, by id.

    Attributes:
        users: those of the page.
        after: the id after which the next page begins; None if this is the last page.
        total: the number of users on all pages, if it is known.
    """

    users: list[User]
    after: int | None
    total: int | None


def list_users(  # noqa: PLR0913 - the parameters of a list
    *,
    session: Session | ReadSession,
    q: str | None,
    skip: int,
    limit: int,
    after: int | None = None,
    count: bool = False,
) -> Page:
    """Return a page of users, by id.

    To walk through all users costs time in proportion to their number, because each page
    begins at an id in the index. Counting reads all of them, so it is done only if it is
    asked for, and else up to `MOST_COUNTED` users.

    Args:
        session: in which to look.
        q: a text in the name or the e-mail address of each; None for all users.
        skip: users to leave out at the beginning.
        limit: users on the page at most.
        after: only users with a greater id.
        count: whether to count however many there are.
    """
    found = _found(session, q)
    most = None if q or count or after is not None else MOST_COUNTED
    if q or skip:
        rows = list(_listed(found, after, most)[skip : skip + limit + 1])
    else:
        rows = _first_page(limit, most).rows(found.db, after=after or 0)
    users = [User.from_db(found.db, _LISTED, row[: len(_LISTED)]) for row in rows[:limit]]
    is_last = len(rows) <= limit
    total: int | None = None
    if is_last and after is None and (users or not skip):
        total = skip + len(users)
    elif count:
        total = found.count()
    elif most is not None:
        some = rows[0][-1] if rows else _some(found, most).count()
        total = some if some <= most else None
    return Page(users, None if is_last else users[-1].pk, total)


def get_user(*, session: Session | ReadSession, user_id: int) -> User:
    """Return one user.

    Raises:
        UserNotFoundError: there is none with this id.
    """
    if user_id > BigIntegerField.MAX_BIGINT:  # an error to the database
        raise UserNotFoundError
    using = session.query(User).db
    rows = _USER.rows(using, pk=user_id)
    if not rows:
        raise UserNotFoundError
    return User.from_db(using, _COLUMNS, rows[0])


def find_groups(*, session: Session | ReadSession, ids: Collection[int]) -> list[Group]:
    """Return the groups with *ids*, by id.

    Raises:
        GroupNotFoundError: there is none with one of them.
    """
    groups = list(session.query(Group).filter(pk__in=ids).order_by("pk"))
    if len(groups) != len(ids):
        raise GroupNotFoundError
    return groups


def create_user(*, session: Session, name: str, email: str, password_hash: str, by: User) -> User:
    """Create a user.

    Args:
        session: in which it happens.
        name: of the user.
        email: of the user.
        password_hash: made before the session was opened, which holds a lock.
        by: who asks.

    Raises:
        EmailTakenError: another user has *email*. No look-up before the insert could
            promise that nobody takes it in between.
    """
    user = User(name=name, email=email, password=password_hash)
    with _unique_email(session):
        session.add(user)
    note("user_created", user=user, by=by, using=session.using)
    return user


def update_user(
    *, session: Session, user_id: int, changes: Mapping[str, Any], by: User, is_admin: bool
) -> User:
    """Change *changes* of one user; what is as it was is not written.

    Args:
        session: in which it happens.
        user_id: whose row it is.
        changes: by the names of fields; ``groups`` is a list of groups.
        by: who asks.
        is_admin: whether they may act on superusers.

    Raises:
        UserNotFoundError: there is none.
        ProtectedUserError: *by* may not change this one.
        UndeletableUserError: nobody would be left to administrate.
        EmailTakenError: another user has the new e-mail address.
    """
    user = lock_to_change(
        session=session, user_id=user_id, changes=changes, by=by, is_admin=is_admin
    )
    before = {field: _value(user, field) for field in changes}
    changed = {field: new for field, new in changes.items() if before[field] != new}
    columns = changed.keys() - {"groups"}
    for field in columns:
        setattr(user, field, changed[field])
    if columns:
        with _unique_email(session) if "email" in columns else nullcontext():
            user.save(using=session.using, update_fields=columns)
    if "groups" in changed:
        user.groups.set(changed["groups"])
    note_changes(user=user, by=by, before=before, changed=changed, using=session.using)
    return user


def lock_to_change(
    *, session: Session, user_id: int, changes: Mapping[str, Any], by: User, is_admin: bool
) -> User:
    """Lock the user whom *changes* are about; see `update_user`.

    Raises:
        UserNotFoundError: there is none.
        ProtectedUserError: *by* may not change this one.
        UndeletableUserError: nobody would be left to administrate.
    """
    is_leaving = False in (changes.get("is_active"), changes.get("is_superuser"))
    return _locked(session, user_id, by=by, is_admin=is_admin, is_leaving=is_leaving)


def change_password(*, session: Session, user: User, password_hash: str) -> None:
    """Give *user* another password, and end all of their tokens.

    Raises:
        WrongCredentialsError: since *user* was read, somebody else did so, or locked
            them out.
    """
    same = unchanged(users=session.query(User), user=user)
    if not same.update(password=password_hash):
        raise WrongCredentialsError
    user.password = password_hash
    unrevoked = session.query(AccessToken).filter(user=user)
    revoke_tokens(access_tokens=unrevoked)
    note("password_changed", user=user, by=user, using=session.using)


def reset_password(*, session: Session, user_id: int, password_hash: str) -> None:
    """Give a user another password without asking for the old one, and end all their access.

    Raises:
        UserNotFoundError: there is none with this id.
    """
    user = _locked(session, user_id, by=None, is_admin=True, is_leaving=False)
    user.password = password_hash
    user.save(using=session.using, update_fields=["password"])
    revoke_tokens(access_tokens=session.query(AccessToken).filter(user=user))
    note("password_changed", user=user, by=None, using=session.using)


def end_access(*, session: Session, user_id: int, by: User | None, is_admin: bool) -> User:
    """End all sessions and tokens of a user, who may log in again.

    Args:
        session: in which it happens.
        user_id: of the user.
        by: who asks; None for a command.
        is_admin: whether they may act on superusers.

    Raises:
        UserNotFoundError: there is none with this id.
        ProtectedUserError: *by* may not do this to a superuser.
    """
    user = _locked(session, user_id, by=by, is_admin=is_admin, is_leaving=False)
    user.locked_out_at = timezone.now()  # sessions and tokens from before have another hash
    user.save(using=session.using, update_fields=["locked_out_at"])
    revoke_tokens(access_tokens=session.query(AccessToken).filter(user=user))
    note("access_ended", user=user, by=by, using=session.using)
    actor_id = "" if by is None else str(by.pk)
    session.add(AuditEntry(event="access_ended", actor_id=actor_id, target_id=str(user.pk)))
    return user


def delete_user(*, session: Session, user_id: int, by: User, is_admin: bool) -> None:
    """Delete one user, their tokens included; an `AuditEntry` stays.

    Raises:
        UserNotFoundError: there is none.
        ProtectedUserError: *by* may not delete this one.
        UndeletableUserError: it is *by*, or the last active superuser.
    """
    user = _locked(session, user_id, by=by, is_admin=is_admin, is_leaving=True)
    if user.pk == by.pk:
        message = "You cannot delete yourself"
        raise UndeletableUserError(message)
    note("user_deleted", user=user, by=by, using=session.using)
    session.add(AuditEntry(event="user_deleted", actor_id=str(by.pk), target_id=str(user.pk)))
    session.delete(user)


def set_active(
    *, session: Session, user_ids: Collection[int], is_active: bool, by: User, is_admin: bool
) -> list[User]:
    """Lock users out, or let them in again; return those who were not so before.

    Who is locked out loses all sessions and tokens for ever. Superusers are passed over unless
    *is_admin*.

    Raises:
        UndeletableUserError: nobody would be left to administrate.
    """
    event = "user_activated" if is_active else "user_deactivated"
    rows = _lock(session, Q(pk__in=user_ids), is_leaving=not is_active)
    changed = [
        user
        for user in rows
        if user.pk in user_ids
        and user.is_active != is_active
        and (is_admin or not user.is_superuser)
    ]
    if not is_active:
        _keep_a_superuser(rows, leaving=changed)
    found = session.query(User).filter(pk__in=[user.pk for user in changed])
    if is_active:
        found.update(is_active=True)
    else:  # as `User.save` does it for one
        now = timezone.now()
        found.update(is_active=False, locked_out_at=now)
        tokens = session.query(AccessToken).filter(user__in=changed, revoked_at=None)
        tokens.update(revoked_at=now)
    for user in changed:
        user.is_active = is_active
        note(event, user=user, by=by, using=session.using)
    return changed


def note(
    event: str, *, user: User, by: User | None, using: str = DEFAULT_DB_ALIAS, **details: Any
) -> None:
    """Log after the commit that *by*, or a command if None, did something to *user*."""
    who = None if by is None else by.pk
    record = functools.partial(audit.record, event, user=who, whom=user.pk, **details)
    transaction.on_commit(record, using=using, robust=True)


def note_changes(
    *,
    user: User,
    by: User,
    before: Mapping[str, Any],
    changed: Mapping[str, Any],
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """`note` what a change of *user* amounts to.

    Args:
        user: who was changed.
        by: who did it.
        before: the old values, at least of what was changed, by the names of fields.
        changed: the new ones.
        using: the alias of the database.
    """
    if "is_active" in changed:
        event = "user_activated" if changed["is_active"] else "user_deactivated"
        note(event, user=user, by=by, using=using)
    if "password" in changed:
        note("password_changed", user=user, by=by, using=using)
    for field in [field for field in _PRIVILEGES if field in changed]:
        old, new = _loggable(before[field]), _loggable(changed[field])
        note("privilege_changed", user=user, by=by, using=using, privilege=field, old=old, new=new)


def note_group(
    *, group: Group, by: User, before: Iterable[Permission], after: Iterable[Permission]
) -> None:
    """Have it logged, once it is committed, that *by* changed what members of *group* may do."""
    old, new = _loggable(before), _loggable(after)
    details = {"user": by.pk, "group": group.pk, "old": old, "new": new}
    transaction.on_commit(functools.partial(audit.record, "group_changed", **details), robust=True)


def authenticate(*, request: HttpRequest, email: str, password: str) -> User:
    """Return the active user with these credentials; every attempt costs one hash.

    Raises:
        WrongCredentialsError: there is none.
    """
    user = django_authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        raise WrongCredentialsError
    return user


_LISTED = ("id", "name", "email")


def _some(found: QuerySet[User], most: int) -> QuerySet[User]:
    """Return *most* of *found*, and one more if there is one."""
    # In an order that an index has, or PostgreSQL would read the table.
    return found.order_by("id")[: most + 1]


def _listed(
    found: QuerySet[User], after: int | Slot | None, most: int | None
) -> QuerySet[User, Any]:
    """Return what a list shows of *found* after an id, and how many are found, up to *most*."""
    rest = found if after is None else found.filter(id__gt=after)
    number = [] if most is None else [NumberOf(_some(found, most).values("id"))]
    return rest.order_by("id").values_list(*_LISTED, *number)


@functools.cache
def _first_page(limit: int, most: int | None) -> Prepared:
    """Return the query of the first users after an id, which is asked most."""
    after = Slot("after", BigIntegerField())
    return Prepared(lambda: _listed(User.objects.all(), after, most)[: limit + 1])


_COLUMNS = columns_of(User)
_USER = Prepared(
    lambda: User.objects.filter(pk=Slot("pk", BigIntegerField())).values_list(*_COLUMNS)
)


def _found(session: Session | ReadSession, q: str | None) -> QuerySet[User]:
    users = session.query(User)
    if not q:
        return users
    q = unicodedata.normalize("NFC", q)  # as names are stored
    return users.filter(Q(name__icontains=q) | Q(email__icontains=q))


def _locked(
    session: Session, user_id: int, *, by: User | None, is_admin: bool, is_leaving: bool
) -> User:
    """Lock one user and return them, if *by* may touch them; see `_lock`."""
    rows = _lock(session, Q(pk=user_id), is_leaving=is_leaving)
    user = next((row for row in rows if row.pk == user_id), None)
    if user is None:
        raise UserNotFoundError
    if user.is_superuser and not is_admin:
        audit.record(
            "permission_denied",
            outcome="failure",
            user=None if by is None else by.pk,
            whom=user.pk,
            operation=audit.operation(),
        )
        raise ProtectedUserError
    if is_leaving:
        _keep_a_superuser(rows, leaving=[user])
    return user


def _lock(session: Session, wanted: Q, *, is_leaving: bool) -> list[User]:
    """Lock users and return them.

    Args:
        session: in which it happens.
        wanted: which users.
        is_leaving: they are to be deleted, deactivated or demoted. All active superusers
            are locked with them, in one query and in one order: of two who do this at
            once the second waits, and then sees who is left.
    """
    if is_leaving:
        wanted |= _ACTIVE_SUPERUSER
    return list(session.query(User).filter(wanted).order_by("pk").select_for_update())


def _keep_a_superuser(rows: Collection[User], *, leaving: Collection[User]) -> None:
    """Refuse if none of the active superusers, all of whom are in *rows*, would be left.

    Raises:
        UndeletableUserError: the last would be *leaving*.
    """
    superusers = [row for row in rows if row.is_superuser and row.is_active]
    if superusers and all(row in leaving for row in superusers):
        message = "The last active superuser must stay"
        raise UndeletableUserError(message)


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


def _value(user: User, field: str) -> Any:
    return list(user.groups.order_by("pk")) if field == "groups" else getattr(user, field)


def _loggable(value: Any) -> Any:
    return value if isinstance(value, bool) else sorted(row.pk for row in value)
