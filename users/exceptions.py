"""What the rules for users refuse; none of it knows HTTP."""

from __future__ import annotations


class UsersError(Exception):
    """A rule was broken. The text is for the one who broke it."""


class UserNotFoundError(UsersError):
    """There is no such user."""

    def __init__(self) -> None:
        super().__init__("User not found")


class EmailTakenError(UsersError):
    """Another user has this e-mail address."""

    def __init__(self) -> None:
        super().__init__("A user with this email already exists")


class ProtectedUserError(UsersError):
    """Only a superuser may change or delete a superuser."""

    def __init__(self) -> None:
        super().__init__("Permission denied")


class UndeletableUserError(UsersError):
    """Deleting or deactivating this user would lock somebody out."""


class WrongCredentialsError(UsersError):
    """Nobody may log in with this; the text does not say what is wrong with it."""

    def __init__(self) -> None:
        super().__init__("Incorrect username or password")


class InvalidScopeError(UsersError):
    """What was asked for as scope is unknown, malformed or not to be had."""
