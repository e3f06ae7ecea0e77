"""Draw what operations depend on, or print the functions that resolve it."""

from __future__ import annotations

import json
import linecache
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from di.drawing import as_data, draw_dot, draw_mermaid, draw_text
from di.graph import Dependant
from di.rendering import name_of
from di.routes import Route, all_routes
from di.signature import InjectedSignature

_FORMATS: dict[str, Callable[[Dependant], str]] = {
    "text": draw_text,
    "mermaid": draw_mermaid,
    "dot": draw_dot,
    "json": lambda root: json.dumps(as_data(root)),
}


class Command(BaseCommand):
    """Draw what operations depend on."""

    help = "Draw what the site's operations depend on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument(
            "operation",
            nargs="?",
            default="",
            help='a part of "METHOD /path" or of the view\'s name; all operations if left out',
        )
        parser.add_argument("--format", choices=_FORMATS, default="text")
        parser.add_argument(
            "--code", action="store_true", help="print the function that resolves it instead"
        )

    def handle(self, *_: Any, operation: str, format: str, code: bool, **__: Any) -> None:  # noqa: A002 - the option's name
        """Print each operation that has dependencies.

        Raises:
            CommandError: there is none like that.
        """
        found = [
            (route, route.operation.signature)
            for route in all_routes()
            if isinstance(route.operation.signature, InjectedSignature)
            and operation in _title(route)
        ]
        if not found:
            what = f" like {operation!r}" if operation else ""
            raise CommandError(f"The site has no injected operation{what}.")
        for route, signature in found:
            compiled = signature.compiled
            if format == "text" or code:
                self.stdout.write(self.style.MIGRATE_HEADING(_title(route)))
            if code:
                filename = compiled.resolve.__code__.co_filename
                self.stdout.write("".join(linecache.getlines(filename)))
            else:
                self.stdout.write(_FORMATS[format](compiled.root) + "\n")


def _title(route: Route) -> str:
    return f"{route} {name_of(route.operation.signature.view_func)}"
