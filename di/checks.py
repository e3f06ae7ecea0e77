"""What is suspicious, or set up so that promises cannot be kept: system checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name
from ninja.signature import ViewSignature

from di.declared import markers_of
from di.graph import ways_from
from di.hiding import hidden_routes
from di.inputs import not_in_path
from di.rendering import describe, draw_path
from di.routes import all_routes
from di.signature import InjectedSignature, known_signatures
from di.unfilled import findings_of, guess_of


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
        for route in all_routes()
        if not isinstance(route.operation.signature, InjectedSignature)
        for view in [route.operation.signature.view_func]
        for _, marker in markers_of(view)
    ]


def check_held(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Point out code that holds a dependable, and calls it out of sight."""
    hints = {
        guess_of(call, finding): finding.hint
        for route in all_routes()
        for call, is_view in _called(route.operation.signature)
        for finding in findings_of(call, is_view=is_view)
        if not finding.is_certain
    }
    return [Error(text, hint=hint, id="di.E203") for text, hint in hints.items()]


def _called(signature: ViewSignature) -> Iterator[tuple[Callable[..., Any], bool]]:
    """Yield the view and its dependables, and whether each is the view."""
    yield signature.view_func, True
    if isinstance(signature, InjectedSignature):
        _, *dependables = ways_from(signature.compiled.root)
        yield from ((dependable.call, False) for dependable in dependables)


def check_paths(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Refuse parameters that are read from the path where no path holds them.

    Only here it is known what the site's own URLs put before those of an API.
    """
    errors = [
        not_in_path(name, route.names, inputs.way)
        for route in all_routes()
        if isinstance(route.operation.signature, InjectedSignature)
        for inputs in route.operation.signature.compiled.readers
        for name in inputs.needed_in_path()
        if name not in route.names
    ]
    return [
        Error(f"{error.problem}\n\n{draw_path(error.path)}\n", hint=error.hint, id=error.check_id)
        for error in errors
    ]


def check_mappings(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Point out mappings with a default that no request can replace."""
    found = {
        (way[-1][1], name): Warning(
            f"Ninja reads {name!r} from the {source}, which cannot hold a mapping, so it always"
            f" has its default.\n\n{draw_path(way)}\n",
            hint=hint,
            id="di.W003",
        )
        for route in all_routes()
        if isinstance(route.operation.signature, InjectedSignature)
        for inputs in route.operation.signature.compiled.readers
        for way in [inputs.way]
        for name, source, hint in inputs.never_filled()
    }
    return list(found.values())


def check_bridges(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Point out sync views that wait for async dependables."""
    all_routes()  # signatures are known once the URLs were imported
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


def check_hidden(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Point out operations whose requests another view gets."""
    return [
        Warning(
            f"{hidden.route} {describe(hidden.route.operation.signature.view_func)}"
            f" {_HIDDEN[hidden.is_whole, hidden.is_refused]}, such as {hidden.url}:"
            f" Django asks {hidden.by} first.",
            hint=_APART if hidden.is_refused else _ORDER,
            id="di.W002",
        )
        for hidden in hidden_routes()
    ]


_HIDDEN = {
    (True, True): "answers 405 for all of its paths",
    (False, True): "answers 405 for some of its paths",
    (True, False): "gets no request for any of its paths",
}
"""What happens to an operation, by whether it is hidden as a whole and by whether its method
is refused."""

_APART = (
    "Declare both operations on one router and with one path, the placeholders included, or"
    " give one of them another path."
)

_ORDER = "Declare it before the other one, or give one of them another path."


def _bridged(signature: InjectedSignature) -> Iterable[str]:
    if signature.is_async:
        return
    for step in signature.compiled.plan.steps:
        if step.dependable.kind.is_async and step.own_plan is None:
            yield describe(step.dependable.call)
