"""The HTTP answers to database errors.

The tables are by PostgreSQL's SQLSTATE and SQLite's error names. Django's own classes are
too coarse: SQLite raises its `IntegrityError` for a value of the wrong type, too.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable

from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.db.models import Model, ProtectedError, RestrictedError

from di.http import HTTPException

logger = logging.getLogger("di")

_TAKEN = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_OVERLAPPING = {"23P01"}
_REFERENCED = {"23503", "23001", "SQLITE_CONSTRAINT_FOREIGNKEY"}
_UNFIT = {"23514", "SQLITE_CONSTRAINT_CHECK"}
_UNSTORABLE = {
    *("22001", "22003", "22007", "22008", "22021", "22P02", "22P05"),
    *("SQLITE_MISMATCH", "SQLITE_TOOBIG"),
}
"""Too long, out of range, no date, text or JSON that cannot be stored, an offset too large."""
_PASSING = re.compile(r"40001|40P01|55P03|57014|57P0[123]|08...|53300|SQLITE_(BUSY|LOCKED).*")
"""Serialization, deadlock, lock and statement timeouts, shutdown, connection, too many."""

_NUL = "NUL (0x00)"
"""Drivers of PostgreSQL refuse text with NUL by themselves, so there is no SQLSTATE."""
_EXECUTING = {
    CursorWrapper._execute.__code__,  # type: ignore[attr-defined]  # noqa: SLF001 - no other name
    CursorWrapper._executemany.__code__,  # type: ignore[attr-defined]  # noqa: SLF001
}
"""Django's functions that call a driver; a value that it refuses passes through them."""
_POSTGRES_KEY = re.compile(r"Key \((?P<columns>.+?)\)=")
_SQLITE_KEY = re.compile(r"UNIQUE constraint failed: (?P<columns>[\w., ]+)$")
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (?P<name>\w+)$")


ANSWERED = (DatabaseError, ValueError, OverflowError)
"""The errors that may have an answer."""


def answer_to(error: Exception) -> HTTPException | None:
    """Return the answer to a request that ended in *error*, None if *error* is a bug.

    A value that the database cannot store may be the client's: half a surrogate pair, NUL on
    PostgreSQL, a number or an offset that is out of range. So it is answered and logged, too.
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
    if code in _UNSTORABLE or _is_refused_by_driver(error):
        logger.warning("The database cannot store a value.", exc_info=error)
        return HTTPException(422, "The database refused a value")
    if isinstance(error, IntegrityError):
        return _answer_to_violation(error, code)
    return None


def _is_refused_by_driver(error: Exception) -> bool:
    """Return True if the driver could not pass a parameter of a query to the database."""
    if isinstance(error, DatabaseError):
        return isinstance(error, DataError) and _NUL in str(error)
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code in _EXECUTING for frame, _ in frames)


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
