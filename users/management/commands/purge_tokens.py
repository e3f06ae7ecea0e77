"""Delete access tokens that are of no use any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from users import crud


class Command(BaseCommand):
    """Delete expired and revoked access tokens."""

    help = "Delete expired and revoked access tokens. Run it daily."

    def handle(self, *_: Any, **__: Any) -> None:
        """Delete them and say how many they were."""
        self.stdout.write(f"Deleted {crud.purge_tokens()} tokens.")
