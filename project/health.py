"""Whether the project can do its work."""

from __future__ import annotations

import threading

from django.db import DEFAULT_DB_ALIAS, Error, connections

from project.database import separate

_SECONDS = 2


class Pulse:
    """Asks a database whether it is there.

    It asks on a connection of its own, which neither waits for the pool nor hangs, and on
    one at a time: whoever comes meanwhile hears what was heard last.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._using = using
        self._lock = threading.Lock()
        self._was_there = False

    def is_there(self) -> bool:
        """Return whether the database answers."""
        if self._lock.acquire(blocking=False):
            try:
                self._was_there = self._ask()
            finally:
                self._lock.release()
        return self._was_there

    def _ask(self) -> bool:
        connection = separate(connections[self._using], seconds=_SECONDS)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except (Error, OSError):
            return False
        finally:
            connection.close()
        return True
