"""Addresses: the API, its documentation, the admin site."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import path
from django.views.generic import RedirectView

from project.api import api

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api:openapi-view"), name="home"),
    path("api/", api.urls),
    path(settings.ADMIN_URL, admin.site.urls),
    *staticfiles_urlpatterns(),  # while developing, under servers that do not serve files
]
