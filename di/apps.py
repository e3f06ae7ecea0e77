"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class DiConfig(AppConfig):
    """Dependency injection for Django Ninja."""

    name = "di"
    verbose_name = "Dependency injection"

    def ready(self) -> None:
        """Register the system checks, and what Ninja has no hook for."""
        # Not at the top: they import Ninja, which needs the settings.
        from di import checks as own  # noqa: PLC0415
        from di.plain import check_every_guard, check_every_view, send_every_header  # noqa: PLC0415

        check_every_guard()
        check_every_view()
        send_every_header()
        checks.register(own.check_atomic_requests, "di")
        checks.register(own.check_bridges, "di")
        checks.register(own.check_hidden, "di")
        checks.register(own.check_held, "di")
        checks.register(own.check_injected, "di")
        checks.register(own.check_mappings, "di")
        checks.register(own.check_paths, "di")
