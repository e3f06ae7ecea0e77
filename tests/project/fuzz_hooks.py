"""Who Schemathesis is while it asks: loaded into its process, beside the server's.

Each request comes from a user who may do what their role may: the requests before it may have
ended the token, deactivated the user, or changed their privileges.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import django
import schemathesis

django.setup()
logging.disable()  # the server has a log, too

from django.contrib.auth.models import Group  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402

from users import crud  # noqa: E402
from users.models import AccessToken, User  # noqa: E402
from users.scopes import SCOPES  # noqa: E402

ROLE = os.environ["FUZZ_ROLE"]
EMAIL = f"{ROLE}@example.com"
GROUPS = {"reader": ["user-readers"], "manager": ["user-managers"], "superuser": []}


class Token:
    """The token to ask with: the one before if it is still good."""

    def __init__(self) -> None:
        self.row: AccessToken | None = None
        self.text = ""

    def get(self, case: Any, context: Any) -> str:
        """Return it, of a user who is as they were in the beginning."""
        row = self.row and crud.find_token(key=self.row.key)
        is_good = row is not None and row.refusal(timezone.now()) is None
        if not (is_good and row.user.email == EMAIL and _may(row.user)):
            self.row, self.text = crud.issue_token(user=make_caller(), scope=" ".join(SCOPES))
        return self.text

    def set(self, case: Any, data: str, context: Any) -> None:
        """Send it."""
        case.headers["Authorization"] = f"Bearer {data}"


def make_caller() -> User:
    """Return the user who asks, with what they may do, and nothing else."""
    good = {"is_active": True, "is_superuser": ROLE == "superuser", "name": ROLE}
    user, _ = User.objects.update_or_create(email=EMAIL, defaults=good)
    user.groups.set(Group.objects.filter(name__in=GROUPS[ROLE]))
    return user


def _may(user: User) -> bool:
    groups = sorted(user.groups.values_list("name", flat=True))
    return user.is_superuser is (ROLE == "superuser") and groups == GROUPS[ROLE]


if ROLE in GROUPS:
    schemathesis.auth(refresh_interval=None)(Token)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Call the scheme what it is on the wire: of oauth2 Schemathesis checks nothing."""
    schemes = raw_schema["components"]["securitySchemes"]
    schemes["bearer"] = {"type": "http", "scheme": "bearer"}
