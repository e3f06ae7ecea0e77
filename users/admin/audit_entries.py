"""Audit entries in the admin site."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from users.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was done to users who may be gone: to be looked at."""

    list_display = ("created_at", "event", "actor_id", "target_id")
    search_fields = ("actor_id", "target_id")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Entries are made by what they are about."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: AuditEntry | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """They say what was."""
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: AuditEntry | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """They stay."""
        return False
