"""What is suspicious, or set up so that promises cannot be kept: system checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name
from django.urls import get_resolver

from di.rendering import describe
from di.signature import InjectedSignature, known_signatures


def check_atomic_requests(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Refuse ATOMIC_REQUESTS: it commits error answers of a Ninja API."""
    return [
        Error(
            f"ATOMIC_REQUESTS is on for the database {alias!r}.",
            hint=(
                "Turn it off and depend on a Session: Ninja answers an exception inside the"
                " transaction that ATOMIC_REQUESTS opened, which is then committed."
            ),
            id="di.E201",
        )
        for alias, database in settings.DATABASES.items()
        if database.get("ATOMIC_REQUESTS")
    ]


def check_bridges(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Point out sync views that wait for async dependables."""
    if getattr(settings, "ROOT_URLCONF", None):
        get_resolver().url_patterns  # noqa: B018 - routes are known once the URLs were imported
    views = {signature.view_func: signature for signature in known_signatures}
    found = [
        Warning(
            f"The sync view {describe(view)} depends on async code: {', '.join(names)}.",
            hint=(
                "Each costs a trip to an event loop in another thread. Make the view async,"
                " or the dependable sync."
            ),
            id="di.W001",
        )
        for view, signature in views.items()
        if (names := list(_bridged(signature)))
    ]
    return sorted(found, key=lambda warning: str(warning.msg))


def _bridged(signature: InjectedSignature) -> Iterable[str]:
    if signature.is_async:
        return
    for step in signature.compiled.plan.steps:
        if step.dependable.kind.is_async:
            yield describe(step.dependable.call)
