"""How a callable and a path through the graph look in an error."""

from __future__ import annotations

import functools
import inspect
import pathlib
import typing
from collections.abc import Callable, Sequence
from typing import Any

Path = Sequence[tuple[str | None, Callable[..., Any]]]


def name_of(call: object) -> str:
    """Return the dotted name of *call*, as its author would write it.

    >>> name_of(functools.partial(max))
    'partial(builtins.max)'
    """
    call = getattr(call, "__di_original__", call)
    if isinstance(call, functools.partial):
        return f"partial({name_of(call.func)})"
    if typing.get_origin(call) or not callable(call):
        return repr(call)
    named = call if hasattr(call, "__qualname__") else type(call)
    name = f"{named.__module__}.{named.__qualname__}"
    return name if named is call else f"an instance of {name}"


def place_of(call: object) -> str:
    """Return ``file:line`` of where *call* is written, or "" if it is not Python."""
    call = getattr(call, "__di_original__", call)
    while isinstance(call, functools.partial):
        call = call.func
    call = typing.get_origin(call) or call
    source = inspect.unwrap(call) if callable(call) else call
    if not (inspect.isroutine(source) or inspect.isclass(source)):
        source = type(source)
    try:
        file = inspect.getsourcefile(source)
        line = inspect.getsourcelines(source)[1]
    except (OSError, TypeError):
        return ""
    return f"{_relative(file or '')}:{line}"


def describe(call: object) -> str:
    """Return the name of *call* and, where known, its place."""
    place = place_of(call)
    return f"{name_of(call)} ({place})" if place else name_of(call)


def written_type(annotation: object) -> str:
    """Return *annotation* as it is written where its names are known.

    >>> written_type(int | pathlib.Path)
    'int | pathlib.Path'
    >>> written_type(pathlib.Path)
    'Path'
    """
    name = inspect.formatannotation(annotation, getattr(annotation, "__module__", None))
    return name.rpartition("<locals>.")[2]


def written(declared: Any) -> str:
    """Return a marker, or one of Ninja's Params, as it stands in a signature.

    Of a Param that is its default and its alias: what tells it from another.
    """
    if not hasattr(declared, "__repr_args__"):
        return repr(declared)
    known = dict(declared.__repr_args__())
    shown = [repr(known["default"])] if "default" in known else []
    if "alias" in known:
        shown.append(f"alias={known['alias']!r}")
    return f"{type(declared).__name__}({', '.join(shown)})"


def draw_path(path: Path) -> str:
    """Draw *path*, the view first, each next callable below the parameter it fills.

    Args:
        path: pairs of a parameter's name (None at the top and in ``dependencies=``)
            and the callable that fills it.
    """
    lines = []
    for depth, (parameter, call) in enumerate(path):
        label = f"{parameter}: " if parameter else ""
        branch = "   " * (depth - 1) + "└─ " if depth else ""
        lines.append(f"{branch}{label}{describe(call)}")
    return "\n".join(lines)


def _relative(file: str) -> str:
    path, here = pathlib.Path(file), pathlib.Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
