"""Users and their tokens in the admin site."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.forms import AdminPasswordChangeForm as AdminOwnPasswordChangeForm
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.contrib.auth.models import Group
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseForm, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from di.sessions import Session
from users import audit, crud, hashing
from users.dependencies.login import log_in
from users.exceptions import BusyError, ThrottledError, UsersError, WrongCredentialsError
from users.models import AccessToken, AuditEntry, User

_PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


class LoginForm(AdminAuthenticationForm):
    """Logging in to this site: as often, and as slowly, as everywhere else."""

    def clean(self) -> dict[str, Any]:
        """Look for the user."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not email or not password:
            return self.cleaned_data
        request = cast("HttpRequest", self.request)
        user = _log_in(request, email, password, wrong=self.get_invalid_login_error())
        self.confirm_login_allowed(user)
        self.user_cache = user
        return self.cleaned_data


class HashingMixin(BaseForm):
    """A form that hashes the password while it is validated: in a slot, or not at all."""

    error_field = "password1"  # the pages have no place for errors of the whole form

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
        _log_in(self.request, self.user.get_username(), password, wrong=wrong)
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
        _record_password(self.request, _user_of(self.request).pk)
        return response


def change_own_password(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponseBase:
    """Answer in place of `AdminSite.password_change`, whose form cannot be chosen."""
    context = {**admin.site.each_context(request), **(extra_context or {})}
    done = reverse("admin:password_change_done", current_app=admin.site.name)
    return OwnPasswordView.as_view(success_url=done, extra_context=context)(request)


admin.site.login_form = LoginForm
admin.site.password_change = change_own_password  # type: ignore[assignment, method-assign]


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


class AuditedMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages whose events say where they come from, up to the end of their transaction."""

    # All rows of a page, chosen for an action, must not be more fields than one form may have.
    list_per_page = list_max_show_all = 50

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Add one row."""
        with audit.caused_by(request):
            return super().add_view(request, *args, **kwargs)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Change one row."""
        with audit.caused_by(request):
            return super().change_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """List rows, or do something to some."""
        with audit.caused_by(request):
            return super().changelist_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Delete one row."""
        with audit.caused_by(request):
            return super().delete_view(request, *args, **kwargs)


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
        if not _user_of(request).is_superuser:
            fields.update(_PRIVILEGES)
        if obj == request.user:
            fields.update(("is_active", "is_staff", "is_superuser"))
        return sorted(fields)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Offer no way to a new password to whoever may not set it."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        (title, options), *others = self.fieldsets
        fields = tuple(name for name in options["fields"] if name != "password")
        return [(title, {**options, "fields": fields}), *others]

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
        by = _user_of(request)
        if not change:
            super().save_model(request, obj, form, change)
            crud.note("user_created", user=obj, by=by)
            return
        changed = {field: form.cleaned_data[field] for field in form.changed_data}
        with _obeying_rules():
            crud.lock_to_change(
                session=Session(), user_id=obj.pk, changes=changed, by=by, is_admin=by.is_superuser
            )
        crud.note_changes(user=obj, by=by, before=form.initial, changed=changed)
        own = {field.name for field in User._meta.concrete_fields}  # noqa: SLF001 - the same
        obj.save(update_fields=own & set(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete the user by the rules of the API, and note who did."""
        by = _user_of(request)
        with _obeying_rules():
            crud.delete_user(session=Session(), user_id=obj.pk, by=by, is_admin=by.is_superuser)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002 - Django's signature
        """Set a password, or take it away."""
        response = super().user_change_password(request, id, form_url)
        if response.status_code == HTTPStatus.FOUND:
            _record_password(request, int(id))
        return response

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk: it would pass by the rule for superusers."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Deactivate the selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Lock users out, oneself and superusers (for others than superusers) excepted."""
        self._set_active(request, queryset.exclude(pk=_user_of(request).pk), is_active=False)

    @admin.action(description="Activate the selected users", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let users in again; they need new tokens."""
        self._set_active(request, queryset, is_active=True)

    def _set_active(
        self, request: HttpRequest, queryset: QuerySet[User], *, is_active: bool
    ) -> None:
        done, by = "Activated" if is_active else "Deactivated", _user_of(request)
        with transaction.atomic(), _obeying_rules():
            changed = crud.set_active(
                session=Session(),
                user_ids=set(queryset.values_list("pk", flat=True)),
                is_active=is_active,
                by=by,
                is_admin=by.is_superuser,
            )
            for user in changed:
                self.log_change(request, user, f"{done}.")
        self.message_user(request, f"{done} {len(changed)} users.", messages.SUCCESS)


@admin.register(AccessToken)
class AccessTokenAdmin(AuditedMixin):
    """Tokens: to be looked at and revoked; only their public part is shown."""

    list_display = ("key", "user", "is_live", "scope", "label", "created_at", "last_used_at")
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
        with transaction.atomic():
            revoked = crud.revoke_tokens(access_tokens=queryset)
            for token in revoked:
                self.log_change(request, token, "Revoked.")
        self.message_user(request, f"Revoked {len(revoked)} tokens.", messages.SUCCESS)


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


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(AuditedMixin, DjangoGroupAdmin):
    """Groups: who may change one could give themselves whatever they like by it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leave it to superusers."""
        return _user_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002 - Django's signature
        """Leave it to superusers."""
        return _user_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002 - Django's signature
        """Leave it to superusers."""
        return _user_of(request).is_superuser

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Write what members may do, and note it."""
        super().save_related(request, form, formsets, change)
        if "permissions" in form.changed_data:
            before, after = form.initial.get("permissions", ()), form.cleaned_data["permissions"]
            by = _user_of(request)
            crud.note_group(group=form.instance, by=by, before=before, after=after)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Note what members may not do any more; one group or many are about to be deleted."""
        by = _user_of(request)
        for group in queryset:
            crud.note_group(group=group, by=by, before=group.permissions.all(), after=())
        return super().log_deletions(request, queryset)


def _user_of(request: HttpRequest) -> User:
    return cast("User", request.user)


def _may_touch(request: HttpRequest, obj: User | None) -> bool:
    return obj is None or not obj.is_superuser or _user_of(request).is_superuser


@contextmanager
def _obeying_rules() -> Iterator[None]:
    """Answer 403, and undo everything, where somebody else's change was a moment faster."""
    try:
        yield
    except UsersError as error:
        raise PermissionDenied(str(error)) from error


def _log_in(request: HttpRequest, email: str, password: str, *, wrong: ValidationError) -> User:
    """Return the user with these credentials; in their place, a form shows an error.

    Raises:
        ValidationError: *wrong* if there is no such user; another if it was not looked.
    """
    try:
        with audit.caused_by(request):
            return log_in(request, email, password)
    except WrongCredentialsError:
        raise wrong from None
    except (ThrottledError, BusyError) as error:
        raise ValidationError(f"{error}.", code="throttled") from None


def _record_password(request: HttpRequest, whom: int) -> None:
    with audit.caused_by(request):
        audit.record("password_changed", user=_user_of(request).pk, whom=whom)
