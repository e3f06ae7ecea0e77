"""Addresses: the first page, the API with its documentation, the admin site."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from project.api import api
from project.pages import home

admin.site.site_header = admin.site.site_title = settings.SITE_NAME
admin.site.index_title = "Users, groups and tokens"

urlpatterns = [
    path("", home, name="home"),
    # Browsers ask for it where a page names no icon, as the admin site's pages do.
    path("favicon.ico", RedirectView.as_view(url=static("project/icon.svg"))),
    path("api/", api.urls),
    path(settings.ADMIN_URL, admin.site.urls),
    *staticfiles_urlpatterns(),  # while developing, under servers that do not serve files
]
