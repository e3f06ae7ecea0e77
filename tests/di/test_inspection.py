"""Reading one callable."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any, Optional, get_args

import pytest
from ninja import Query
from typing_extensions import TypeAliasType

from di.exceptions import (
    MarkerConflictError,
    NotCallableError,
    UnreadableAnnotationError,
    UnsupportedParameterError,
)
from di.inspection import EMPTY, Identity, Kind, Parameter, find_marker, inspect_callable, key_of
from di.markers import Depends, always, dependable
from tests.di import samples

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


def target() -> int:
    return 1


@pytest.mark.parametrize("name", [*samples.VALUES, *samples.OBJECTS])
def test_the_kind_is_seen_through_partials_wrappers_and_instances(name: str) -> None:
    """Each sample's name says what it is; nothing between hides it."""
    call = {**samples.VALUES, **samples.OBJECTS}[name]
    expected = Kind.FUNCTION
    if "async generator" in name or name == "partial of an instance":
        expected = Kind.ASYNC_GENERATOR
    elif "generator" in name:
        expected = Kind.GENERATOR
    elif "coroutine" in name or name == "async method":
        expected = Kind.COROUTINE
    found = inspect_callable(call)
    assert found.kind is expected
    assert [parameter.name for parameter in found.parameters] == ["n"]


def test_both_styles_and_string_annotations_give_the_same() -> None:
    """`x: T = Depends(f)`, `Annotated[T, Depends(f)]`: one parameter, one marker, type T."""

    def call(a: int = Depends(target), b: Annotated[int, Depends(target)] = 5) -> None: ...

    one, two = inspect_callable(call).parameters
    assert (one.annotation, one.default, one.marker) == (int, EMPTY, Depends(target))
    assert (two.annotation, two.default, two.marker) == (int, EMPTY, Depends(target))


def test_inputs_keep_annotation_and_default() -> None:
    """What has no marker is left for the host to read."""

    def call(q: Annotated[str, "a note"] = "x") -> None: ...

    (parameter,) = inspect_callable(call).parameters
    assert parameter == Parameter("q", parameter.kind, Annotated[str, "a note"], "x", None)


def test_the_last_declaration_in_annotated_wins() -> None:
    """Of markers and Params in one Annotated, the last one counts, as in FastAPI."""
    inner, marker = find_marker(Annotated[int, Query(), Depends(target)])
    assert (inner, marker) == (int, Depends(target))
    inner, param = find_marker(Annotated[int, Depends(target), "note", Query()])
    assert get_args(inner) == (int, "note", param)


def test_var_args_are_left_empty_and_bound_keywords_stay_bound() -> None:
    """Neither *args, **kwargs nor what a partial binds can be set by a client."""

    def call(a: int, role: str = "user", *args: int, **kwargs: int) -> None: ...

    found = inspect_callable(functools.partial(functools.partial(call, 1), role="admin"))
    assert found.parameters == ()


def test_class_annotations_are_read_where_the_class_was_written() -> None:
    """A constructor's string annotations are looked up in its own module."""
    assert inspect_callable(samples.PlainClass).parameters[0].annotation is int
    assert inspect_callable(samples.DataClass).parameters[0].annotation is int


def test_closure_names_are_found() -> None:
    """A dependable made by a factory may name what the factory knows."""

    def factory(kind: Any) -> Any:
        def call(value: Annotated[kind, Depends(target)]) -> object:
            return kind, value, never_set

        if kind is None:
            never_set = 1
        return call

    (parameter,) = inspect_callable(factory(int)).parameters
    assert (parameter.annotation, parameter.marker) == (int, Depends(target))


def test_a_quoted_name_inside_annotated_is_found() -> None:
    """A forward reference in the middle of an annotation is evaluated too."""

    def call(value: Annotated["samples.PlainClass", Depends()]) -> None: ...  # noqa: UP037 - the shape under test

    assert inspect_callable(call).parameters[0].annotation is samples.PlainClass


def test_an_annotation_that_cannot_be_read_names_parameter_and_annotation() -> None:
    """A name under TYPE_CHECKING is refused, not silently served as an input."""

    def call(ok: int, user: Annotated[Missing, Depends(target)]) -> None: ...

    with pytest.raises(UnreadableAnnotationError, match=r"'user'.*Missing.*'Missing' is not"):
        inspect_callable(call)


def test_return_annotations_are_not_needed() -> None:
    """What a dependable says it returns may be unreadable."""

    def call() -> Missing: ...

    assert inspect_callable(call).parameters == ()


def test_type_aliases_are_followed_to_the_end() -> None:
    """An alias of an alias still carries its marker; ``type X = ...`` makes the same on 3.12."""
    first: Any = TypeAliasType("first", Annotated[int, Depends(target)])  # type: ignore[misc,valid-type]
    second: Any = TypeAliasType("second", first)
    assert find_marker(second) == (int, Depends(target))
    assert find_marker(Annotated[second, "note"]) == (int, Depends(target))


def test_a_marker_inside_another_type_is_refused() -> None:
    """Optional[Annotated[...]] is not silently a query parameter."""

    def call(x: Optional[Annotated[int, Depends(target)]] = None) -> None: ...  # noqa: UP045 - the shape under test

    with pytest.raises(MarkerConflictError, match="inside another type"):
        inspect_callable(call)


def two_markers(x: Annotated[int, Depends(target)] = Depends(target)) -> None: ...
def marker_and_param(x: Annotated[int, Depends(target)] = Query(1)) -> None: ...
def param_and_marker(x: Annotated[int, Query()] = Depends(target)) -> None: ...


@pytest.mark.parametrize("call", [two_markers, marker_and_param, param_and_marker])
def test_annotated_and_default_may_not_contradict(call: Any) -> None:
    """A marker here and a declaration there is a mistake; both are shown."""
    with pytest.raises(MarkerConflictError, match=r"'x' has .*Depends\(target\)"):
        inspect_callable(call)


def test_a_positional_only_dependency_is_refused() -> None:
    """What can only be passed by position cannot be filled by name."""

    def call(x: int = Depends(target), /) -> None: ...

    with pytest.raises(UnsupportedParameterError, match="'x' can only be passed by position"):
        inspect_callable(call)


@pytest.mark.parametrize("thing", [1, None, "f"])
def test_what_cannot_be_called_is_refused_with_a_hint(thing: Any) -> None:
    """The likeliest mistake is Depends(f())."""
    with pytest.raises(NotCallableError, match="Pass the function itself"):
        inspect_callable(thing)


def test_builtins_without_a_signature_are_refused() -> None:
    """A callable that does not tell its parameters cannot be a dependable."""
    with pytest.raises(NotCallableError, match=r"builtins.max does not say"):
        inspect_callable(max)


@pytest.mark.row("E2")
def test_unhashable_callables_are_told_apart_by_identity() -> None:
    """Equal hashable callables are one; unhashable ones are each their own."""

    class Unhashable(samples.CallsFunction):
        __hash__ = None  # type: ignore[assignment]

    one, two = Unhashable(), Unhashable()
    assert key_of(one) == Identity(id(one)) != key_of(two)
    assert key_of(target) is target


def test_defaults_are_read() -> None:
    """What dependable() and always() note is part of the record."""
    free = inspect_callable(dependable(scope="function")(lambda: None))
    fixed = inspect_callable(always("function")(lambda: None))
    assert (free.scope, free.has_fixed_scope) == ("function", False)
    assert (fixed.scope, fixed.has_fixed_scope) == ("function", True)
