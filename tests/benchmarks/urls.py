"""Addresses of the servers that are measured: the routes of FastAPI's sample, hosted here."""

from django.urls import path

from tests.benchmarks import served

urlpatterns = [path("", served.api.urls)]
