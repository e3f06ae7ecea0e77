"""The Django app: it brings the command ``up``, and ends the ids of requests with them."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import request_finished

from project.middleware import forget_identity


class ProjectConfig(AppConfig):
    """The project itself."""

    name = "project"

    def ready(self) -> None:
        """Listen for the ends of requests, after all that has something to close then."""
        request_finished.connect(forget_identity)
