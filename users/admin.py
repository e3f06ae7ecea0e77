"""Users and their tokens in the admin site."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from users import crud
from users.models import AccessToken, User

_PRIVILEGES = ("is_superuser", "groups", "user_permissions", "last_login")


class UserCreation(AdminUserCreationForm):  # type: ignore[type-arg]
    """A new user: address, name, and a password or none."""

    class Meta:
        """Django's own names a user by `username`."""

        model = User
        fields = ("email", "name")
        field_classes: ClassVar[dict[str, Any]] = {}


class UserChange(UserChangeForm):  # type: ignore[type-arg]
    """A user that is there."""

    class Meta:
        """Django's own names a user by `username`."""

        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, Any]] = {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Users: found by name or address, added with a password, deactivated, re-activated."""

    form = UserChange
    add_form = UserCreation
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("email", "name")
    ordering = ("id",)
    actions = ("activate", "deactivate")
    readonly_fields = ("last_login", "date_joined")
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

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Let only superusers hand out privileges."""
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, "is_staff", *_PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only superusers change a superuser."""
        return _may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only superusers delete a superuser."""
        return _may_touch(request, obj) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Write *obj*; who is deactivated loses their tokens for ever."""
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            crud.revoke_tokens(users=User.objects.filter(pk=obj.pk))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk: it would pass by the rule for superusers."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Deactivate the selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Lock users out, oneself and superusers (for others than superusers) excepted."""
        users = _touchable(request, queryset).exclude(pk=str(request.user.pk))
        crud.revoke_tokens(users=users)
        number = users.filter(is_active=True).update(is_active=False)
        self.message_user(request, f"Deactivated {number} users.", messages.SUCCESS)

    @admin.action(description="Activate the selected users", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let users in again; they need new tokens."""
        users = _touchable(request, queryset).filter(is_active=False)
        self.message_user(
            request, f"Activated {users.update(is_active=True)} users.", messages.SUCCESS
        )


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens: to be looked at and revoked; only their public part is shown."""

    list_display = ("key", "user", "label", "scope", "created_at", "last_used_at", "is_live")
    list_filter = ("created_at", "expires_at")
    search_fields = ("key", "user__email", "label")
    list_select_related = ("user",)
    actions = ("revoke",)
    fields = (
        *("key", "user", "label", "scope"),
        *("created_at", "last_used_at", "expires_at", "revoked_at"),
    )
    readonly_fields = fields

    @admin.display(boolean=True, description="live")
    def is_live(self, token: AccessToken) -> bool:
        """Whether the token would be accepted now."""
        return token.refusal(timezone.now()) is None

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Tokens are made by logging in, or by a command."""
        return False

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
        number = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"Revoked {number} tokens.", messages.SUCCESS)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _may_touch(request: HttpRequest, obj: User | None) -> bool:
    return obj is None or not obj.is_superuser or _is_superuser(request)


def _touchable(request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
    return queryset if _is_superuser(request) else queryset.exclude(is_superuser=True)
