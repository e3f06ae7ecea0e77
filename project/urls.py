"""Addresses: the API, its documentation, the admin site."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from django.views.generic import RedirectView

from project.api import api


def not_found(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """Answer what no operation of the API is routed at, in the API's own format."""
    return JsonResponse({"detail": "Not Found"}, status=404)


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api:openapi-view"), name="home"),
    path("api/", api.urls),
    re_path(r"^api/", not_found),
    path(settings.ADMIN_URL, admin.site.urls),
    *staticfiles_urlpatterns(),  # while developing, under servers that do not serve files
]
