"""Users, groups, access tokens and audit entries in the admin site.

Importing a module registers its pages.
"""

from __future__ import annotations

from django.contrib import admin

from users.admin import audit_entries, groups, tokens, users
from users.admin.common import may_enter
from users.admin.login import LoginForm
from users.admin.passwords import change_own_password

__all__ = ["audit_entries", "groups", "tokens", "users"]

admin.site.login_form = LoginForm
admin.site.has_permission = may_enter  # type: ignore[method-assign]
admin.site.password_change = change_own_password  # type: ignore[assignment, method-assign]
