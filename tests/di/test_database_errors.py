"""Database errors as answers."""

import sqlite3
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError

from di.database_errors import answer_to


class FromPostgres(Exception):  # noqa: N818 - stands for the driver's classes
    """What psycopg raises, as far as it is looked at."""

    def __init__(self, sqlstate: str | None, message_detail: str = "", check: str = "") -> None:
        super().__init__("from PostgreSQL")
        self.sqlstate = sqlstate
        self.diag = self
        self.message_detail = message_detail
        self.constraint_name = check


def from_sqlite(name: str, text: str = "from SQLite") -> Exception:
    error = sqlite3.Error(text)
    error.sqlite_errorname = name
    return error


def answer(error: Exception, cause: Exception | None) -> Any:
    error.__cause__ = cause
    found = answer_to(error)  # type: ignore[arg-type]
    return found and (found.status_code, found.detail, found.headers)


BUSY = (503, "The database is busy, try again", {"Retry-After": "1"})
UNIQUE = "SQLITE_CONSTRAINT_UNIQUE"


@pytest.mark.asvs("13.1.2", "16.5.2")
@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "57014", "57P01", "08006", None])
def test_what_passes_in_postgresql_is_503(code: str | None) -> None:
    """Also without a SQLSTATE: a connection that broke, a pool that is empty."""
    assert answer(OperationalError(), FromPostgres(code)) == BUSY


def test_what_passes_in_sqlite_is_503() -> None:
    """Another process holds the lock."""
    assert answer(OperationalError(), from_sqlite("SQLITE_BUSY_SNAPSHOT")) == BUSY


@pytest.mark.parametrize(
    ("cause", "names"),
    [
        (FromPostgres("23505", "Key (email)=(a@b.c) already exists."), "email"),
        (FromPostgres("23505", "Key (lower(name))=(a) already exists."), "lower(name)"),
        (FromPostgres("23505"), "the same"),
        (from_sqlite(UNIQUE, "UNIQUE constraint failed: users_user.email"), "email"),
        (from_sqlite(UNIQUE, "UNIQUE constraint failed: t.a, t.b"), "a, b"),
        (from_sqlite(UNIQUE, "UNIQUE constraint failed: index 'x'"), "the same"),
    ],
)
def test_what_is_taken_is_409_and_named(cause: Exception, names: str) -> None:
    """The columns are named; their values are nobody's business."""
    assert answer(IntegrityError(), cause) == (409, f"Already exists: {names}", {})


REFERENCE = (409, "It refers to what does not exist, or is referred to", {})
CHECK = "SQLITE_CONSTRAINT_CHECK"


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (FromPostgres("23503"), REFERENCE),
        (FromPostgres("23001"), REFERENCE),
        (from_sqlite("SQLITE_CONSTRAINT_FOREIGNKEY"), REFERENCE),
        (
            FromPostgres("23514", check="adults_only"),
            (422, "The database refused a value: adults_only", {}),
        ),
        (
            from_sqlite(CHECK, "CHECK constraint failed: adults_only"),
            (422, "The database refused a value: adults_only", {}),
        ),
        (
            from_sqlite(CHECK, 'CHECK constraint failed: "age" >= 0'),
            (422, "The database refused a value", {}),
        ),
    ],
)
def test_violations_of_unclear_origin_are_answered_and_logged(
    cause: Exception, expected: object, caplog: pytest.LogCaptureFixture
) -> None:
    """References conflict and values are unfit; the log has the traceback in either case."""
    assert answer(IntegrityError(), cause) == expected
    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[1].__cause__ is cause  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (DataError(), FromPostgres("22001")),
        (DataError(), FromPostgres("22003")),
        (DataError(), FromPostgres("22P05")),
        (DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), FromPostgres(None)),
        (IntegrityError(), from_sqlite("SQLITE_MISMATCH")),
        (DataError(), from_sqlite("SQLITE_TOOBIG")),
    ],
)
def test_values_that_cannot_be_stored_are_422_and_logged(
    error: Exception, cause: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """When the database cannot store a value, then the client is told and the log has it."""
    assert answer(error, cause) == (422, "The database refused a value", {})
    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[1] is error


def test_overlapping_ranges_conflict() -> None:
    """PostgreSQL's exclusion constraints are unique constraints for ranges."""
    expected = (409, "Conflicts with an existing entry", {})
    assert answer(IntegrityError(), FromPostgres("23P01")) == expected


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (IntegrityError(), from_sqlite("SQLITE_CONSTRAINT_NOTNULL")),
        (IntegrityError(), FromPostgres("23502")),
        (IntegrityError(), None),
        (OperationalError(), from_sqlite("SQLITE_FULL")),
        (OperationalError(), FromPostgres("42P01")),
        (DataError(), FromPostgres("22012")),
        (DataError(), FromPostgres(None)),
        (ValueError(), None),
    ],
)
def test_everything_else_is_a_bug(error: Exception, cause: Exception | None) -> None:
    """It stays what it was: a 500 with its traceback in the log."""
    assert answer(error, cause) is None
