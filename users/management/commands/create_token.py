"""Create a personal access token."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from users import crud, scopes
from users.exceptions import InvalidScopeError, WrongCredentialsError
from users.management.users import user_of
from users.models import LONGEST_LABEL


class Command(BaseCommand):
    """Print a new access token, this one time."""

    help = "Create an access token for a user and print it. It is not shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user's address and what the token is for."""
        longest = crud.LONGEST_LIFETIME.days
        parser.add_argument("email", help="the user's email address")
        parser.add_argument("--label", default="", help="what the token is for")
        parser.add_argument("--scope", help=f"separated by spaces; default {scopes.DEFAULT_SCOPE}")
        parser.add_argument("--days", type=int, default=30, help=f"its life, 1 to {longest}")

    def handle(
        self, *_: Any, email: str, label: str, scope: str | None, days: int, **__: Any
    ) -> None:
        """Create the token."""
        if not 1 <= days <= crud.LONGEST_LIFETIME.days:
            message = f"--days must be 1 to {crud.LONGEST_LIFETIME.days}."
            raise CommandError(message)
        if len(label) > LONGEST_LABEL:
            message = f"--label has at most {LONGEST_LABEL} characters."
            raise CommandError(message)
        user = user_of(email)
        try:
            granted = scopes.grant(scope, user)
            lifetime = dt.timedelta(days=days)
            issued = crud.issue_token(user=user, scope=granted, label=label, lifetime=lifetime)
        except InvalidScopeError as error:
            message = f"{error}. Known are: {', '.join(scopes.SCOPES)}."
            raise CommandError(message) from None
        except WrongCredentialsError:
            message = f"{user} is not active."
            raise CommandError(message) from None
        self.stdout.write(issued[1])
        self.stderr.write(f"For {user}, scope {granted!r}, {days} days. Keep it: it is not stored.")
