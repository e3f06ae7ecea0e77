"""The page that documents the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:;"  # Swagger UI's style sheet brings its icons along
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load and do: its own files, and requests to this site."""


def readers_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Show *view* to whom the setting ``API_DOCS`` says; others may log in."""
    for_staff = staff_member_required(view)

    @require_safe
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return (view if settings.API_DOCS == "open" else for_staff)(request, **kwargs)

    return guarded


class SessionSwagger(Swagger):
    """Swagger UI that sends a CSRF token, so that a browser session does for all it tries.

    Ninja's own sends one only if the API has an ``auth=`` that wants it, and does not know
    of dependables that do. The page may do nothing but that: what an attacker writes into
    it, by a flaw of Swagger UI's, cannot run, and no token gets away.
    """

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Return the page."""
        options = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        context = {"api": api, "swagger_settings": json.dumps(options), "add_csrf": True}
        response = render(request, self.template, context)
        response.headers["Content-Security-Policy"] = _POLICY
        return response
