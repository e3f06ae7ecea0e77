"""Addresses of the examples, at the root as in the original."""

from django.http import JsonResponse
from django.urls import path

from .main import app, plain

urlpatterns = [path("", app.urls), path("", plain.urls)]


def handler404(request, exception):
    return JsonResponse({"detail": "Not Found"}, status=404)
