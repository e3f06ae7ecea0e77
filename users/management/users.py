"""The user that a command is about."""

from __future__ import annotations

from django.core.management.base import CommandError

from users.models import User


def user_of(email: str) -> User:
    """Return the user with an email address, which need not be normalized.

    Raises:
        CommandError: no user has the address.
    """
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        message = f"There is no user {email!r}."
        raise CommandError(message) from None
