"""The database and its session: Django's settings hold the one, `di` has the other."""

from typing import Any

from django.db.models import QuerySet

from di.sessions import get_session as get_db

__all__ = ["get_db", "page"]


def page(rows: QuerySet[Any], skip: int, limit: int) -> QuerySet[Any]:
    """Slice as SQLAlchemy does on SQLite: a negative offset is none, a negative limit too."""
    start = max(skip, 0)
    return rows[start:] if limit < 0 else rows[start : start + limit]
