"""Where queries go if the primary database has a replica."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from di.sessions import ReadSession

REPLICA = "replica"


class ReplicaRouter:
    """Sends the queries of a `ReadSession` to the replica, and all others to the primary.

    A replica lags behind. So the primary answers each query that decides something: who
    calls, whether a token lives, how often a client has failed, and each query of a write.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str:  # noqa: ARG002 - Django's signature
        """Return the replica for a session's queries."""
        return REPLICA if isinstance(hints.get("session"), ReadSession) else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str:  # noqa: ARG002 - as above
        """Return the primary, for rows that came from the replica as well."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:  # noqa: ARG002 - as above
        """Let rows of both refer to each other, because both are the same database."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:  # noqa: ARG002 - as above
        """Migrate the primary only; PostgreSQL brings the changes to the replica."""
        return db != REPLICA
