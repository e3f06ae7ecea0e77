"""Reading what is up to date for certain."""

from __future__ import annotations

from typing import Annotated

from django.db import DEFAULT_DB_ALIAS

from di.markers import Depends
from di.sessions import ReadSession, read_session_on

PrimaryDep = Annotated[ReadSession, Depends(read_session_on(DEFAULT_DB_ALIAS))]
"""A session for rows that decide something, or were written a moment ago.

A replica may not have them yet, and `ReadSessionDep` may read from one.
"""
