"""What happens whenever somebody logs in or out with a browser, wherever that was."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from users import audit, sessions
from users.models import User


def begin_session(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Give the session a new key and its end.

    Django keeps the key of a user who logs in once more.
    """
    request.session.cycle_key()
    sessions.begin(request, user)
    with audit.caused_by(request):
        audit.record("session_started", user=user.pk, path=request.path)


def end_session(*, request: HttpRequest, user: User | None, **_: Any) -> None:
    """Note who has logged out, if it is anybody."""
    if user is not None:
        with audit.caused_by(request):
            audit.record("session_ended", user=user.pk)
