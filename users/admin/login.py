"""The login form of the admin site."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest

from users.admin.common import log_in_or_explain


class LoginForm(AdminAuthenticationForm):
    """Logging in to this site: as often, and as slowly, as everywhere else."""

    def clean(self) -> dict[str, Any]:
        """Look for the user."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not email or not password:
            return self.cleaned_data
        request = cast("HttpRequest", self.request)
        user = log_in_or_explain(request, email, password, wrong=self.get_invalid_login_error())
        self.confirm_login_allowed(user)
        self.user_cache = user
        return self.cleaned_data
