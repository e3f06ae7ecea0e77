"""What happens whenever somebody logs in with a browser, wherever that was."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from users import audit, conf
from users.models import User


def shorten_staff_session(*, request: HttpRequest, user: User, **_: Any) -> None:
    """End the sessions of those who may use the admin site sooner than others'."""
    if user.is_staff:
        request.session.set_expiry(conf.staff_session_age())
    with audit.caused_by(request):
        audit.record("session_started", user=user.pk, path=request.path)
