"""What the rules for users refuse; none of it knows HTTP."""

from __future__ import annotations


class UsersError(Exception):
    """A rule was broken. The text is for the one who broke it."""


class UserNotFoundError(UsersError):
    """There is no such user."""

    def __init__(self) -> None:
        super().__init__("User not found")


class TokenNotFoundError(UsersError):
    """The user has no such live token."""

    def __init__(self) -> None:
        super().__init__("Token not found")


class GroupNotFoundError(UsersError):
    """There is no such group."""

    def __init__(self) -> None:
        super().__init__("There is no such group")


class EmailTakenError(UsersError):
    """Another user has this e-mail address."""

    def __init__(self) -> None:
        super().__init__("A user with this email already exists")


class ProtectedUserError(UsersError):
    """Only a superuser may change or delete a superuser."""

    def __init__(self) -> None:
        super().__init__("Permission denied")


class OwnPasswordError(UsersError):
    """Users change their own password only with the old one."""

    def __init__(self) -> None:
        super().__init__("Your own password is changed with the old one, at POST auth/password")


class UndeletableUserError(UsersError):
    """Deleting, deactivating or demoting this user would lock somebody out."""


class WrongCredentialsError(UsersError):
    """Nobody may log in with this; the text does not say what is wrong with it."""

    def __init__(self) -> None:
        super().__init__("Incorrect username or password")


class InvalidScopeError(UsersError):
    """What was asked for as scope is unknown, malformed or not to be had."""


class ThrottledError(UsersError):
    """There were too many attempts.

    Attributes:
        retry_after: whole seconds until there may be another.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many requests")
        self.retry_after = retry_after


class BusyError(UsersError):
    """As many passwords as allowed were being hashed, for as long as a login may wait."""

    def __init__(self) -> None:
        super().__init__("The server is busy, try again")
