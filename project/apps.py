"""The Django app: it brings the command ``up``."""

from __future__ import annotations

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The project itself."""

    name = "project"
