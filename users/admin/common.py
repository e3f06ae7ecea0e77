"""Helpers that several pages of the admin site share."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from users import audit, sessions
from users.dependencies.login import log_in
from users.exceptions import BusyError, ThrottledError, UsersError, WrongCredentialsError
from users.models import User

_BATCH = 200
_LONGEST_SEARCH = 100


class SearchedMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages with a search, each word of which is a condition of the query."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find nothing by a text that is too long: databases refuse thousands of conditions."""
        if len(search_term) > _LONGEST_SEARCH:
            text = f"A search has at most {_LONGEST_SEARCH} characters."
            self.message_user(request, text, messages.WARNING, fail_silently=True)
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


class AuditedMixin(SearchedMixin):
    """Pages whose security events name the client, until the transaction has ended."""

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


def batches(rows: QuerySet[Any]) -> Iterator[set[int]]:
    """Yield the ids of *rows*, a few hundred at a time.

    Each is changed in a transaction of its own, because other writers wait for its end.
    """
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), _BATCH):
        yield set(ids[start : start + _BATCH])


def log_changes(request: HttpRequest, rows: Collection[Any], text: str) -> None:
    """Log the same change of *rows* of one model, in one query."""
    if rows:
        LogEntry.objects.log_actions(user_of(request).pk, rows, CHANGE, text)


def may_enter(request: HttpRequest) -> bool:
    """Answer in place of `AdminSite.has_permission`, and end the session of new staff sooner."""
    user = request.user
    if not (isinstance(user, User) and user.is_active and user.is_staff):
        return False
    sessions.shorten(request, user)
    return True


def user_of(request: HttpRequest) -> User:
    """Return the user who has logged in to the admin site."""
    return cast("User", request.user)


@contextmanager
def obeying_rules() -> Iterator[None]:
    """Answer 403, and undo everything, where somebody else's change was a moment faster."""
    try:
        yield
    except UsersError as error:
        raise PermissionDenied(str(error)) from error


def log_in_or_explain(
    request: HttpRequest, email: str, password: str, *, wrong: ValidationError
) -> User:
    """Return the user with these credentials, or raise an error that a form can show.

    Raises:
        ValidationError: *wrong* if there is no such user; another if the attempt was not made.
    """
    try:
        with audit.caused_by(request):
            return log_in(request, email, password)
    except WrongCredentialsError:
        raise wrong from None
    except (ThrottledError, BusyError) as error:
        raise ValidationError(f"{error}.", code="throttled") from None


def record_password(request: HttpRequest, whom: int) -> None:
    """Record that the user of *request* set the password of the user *whom*."""
    with audit.caused_by(request):
        audit.record("password_changed", user=user_of(request).pk, whom=whom)
