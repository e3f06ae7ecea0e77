"""Draw what operations depend on, or print the functions that resolve it."""

from __future__ import annotations

import difflib
import inspect
import json
import linecache
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from di.drawing import Drawing, Input, as_data, draw_dot, draw_mermaid, draw_text
from di.inputs import Inputs
from di.rendering import name_of, written_type
from di.routes import Route, all_routes
from di.security.base import find_scheme
from di.signature import Compiled, InjectedSignature

_DOCUMENTS: dict[str, Callable[[Sequence[Drawing]], str]] = {
    "mermaid": draw_mermaid,
    "dot": draw_dot,
    "json": lambda drawings: json.dumps(as_data(drawings), indent=2),
}
"""The formats that hold all operations in one document."""


class Command(BaseCommand):
    """Draw what operations depend on."""

    help = "Draw what the site's operations depend on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument(
            "operation",
            nargs="?",
            default="",
            help=(
                "the name of a view (read_me, users.api.read_me), a module of views (users.api),"
                ' or a path with or without its method ("GET /api/users/me"); a path that no'
                " operation has stands for all below it; all operations if left out"
            ),
        )
        parser.add_argument("--format", choices=("text", *_DOCUMENTS), default="text")
        parser.add_argument(
            "--code", action="store_true", help="print the function that resolves it instead"
        )

    def handle(self, *_: Any, operation: str, format: str, code: bool, **__: Any) -> None:  # noqa: A002 - the option's name
        """Print each operation that has dependencies.

        Raises:
            CommandError: there is no such operation; the message has names that are similar.
        """
        routes = [
            route
            for route in all_routes()
            if isinstance(route.operation.signature, InjectedSignature)
        ]
        found = [route for route in routes if _is_called(route, operation)]
        if not found:
            raise CommandError(_unknown(operation, routes))
        wanted = _as_template(operation.rpartition(" ")[2])
        found = [route for route in found if _template_of(route) == wanted] or found
        drawings = [_drawing_of(route) for route in found]
        if format != "text" and not code:
            self.stdout.write(_DOCUMENTS[format](drawings))
            return
        for route, drawing in zip(found, drawings, strict=True):
            self.stdout.write(self.style.MIGRATE_HEADING(drawing.title))
            self.stdout.write((_code_of(route) if code else draw_text(drawing)) + "\n")


def _is_called(route: Route, text: str) -> bool:
    """Return True if *text* names *route* or a whole part of its path or of its view's name."""
    methods, _, path = text.rpartition(" ")
    if path.startswith("/"):
        wanted, known = _as_template(path).rstrip("/"), _template_of(route)
        has_method = not methods or methods.upper() in route.operation.methods
        return has_method and f"{known.rstrip('/')}/".startswith(f"{wanted}/")
    return not text or f".{text}." in f".{_view_name(route)}."


def _unknown(text: str, routes: Sequence[Route]) -> str:
    if not routes:
        return "The site has no injected operation."
    known = {
        name for route in routes for name in _names_of(route) if ("/" in name) == ("/" in text)
    }
    similar = difflib.get_close_matches(text, sorted(known), n=3)
    hint = f"Did you mean {', or '.join(similar)}?" if similar else "Leave it out to see all."
    return f"The site has no injected operation called {text!r}. {hint}"


def _names_of(route: Route) -> Iterator[str]:
    name, path = _view_name(route), _template_of(route)
    yield from (name, name.rpartition(".")[2], path)
    yield from (f"{method} {path}" for method in route.operation.methods)


def _drawing_of(route: Route) -> Drawing:
    compiled = _compiled(route)
    steps = (*compiled.plan.steps, compiled.plan.view)
    security: dict[str, list[str]] = {}
    for step in compiled.plan.steps:
        if scheme := find_scheme(step.dependable.call):
            scopes = security.setdefault(scheme.scheme_name, [])
            scopes += [scope for scope in step.oauth_scopes if scope not in scopes]
    return Drawing(
        methods=route.operation.methods,
        path=_template_of(route),
        root=compiled.root,
        inputs={
            step.dependable: [*_inputs_of(reader)]
            for step, reader in zip(steps, compiled.readers, strict=True)
        },
        security=security,
    )


def _inputs_of(reader: Inputs) -> Iterator[Input]:
    for param in reader.params:
        yield Input(
            name=param.alias,
            source=type(param.source).__name__.removeprefix("_MultiPart").lower(),
            type=written_type(param.annotation),
            is_required=param.source.is_required(),
        )


def _code_of(route: Route) -> str:
    filename = inspect.unwrap(_compiled(route).resolve).__code__.co_filename
    return "".join(linecache.getlines(filename))


def _compiled(route: Route) -> Compiled:
    return cast("InjectedSignature", route.operation.signature).compiled


def _view_name(route: Route) -> str:
    return name_of(route.operation.signature.view_func)


def _template_of(route: Route) -> str:
    """Return the path of *route* as OpenAPI writes it."""
    return _as_template(route.path)


def _as_template(path: str) -> str:
    return re.sub(r"[<{](?:[^>:}]*:)?([^>}]*)[>}]", r"{\1}", path)
