"""What is suspicious, or set up so that promises cannot be kept: system checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name
from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import Operation, PathView

from di.inputs import not_in_path
from di.refusal import markers_of
from di.rendering import describe, draw_path
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


def check_injected(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Refuse views whose dependencies nothing resolves.

    They are refused when they are registered; but some may have been before `di` was ready.
    """
    return [
        Error(
            f"The view {describe(view)} declares {marker!r}, but nothing would ever call it.",
            hint="Put @inject from di directly above the view, below its route decorator.",
            id="di.E202",
        )
        for operation, _ in _operations(_patterns(), frozenset())
        if not isinstance(operation.signature, InjectedSignature)
        for view in [operation.signature.view_func]
        for _, marker in markers_of(view)
    ]


def check_paths(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Refuse parameters that are read from the path where no path holds them.

    Only here it is known what the site's own URLs put before those of an API.
    """
    errors = [
        not_in_path(name, names, inputs.way)
        for operation, names in _operations(_patterns(), frozenset())
        if isinstance(operation.signature, InjectedSignature)
        for inputs in operation.signature.compiled.readers
        for name in inputs.needed_in_path()
        if name not in names
    ]
    return [
        Error(f"{error.problem}\n\n{draw_path(error.path)}\n", hint=error.hint, id=error.check_id)
        for error in errors
    ]


def check_bridges(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Point out sync views that wait for async dependables."""
    _patterns()  # routes are known once the URLs were imported
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


def _patterns() -> list[URLPattern | URLResolver]:
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    return list(get_resolver().url_patterns)


def _operations(
    patterns: Iterable[URLPattern | URLResolver], names: frozenset[str]
) -> Iterator[tuple[Operation, frozenset[str]]]:
    """Yield the operations of Ninja's APIs, each with the names in its whole path."""
    for pattern in patterns:
        here = names | pattern.pattern.regex.groupindex.keys()
        if isinstance(pattern, URLResolver):
            below = here | pattern.default_kwargs.keys()
            yield from _operations(pattern.url_patterns, below)
            continue
        # What Ninja routes to is a function round its PathView.
        cells = getattr(pattern.callback, "__closure__", None) or ()
        for path_view in (cell.cell_contents for cell in cells):
            if isinstance(path_view, PathView):
                for operation in path_view.operations:
                    yield operation, here


def _bridged(signature: InjectedSignature) -> Iterable[str]:
    if signature.is_async:
        return
    for step in signature.compiled.plan.steps:
        if step.dependable.kind.is_async and step.own_plan is None:
            yield describe(step.dependable.call)
