"""Forms that hash a password, and the page for one's own."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminPasswordChangeForm as AdminOwnPasswordChangeForm
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from users import hashing
from users.admin.common import log_in_or_explain, record_password, user_of
from users.exceptions import BusyError
from users.models import User
from users.schemas import LONGEST_PASSWORD

_NEW_PASSWORDS = {"password1", "password2", "new_password1", "new_password2"}


class HashingMixin(BaseForm):
    """A form that hashes the password while it is validated: in a slot, or not at all."""

    error_field = "password1"  # the pages have no place for errors of the whole form

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields.keys() & _NEW_PASSWORDS:
            # Before the password is compared with anything, or hashed.
            self.fields[name].validators.append(MaxLengthValidator(LONGEST_PASSWORD))

    def full_clean(self) -> None:
        """Look at everything else first: to hash is expensive."""
        super().full_clean()
        if self.is_bound and not self.errors:
            try:
                self.set_password()
            except BusyError as error:
                self.add_error(self.error_field, ValidationError(f"{error}.", code="busy"))

    def set_password(self) -> None:
        """Give the user the password, or take it away, but write nothing.

        Raises:
            BusyError: too many passwords are being hashed.
        """
        is_hashed = self.cleaned_data.get("set_usable_password", True)
        with hashing.slot() if is_hashed else nullcontext():
            super().save(commit=False)  # type: ignore[misc]


class WritesPasswordMixin(HashingMixin):
    """A form that writes the password and nothing else: the rest may be out of date."""

    user: User

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Write the password."""
        if commit:
            self.user.save(update_fields=["password"])
        return self.user


class PasswordForm(WritesPasswordMixin, AdminPasswordChangeForm):  # type: ignore[type-arg]
    """A new password for somebody."""


class OwnPasswordForm(WritesPasswordMixin, AdminOwnPasswordChangeForm):
    """A new password for oneself: to guess the old one costs what a login costs."""

    error_field = "new_password1"

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        """Check the old password."""
        password: str = self.cleaned_data["old_password"]
        text = self.error_messages["password_incorrect"]
        wrong = ValidationError(text, code="password_incorrect")
        log_in_or_explain(self.request, self.user.get_username(), password, wrong=wrong)
        return password


class OwnPasswordView(PasswordChangeView):
    """The page for it."""

    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """Hand the request over."""
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password."""
        response = super().form_valid(form)
        record_password(self.request, user_of(self.request).pk)
        return response


def change_own_password(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponseBase:
    """Answer in place of `AdminSite.password_change`, whose form cannot be chosen."""
    context = {**admin.site.each_context(request), **(extra_context or {})}
    done = reverse("admin:password_change_done", current_app=admin.site.name)
    return OwnPasswordView.as_view(success_url=done, extra_context=context)(request)
