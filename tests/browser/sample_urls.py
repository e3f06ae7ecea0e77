"""Addresses of the reference's example of `Security`, ported."""

from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import path

from tests.fastapi_docs.ported.reference import own_items

urlpatterns = [path("", own_items.app.urls), *staticfiles_urlpatterns()]
