"""What a database error means to a client.

The tables are by PostgreSQL's SQLSTATE and SQLite's error names. Django's own classes are
too coarse: SQLite raises its `IntegrityError` for a value of the wrong type, too.
"""

from __future__ import annotations

import re

from django.db import DatabaseError, IntegrityError, OperationalError

from di.http import HTTPException

_TAKEN = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_REFERENCED = {"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"}
_UNFIT = {"23514", "SQLITE_CONSTRAINT_CHECK", "23502", "SQLITE_CONSTRAINT_NOTNULL"}
_PASSING = re.compile(r"40001|40P01|55P03|57014|57P0[123]|08...|53300|SQLITE_(BUSY|LOCKED).*")
"""Serialization, deadlock, lock and statement timeouts, shutdown, connection, too many."""

_POSTGRES_KEY = re.compile(r"Key \((?P<columns>.+?)\)=")
_SQLITE_KEY = re.compile(r"UNIQUE constraint failed: (?P<columns>[\w., ]+)$")


def answer_to(error: DatabaseError) -> HTTPException | None:
    """Return the answer to a request that ended in *error*, None if it is a bug."""
    cause = error.__cause__
    code = _code_of(cause)
    if isinstance(error, OperationalError) and _is_passing(cause, code):
        return HTTPException(503, "The database is busy, try again", {"Retry-After": "1"})
    if not isinstance(error, IntegrityError):
        return None
    if code in _TAKEN:
        return HTTPException(409, f"Already exists: {_columns(cause) or 'the same'}")
    if code in _REFERENCED:
        return HTTPException(409, "It refers to what does not exist, or is referred to")
    if code in _UNFIT:
        return HTTPException(422, "The database refused a value")
    return None


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
