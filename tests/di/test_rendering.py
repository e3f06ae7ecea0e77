"""Names, places and drawn paths."""

from __future__ import annotations

import functools

from ninja import Header, Query

from di import Depends
from di.rendering import describe, draw_path, name_of, place_of, written, written_type
from tests.di import samples


def test_names_are_what_the_author_would_write() -> None:
    """Functions by their dotted name; partials and instances say what they are."""
    assert name_of(samples.function) == "tests.di.samples.function"
    assert name_of(functools.partial(samples.function)) == "partial(tests.di.samples.function)"
    assert name_of(1) == "1"
    assert name_of(samples.Of[int]) == "tests.di.samples.Of[int]"
    assert name_of(samples.CallsFunction()) == "an instance of tests.di.samples.CallsFunction"


def test_places_are_relative_to_where_the_command_runs() -> None:
    """Each callable is found where its definition starts, seen through wrappers."""
    line = samples.function.__code__.co_firstlineno
    place = f"tests/di/samples.py:{line}"
    assert place_of(samples.function) == place
    assert place_of(functools.partial(samples.function)) == place
    assert place_of(samples.wraps(samples.function)) == place
    assert place_of(samples.Of[int]) == place_of(samples.Of)
    assert place_of(samples.CallsFunction()).startswith("tests/di/samples.py:")


def test_types_are_written_without_what_their_module_knows() -> None:
    """As in a signature of that module."""

    class Local: ...

    types = [samples.PlainClass, Local, dict[str, int] | None, dict]
    assert [written_type(one) for one in types] == [
        "PlainClass",
        "Local",
        "dict[str, int] | None",
        "dict",
    ]


def test_declarations_are_shown_as_they_were_written() -> None:
    """Not with all that pydantic knows of a Param."""
    declarations = [Depends(samples.function), Query(), Query("x"), Header(None, alias="X-Y")]
    assert [written(one) for one in declarations] == [
        "Depends(function)",
        "Query()",
        "Query('x')",
        "Header(None, alias='X-Y')",
    ]


def test_what_is_not_python_has_no_place() -> None:
    """A builtin is named, and that is all."""
    assert place_of(max) == ""
    assert describe(max) == "builtins.max"


def test_a_path_is_a_tree_with_the_view_on_top() -> None:
    """Each next line is what fills the parameter of the one above."""
    drawn = draw_path([(None, max), ("x", min), (None, sum)])
    assert drawn == "builtins.max\n└─ x: builtins.min\n   └─ builtins.sum"
