"""How long a browser session lasts."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from users import conf
from users.models import User

_IS_SHORT = "is_short"


def begin(request: HttpRequest, user: User) -> None:
    """Set the end of a new session, sooner for a user with privileges.

    The end is a moment: a number of seconds would begin anew whenever something is stored
    in the session.
    """
    is_short = request.session[_IS_SHORT] = _is_privileged(user)
    age = conf.staff_session_age() if is_short else settings.SESSION_COOKIE_AGE
    request.session.set_expiry(timezone.now() + dt.timedelta(seconds=age))


def shorten(request: HttpRequest, user: User) -> None:
    """End a session sooner if *user* has got privileges since it began."""
    if not _is_privileged(user) or request.session.get(_IS_SHORT):
        return
    end = timezone.now() + dt.timedelta(seconds=conf.staff_session_age())
    request.session[_IS_SHORT] = True
    request.session.set_expiry(min(end, request.session.get_expiry_date()))


def _is_privileged(user: User) -> bool:
    return user.is_staff or user.is_superuser
