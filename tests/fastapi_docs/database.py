"""The database and its session."""

from di.sessions import get_session as get_db

__all__ = ["get_db"]
