"""The page that documents the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger

from users.scopes import SCOPES


def readers_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Show *view* to whom the setting ``API_DOCS`` says; others may log in."""
    for_staff = staff_member_required(view)

    @require_safe
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return (view if settings.API_DOCS == "open" else for_staff)(request, **kwargs)

    return guarded


class SessionSwagger(Swagger):
    """Swagger UI that works with a token of its dialog and with a browser session.

    It sends a CSRF token, so that a session is enough. Ninja's own page sends one only if
    the API has an ``auth=`` that asks for it, and cannot see dependables that do.
    """

    template = "project/docs.html"

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Return the page; the dialog has all scopes chosen that a user may be granted."""
        context = {
            "api": api,
            "swagger": {**self.settings, "url": self.get_openapi_url(api, kwargs)},
            "scopes": [name for name, scope in SCOPES.items() if not scope.superusers_only],
        }
        return render(request, self.template, context)
