"""End all access of one user."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from di.sessions import Session
from users import crud
from users.management.users import user_of


class Command(BaseCommand):
    """Log a user out everywhere."""

    help = "End all browser sessions and access tokens of a user, who may log in again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user's address."""
        parser.add_argument("email", help="the user's email address")

    def handle(self, *_: Any, email: str, **__: Any) -> None:
        """End them."""
        user = user_of(email)
        with transaction.atomic():
            crud.end_access(session=Session(), user_id=user.pk, by=None, is_admin=True)
        self.stdout.write(f"Ended all sessions and tokens of {user}.")
