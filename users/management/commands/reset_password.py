"""Give a user a new password."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from di.sessions import Session
from users import crud, hashing
from users.management.users import user_of

_BYTES = 16


class Command(BaseCommand):
    """Print a new password, this one time."""

    help = (
        "Give a user a new random password and print it. All sessions and tokens of the user end."
        " To choose a password yourself, use changepassword."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user's address."""
        parser.add_argument("email", help="the user's email address")

    def handle(self, *_: Any, email: str, **__: Any) -> None:
        """Write the password to the database and to standard output."""
        user = user_of(email)
        password = secrets.token_urlsafe(_BYTES)
        password_hash = hashing.hash_password(password)
        with transaction.atomic():
            crud.reset_password(session=Session(), user_id=user.pk, password_hash=password_hash)
        self.stdout.write(password)
        self.stderr.write(f"For {user}. All sessions and tokens of before have ended.")
        if not user.is_active:
            self.stderr.write(f"{user} is not active, and cannot log in.")
