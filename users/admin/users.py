"""Users in the admin site."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from di.sessions import Session
from users import crud
from users.admin.common import (
    AuditedMixin,
    batches,
    log_changes,
    obeying_rules,
    record_password,
    user_of,
)
from users.admin.passwords import PasswordForm
from users.admin.user_forms import UserChange, UserCreation
from users.models import AccessToken, User

_PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")
_PROTECTED = "Only a superuser may change a superuser."
_NO_PRIVILEGES = (
    "Only a superuser may change staff status, superuser status, groups and user permissions."
)
_ONESELF = (
    "Your own active, staff and superuser status are for another superuser to change,"
    " so that you cannot lock yourself out."
)


@admin.register(User)
class UserAdmin(AuditedMixin, DjangoUserAdmin):  # type: ignore[type-arg]
    """Users: found by name or address, added with a password, deactivated, re-activated."""

    form = UserChange
    add_form = UserCreation
    change_password_form = PasswordForm
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("email", "name")
    ordering = ("id",)
    actions = ("activate", "deactivate", "end_access")
    readonly_fields = ("last_login", "date_joined")
    show_full_result_count = False  # it would count a million users for each search
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (
            "Permissions",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "name", "usable_password", "password1", "password2"),
            },
        ),
    )

    @method_decorator(sensitive_post_parameters())
    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Add a user, whose password is hashed before Django begins a transaction."""
        form = None
        may_add = self.has_add_permission(request) and self.has_change_permission(request)
        if request.method == "POST" and may_add:
            form = self.get_form(request)(request.POST)
            form.full_clean()
        token = UserCreation.before.set(form)
        try:
            return super().add_view(request, *args, **kwargs)
        finally:
            UserCreation.before.reset(token)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Let only superusers hand out privileges, and nobody lock themselves out."""
        fields = set(super().get_readonly_fields(request, obj))
        if not user_of(request).is_superuser:
            fields.update(_PRIVILEGES)
        if obj == request.user:
            fields.update(("is_active", "is_staff", "is_superuser"))
        return sorted(fields)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Say why a field is read-only, and hide the password from readers who may not set it."""
        if obj is None:
            return super().get_fieldsets(request, obj)
        (_, personal), (_, permissions), (_, dates) = self.fieldsets
        may_change = self.has_change_permission(request, obj)
        hidden = () if may_change else ("password",)
        shown = tuple(name for name in personal["fields"] if name not in hidden)
        protected = not _may_touch(request, obj)
        return [
            (None, {"fields": shown, "description": _PROTECTED if protected else ""}),
            (
                "Permissions",
                {**permissions, "description": _why_read_only(user_of(request), obj)},
            ),
            ("Dates", {**dates, "description": "The site writes these dates itself."}),
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only superusers change a superuser."""
        return _may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only superusers delete a superuser, and nobody themselves."""
        allowed = _may_touch(request, obj) and super().has_delete_permission(request, obj)
        return allowed and obj != request.user

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Let a user's tokens go with the user, though nobody may delete them alone."""
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, lacking - {AccessToken._meta.verbose_name}, protected  # noqa: SLF001 - Django's documented name

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Write what was changed and nothing else: the rest may be out of date."""
        by = user_of(request)
        if not change:
            super().save_model(request, obj, form, change)
            crud.note("user_created", user=obj, by=by)
            return
        changed = {field: form.cleaned_data[field] for field in form.changed_data}
        with obeying_rules():
            crud.lock_to_change(
                session=Session(), user_id=obj.pk, changes=changed, by=by, is_admin=by.is_superuser
            )
        crud.note_changes(user=obj, by=by, before=form.initial, changed=changed)
        own = {field.name for field in User._meta.concrete_fields}  # noqa: SLF001 - the same
        obj.save(update_fields=own & set(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete the user by the rules of the API, and note who did."""
        by = user_of(request)
        with obeying_rules():
            crud.delete_user(session=Session(), user_id=obj.pk, by=by, is_admin=by.is_superuser)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002 - Django's signature
        """Set a password, or take it away; one's own on the page that asks for the old one."""
        if self.get_object(request, unquote(id)) == request.user:
            return redirect("admin:password_change")
        response = super().user_change_password(request, id, form_url)
        if response.status_code == HTTPStatus.FOUND:
            record_password(request, int(id))
        return response

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk: it would pass by the rule for superusers."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Deactivate the selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Lock users out, oneself and superusers (for others than superusers) excepted."""
        self._set_active(request, queryset.exclude(pk=user_of(request).pk), is_active=False)

    @admin.action(description="Activate the selected users", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let users in again; they need new tokens."""
        self._set_active(request, queryset, is_active=True)

    @admin.action(
        description="End all sessions and tokens of the selected users", permissions=["change"]
    )
    def end_access(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Log users out everywhere; others than superusers cannot do that to superusers."""
        by = user_of(request)
        users = queryset if by.is_superuser else queryset.filter(is_superuser=False)
        ids = list(users.values_list("pk", flat=True))
        for user_id in ids:  # a transaction each, so that nobody waits for a long one
            with transaction.atomic(), obeying_rules():
                user = crud.end_access(
                    session=Session(), user_id=user_id, by=by, is_admin=by.is_superuser
                )
                self.log_change(request, user, "Ended all sessions and tokens.")
        text = f"Ended all sessions and tokens of {len(ids)} users."
        self.message_user(request, text, messages.SUCCESS)

    def _set_active(
        self, request: HttpRequest, queryset: QuerySet[User], *, is_active: bool
    ) -> None:
        done, by = "Activated" if is_active else "Deactivated", user_of(request)
        total = 0
        for batch in batches(queryset):
            with transaction.atomic(), obeying_rules():
                changed = crud.set_active(
                    session=Session(),
                    user_ids=batch,
                    is_active=is_active,
                    by=by,
                    is_admin=by.is_superuser,
                )
                log_changes(request, changed, f"{done}.")
            total += len(changed)
        self.message_user(request, f"{done} {total} users.", messages.SUCCESS)


def _may_touch(request: HttpRequest, obj: User | None) -> bool:
    return obj is None or not obj.is_superuser or user_of(request).is_superuser


def _why_read_only(reader: User, user: User) -> str:
    """Return the reasons why *reader* cannot change each permission of *user*."""
    reasons = []
    if not reader.is_superuser:
        reasons.append(_NO_PRIVILEGES)
    if reader == user:
        reasons.append(_ONESELF)
    return " ".join(reasons)
