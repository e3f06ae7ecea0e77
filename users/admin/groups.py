"""Groups in the admin site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from users import crud
from users.admin.common import AuditedMixin, user_of

_LEFT_TO_SUPERUSERS = (
    "Only a superuser may change a group, because members gain the permissions of their group."
)

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(AuditedMixin, DjangoGroupAdmin):
    """Groups: who may change one could give themselves whatever they like by it."""

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Say why a reader who is no superuser cannot change the group."""
        ((title, options),) = super().get_fieldsets(request, obj)
        reason = "" if user_of(request).is_superuser else _LEFT_TO_SUPERUSERS
        return [(title, {**options, "description": reason})]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leave it to superusers."""
        return user_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002 - Django's signature
        """Leave it to superusers."""
        return user_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002 - Django's signature
        """Leave it to superusers."""
        return user_of(request).is_superuser

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Write what members may do, and note it."""
        super().save_related(request, form, formsets, change)
        if "permissions" in form.changed_data:
            before, after = form.initial.get("permissions", ()), form.cleaned_data["permissions"]
            by = user_of(request)
            crud.note_group(group=form.instance, by=by, before=before, after=after)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Note what members may not do any more; one group or many are about to be deleted."""
        by = user_of(request)
        for group in queryset:
            crud.note_group(group=group, by=by, before=group.permissions.all(), after=())
        return super().log_deletions(request, queryset)
