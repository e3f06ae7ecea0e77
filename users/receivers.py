"""What happens whenever somebody logs in or out with a browser, wherever that was."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from users import audit, conf
from users.models import User


def begin_session(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Give the session a new key and its end, sooner for those who may use the admin site.

    Django keeps the key of who logs in once more. The end is a moment: a number of seconds
    would begin anew whenever something is stored in the session.
    """
    request.session.cycle_key()
    age = conf.staff_session_age() if user.is_staff else settings.SESSION_COOKIE_AGE
    request.session.set_expiry(timezone.now() + dt.timedelta(seconds=age))
    with audit.caused_by(request):
        audit.record("session_started", user=user.pk, path=request.path)


def end_session(*, request: HttpRequest, user: User | None, **_: Any) -> None:
    """Note who has logged out, if it is anybody."""
    if user is not None:
        with audit.caused_by(request):
            audit.record("session_ended", user=user.pk)
