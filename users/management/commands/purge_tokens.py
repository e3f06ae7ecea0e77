"""Delete access tokens and counters that are of no use any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from users import crud


class Command(BaseCommand):
    """Delete expired and revoked access tokens, and counters whose time is over."""

    help = "Delete expired and revoked access tokens, and expired counters. Run it daily."

    def handle(self, *_: Any, **__: Any) -> None:
        """Delete them and say how many they were."""
        tokens, counters = crud.purge_tokens(), crud.purge_counters()
        self.stdout.write(f"Deleted {tokens} tokens and {counters} counters.")
