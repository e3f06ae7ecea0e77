"""The sessions of the database that Django's settings name."""

from di.sessions import get_session as get_db

__all__ = ["get_db"]
