"""The database and its session: Django's settings hold the one, `di` has the other."""

from di.sessions import get_session as get_db

__all__ = ["get_db"]
