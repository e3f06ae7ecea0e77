"""Access tokens in the admin site."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from users import crud
from users.admin.common import AuditedMixin, batches, log_changes
from users.models import AccessToken


@admin.register(AccessToken)
class AccessTokenAdmin(AuditedMixin):
    """Tokens: to be looked at and revoked; only their public part is shown."""

    list_display = ("key", "user", "is_live", "scope", "label", "created_at", "last_used_at")
    list_filter = ("created_at", "expires_at")
    search_fields = ("key", "user__email", "label")
    list_select_related = ("user",)
    actions = ("revoke",)
    readonly_fields = (
        *("key", "user", "label", "scope"),
        *("created_at", "last_used_at", "expires_at", "revoked_at"),
    )
    fieldsets = (
        (
            None,
            {
                "fields": readonly_fields,
                "description": "A token cannot be changed. The list has an action that revokes it.",
            },
        ),
    )

    @admin.display(boolean=True, description="live")
    def is_live(self, token: AccessToken) -> bool:
        """Whether the token would be accepted now."""
        return token.refusal(timezone.now()) is None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let nobody guess what is not shown by filtering for it."""
        hidden = lookup.startswith(("digest", "fingerprint"))
        return not hidden and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Tokens are made by logging in, or by a command."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        """There is nothing to change in one; to revoke some is to change them."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: AccessToken | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Revoking keeps the record; `purge_tokens` deletes it later."""
        return False

    @admin.action(description="Revoke the selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        """End tokens for ever."""
        total = 0
        for batch in batches(queryset):
            with transaction.atomic():
                tokens = AccessToken.objects.filter(pk__in=batch)
                revoked = crud.revoke_tokens(access_tokens=tokens)
                log_changes(request, revoked, "Revoked.")
            total += len(revoked)
        self.message_user(request, f"Revoked {total} tokens.", messages.SUCCESS)
