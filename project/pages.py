"""The first page of the site."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the page."""

    name: str
    url: str
    text: str


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show where the documentation, the admin site and the source are."""
    links = [
        Link(
            "API documentation",
            reverse("api:openapi-view"),
            "Read about each operation, log in and try it.",
        ),
        Link("Admin site", reverse("admin:index"), "Look after users, groups and tokens."),
        Link(
            "OpenAPI document",
            reverse("api:openapi-json"),
            "The same documentation, for programs.",
        ),
    ]
    if settings.SOURCE_URL:
        links.append(Link("Source", settings.SOURCE_URL, "The code, its README and its tests."))
    context = {"site_name": settings.SITE_NAME, "links": links}
    return render(request, "project/home.html", context)
