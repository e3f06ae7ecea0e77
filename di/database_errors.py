"""The HTTP answers to database errors.

The tables are by PostgreSQL's SQLSTATE and SQLite's error names. Django's own classes are
too coarse: SQLite raises its `IntegrityError` for a value of the wrong type, too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from django.db import DatabaseError, IntegrityError, OperationalError
from django.db.models import Model, ProtectedError, RestrictedError

from di.http import HTTPException

logger = logging.getLogger("di")

_TAKEN = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_OVERLAPPING = {"23P01"}
_REFERENCED = {"23503", "23001", "SQLITE_CONSTRAINT_FOREIGNKEY"}
_UNFIT = {"23514", "SQLITE_CONSTRAINT_CHECK"}
_PASSING = re.compile(r"40001|40P01|55P03|57014|57P0[123]|08...|53300|SQLITE_(BUSY|LOCKED).*")
"""Serialization, deadlock, lock and statement timeouts, shutdown, connection, too many."""

_POSTGRES_KEY = re.compile(r"Key \((?P<columns>.+?)\)=")
_SQLITE_KEY = re.compile(r"UNIQUE constraint failed: (?P<columns>[\w., ]+)$")
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (?P<name>\w+)$")


def answer_to(error: DatabaseError) -> HTTPException | None:
    """Return the answer to a request that ended in *error*, None if *error* is a bug.

    A missing value (NOT NULL) is a bug: a client can only leave out a value that the view
    declared as optional. Violations of checks and of foreign keys may be the client's fault
    or the view's, so they are answered and logged with their traceback.
    """
    cause = error.__cause__
    code = _code_of(cause)
    if isinstance(error, OperationalError) and _is_passing(cause, code):
        return HTTPException(503, "The database is busy, try again", {"Retry-After": "1"})
    if isinstance(error, ProtectedError):
        return _in_use(error.protected_objects)
    if isinstance(error, RestrictedError):
        return _in_use(error.restricted_objects)
    if isinstance(error, IntegrityError):
        return _answer_to_violation(error, code)
    return None


def _in_use(rows: Iterable[Model]) -> HTTPException:
    """Return the answer to a deletion that *rows* forbid, with the names of their models."""
    names = ", ".join(sorted({type(row).__name__ for row in rows}))
    return HTTPException(409, f"Cannot be deleted, still in use by: {names}")


def _answer_to_violation(error: IntegrityError, code: str) -> HTTPException | None:
    cause = error.__cause__
    if code in _TAKEN:
        return HTTPException(409, f"Already exists: {_columns(cause) or 'the same'}")
    if code in _OVERLAPPING:
        return HTTPException(409, "Conflicts with an existing entry")
    if code not in _REFERENCED | _UNFIT:
        return None
    logger.warning("A database constraint was violated.", exc_info=error)
    if code in _REFERENCED:
        return HTTPException(409, "It refers to what does not exist, or is referred to")
    name = _check_of(cause)
    return HTTPException(422, f"The database refused a value{name and f': {name}'}")


def _code_of(cause: BaseException | None) -> str:
    for attribute in ("sqlstate", "sqlite_errorname"):
        if code := getattr(cause, attribute, None):
            return str(code)
    return ""


def _is_passing(cause: BaseException | None, code: str) -> bool:
    # A connection that broke, and a pool that has none to give, have no SQLSTATE.
    is_postgres = hasattr(cause, "sqlstate")
    return bool(_PASSING.fullmatch(code)) or (is_postgres and not code)


def _columns(cause: BaseException | None) -> str:
    """Return the columns of a unique constraint, as the database names them."""
    detail = getattr(getattr(cause, "diag", None), "message_detail", None)
    found = _POSTGRES_KEY.search(detail or "") or _SQLITE_KEY.search(str(cause))
    if found is None:
        return ""
    columns = found["columns"].split(", ")
    return ", ".join(column.rpartition(".")[2] for column in columns)


def _check_of(cause: BaseException | None) -> str:
    """Return the name of a violated check."""
    named = getattr(getattr(cause, "diag", None), "constraint_name", None)
    found = _SQLITE_CHECK.search(str(cause))
    return named or (found["name"] if found else "")
