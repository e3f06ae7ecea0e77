"""Addresses of the servers that are measured: the routes of the ported user CRUD."""

from django.urls import path

from tests.benchmarks import served

urlpatterns = [path("", served.api.urls)]
