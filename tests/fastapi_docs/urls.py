"""Addresses of the examples, at the root as in the original, and of their twins."""

from django.http import JsonResponse
from django.urls import path

from . import api, twin_api

urlpatterns = [
    path("", api.app.urls),
    path("", api.plain.urls),
    path("twin/", twin_api.app.urls),
    path("twin/", twin_api.plain.urls),
]


def handler404(request, exception):
    return JsonResponse({"detail": "Not Found"}, status=404)
