"""Let a user or a client log in again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from users.clients import client_at
from users.dependencies.throttling import lift


class Command(BaseCommand):
    """Forget failures to log in."""

    help = "Forget the failures of a login, of a client, or of a login from a client."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the login, the client, or both."""
        parser.add_argument("email", nargs="?", help="the email address that nobody gets in with")
        parser.add_argument("--client", help="the IP address that nobody gets in from")

    def handle(self, *_: Any, email: str | None, client: str | None, **__: Any) -> None:
        """Forget them."""
        if email is None and client is None:
            message = "Give an email address, --client, or both."
            raise CommandError(message)
        try:
            lift(login=email, client=None if client is None else client_at(client))
        except ValueError as error:
            raise CommandError(f"{error}.") from None
        self.stdout.write("Forgotten.")
