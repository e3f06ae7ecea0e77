"""The Django app: it brings the command ``up``, and ends the ids of requests with them."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished

from project.middleware import forget_identity


class ProjectConfig(AppConfig):
    """The project itself."""

    name = "project"

    def ready(self) -> None:
        """Listen for the ends of requests, after all others that close something then.

        Only a thread of a WSGI server keeps the id, because an ASGI request has a context of
        its own.
        """
        request_finished.connect(forget_identity, sender=WSGIHandler)
