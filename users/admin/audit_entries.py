"""Audit entries in the admin site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import BigIntegerField, CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, NullIf
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from users.admin.common import SearchedMixin, user_of
from users.models import AuditEntry, User


class EventFilter(admin.SimpleListFilter):
    """A filter by the events that there are, shown as words."""

    title = "event"
    parameter_name = "event"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """Return each event and its words."""
        events = AuditEntry.objects.order_by("event").values_list("event", flat=True).distinct()
        return [(event, _words(event)) for event in events]

    def queryset(self, _: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Return the entries of the chosen event, or all of them."""
        return queryset.filter(event=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(SearchedMixin):
    """Read-only records of actions on users, who may have been deleted since."""

    list_display = ("created_at", "what", "by", "whom")
    list_filter = (EventFilter, "created_at")
    search_fields = ("=actor_id", "=target_id", "actor_email", "target_email")
    search_help_text = "The id or the e-mail address of either user."
    readonly_fields = ("created_at", "what", "by", "whom")
    fieldsets = (
        (
            None,
            {
                "fields": readonly_fields,
                "description": "Audit entries can be neither changed nor deleted.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Add the present e-mail address of both users, for readers who may see users."""
        entries = super().get_queryset(request)
        if user_of(request).has_perm("users.view_user"):
            return entries.annotate(
                actor_email=_email_of("actor_id"), target_email=_email_of("target_id")
            )
        nothing = Value("", output_field=CharField())
        return entries.annotate(actor_email=nothing, target_email=nothing)

    @admin.display(description="event", ordering="event")
    def what(self, entry: AuditEntry) -> str:
        """Return the name of the event as words."""
        return _words(entry.event)

    @admin.display(description="by", ordering="actor_id")
    def by(self, entry: Any) -> str:
        """Return a link to the user who did it."""
        return _link(entry.actor_id, entry.actor_email)

    @admin.display(description="user", ordering="target_id")
    def whom(self, entry: Any) -> str:
        """Return a link to the user to whom it was done."""
        return _link(entry.target_id, entry.target_email)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Return False: only the site itself adds entries."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: AuditEntry | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Return False: an entry is a record of the past."""
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: AuditEntry | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Return False: an entry outlives the users in it."""
        return False


def _words(event: str) -> str:
    return event.replace("_", " ").capitalize()


def _email_of(field: str) -> Subquery:
    user_id = NullIf(OuterRef(field), Value(""))  # "" for a command, which no user gave here
    users = User.objects.filter(pk=Cast(user_id, BigIntegerField()))
    return Subquery(users.values("email"))


def _link(user_id: str, email: str | None) -> str:
    """Return a link to a user, or their id if they are gone or the reader may not see users."""
    if not user_id:
        return "a command"
    if email is None:
        return f"{user_id} (deleted)"
    if not email:
        return user_id
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:users_user_change", args=[user_id]), email
    )
