"""Forms that add and change a user."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, ClassVar

from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.forms import ModelForm

from users.admin.passwords import HashingMixin
from users.exceptions import BusyError
from users.models import User


class UserCreation(HashingMixin, AdminUserCreationForm):  # type: ignore[type-arg]
    """A new user: address, name, and a password or none.

    The page validates it within the transaction that saves it, which holds a lock: what
    was sent is validated `before` as well, and the user of that form has the password.
    """

    before: ClassVar[ContextVar[ModelForm[Any] | None]] = ContextVar("before", default=None)

    class Meta:
        """Django's own names a user by `username`."""

        model = User
        fields = ("email", "name")
        field_classes: ClassVar[dict[str, Any]] = {}

    def set_password(self) -> None:
        """Give the user the password; see `HashingMixin.set_password`.

        Raises:
            BusyError: there is none from before: no slot was free, or an address that is
                free now was taken.
        """
        before = self.before.get()
        if before is None:
            super().set_password()
        elif before.instance.password:
            self.instance = before.instance
        else:
            raise BusyError

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Write the user, who has the password by now."""
        user: User = ModelForm.save(self, commit=commit)
        return user


class UserChange(UserChangeForm):  # type: ignore[type-arg]
    """A user that is there."""

    class Meta:
        """Django's own names a user by `username`."""

        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, Any]] = {}
