"""Looking up what annotations say."""

from __future__ import annotations

import sys
import textwrap
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional, TypeVar, get_args

import pytest
from ninja import Query
from typing_extensions import TypeAliasType

from di.annotations import find_marker, holds_marker, is_special, plain_types
from di.exceptions import MarkerConflictError, UnreadableAnnotationError
from di.inspection import EMPTY, inspect_callable
from di.markers import Depends
from tests.di import samples

if TYPE_CHECKING:
    from typing import TypeAlias

    from nowhere import Missing  # type: ignore[import-not-found]

T = TypeVar("T")
K = TypeVar("K")


def target() -> int:
    return 1


def other() -> int:
    return 2


def marker_of(annotation: Any) -> Any:
    """Return what a parameter with *annotation* is filled with."""

    def call(x: Any) -> None: ...

    call.__annotations__["x"] = annotation
    (parameter,) = inspect_callable(call).parameters
    return parameter.annotation, parameter.marker


@pytest.mark.row("A4", "A5", "A6", "A9")
def test_both_styles_and_string_annotations_give_the_same() -> None:
    """`x: T = Depends(f)`, `Annotated[T, Depends(f)]`: one parameter, one marker, type T."""

    def call(a: int = Depends(target), b: Annotated[int, Depends(target)] = 5) -> None: ...

    one, two = inspect_callable(call).parameters
    assert (one.annotation, one.default, one.marker) == (int, EMPTY, Depends(target))
    assert (two.annotation, two.default, two.marker) == (int, EMPTY, Depends(target))


@pytest.mark.row("A5")
def test_the_last_declaration_in_annotated_wins() -> None:
    """Of markers and Params in one Annotated, the last one counts, as in FastAPI."""
    inner, marker = find_marker(Annotated[int, Query(), Depends(target)])
    assert (inner, marker) == (int, Depends(target))
    inner, param = find_marker(Annotated[int, Depends(target), "note", Query()])
    assert get_args(inner) == (int, "note", param)
    assert find_marker(Annotated[int, Depends(other), Depends(target)]) == (int, Depends(target))


@pytest.mark.row("A5")
def test_nested_annotated_is_one() -> None:
    """What is added round an alias overrules the alias."""
    inner: Any = Annotated[int, Depends(other)]
    assert find_marker(Annotated[inner, Depends(target)]) == (int, Depends(target))
    assert find_marker(Annotated[inner, "note"]) == (int, Depends(other))


Plain: TypeAlias = Annotated[int, Depends(target)]
Generic = Annotated[T, Depends()]


@pytest.mark.row("A7", "A8")
def test_assigned_aliases_are_what_they_stand_for() -> None:
    """With TypeAlias or without; filled in if they are generic."""
    assert marker_of(Plain) == (int, Depends(target))
    assert marker_of("Plain") == (int, Depends(target))
    assert marker_of(Generic[samples.PlainClass]) == (samples.PlainClass, Depends())  # type: ignore[type-var]
    assert marker_of("Generic[samples.PlainClass]") == (samples.PlainClass, Depends())


@pytest.mark.row("A8")
def test_type_aliases_are_followed_to_the_end() -> None:
    """An alias of an alias still carries its marker."""
    first: Any = TypeAliasType("first", Annotated[int, Depends(target)])  # type: ignore[misc,valid-type]
    second: Any = TypeAliasType("second", first)
    third: Any = Annotated[second, "note"]
    for alias in (first, second, third):
        assert marker_of(alias) == (int, Depends(target))
    assert find_marker(Annotated[second, Depends(other)]) == (int, Depends(other))


@pytest.mark.row("A8")
def test_generic_type_aliases_are_filled_in() -> None:
    """Whatever order their parameters come in, and if they have a use for them or not."""
    dep: Any = TypeAliasType("dep", Annotated[T, Depends()], type_params=(T,))
    swapped: Any = TypeAliasType(
        "swapped", Annotated[dict[K, T], Depends(target)], type_params=(T, K)
    )  # type: ignore[misc,valid-type]
    same: Any = TypeAliasType("same", T, type_params=(T,))
    unused: Any = TypeAliasType("unused", Annotated[int, Depends(target)], type_params=(T,))  # type: ignore[misc,valid-type]
    assert marker_of(dep[samples.PlainClass]) == (samples.PlainClass, Depends())
    assert marker_of(swapped[int, str]) == (dict[str, int], Depends(target))
    assert marker_of(same[Annotated[int, Depends(target)]]) == (int, Depends(target))
    assert marker_of(unused[str]) == (int, Depends(target))


STATEMENTS = """
    from typing import Annotated, Optional
    from di import Depends
    from tests.di.test_annotations import other, target

    type First = Annotated[int, Depends(target)]
    type Second = First
    type Later = Annotated[Early, Depends(target)]
    type Early = int
    type Filled[A] = Annotated[A, Depends(target)]
    type Json = dict[str, Json] | list[Json] | int
    type Lost = Annotated[Nowhere, Depends(target)]
    type Unknown = Nowhere

    def good(a: First, b: Second, c: Annotated[Second, "note"], d: Later, e: Filled[int]): ...
    def overruled(a: Annotated[Second, Depends(other)]): ...
    def plain(a: Json): ...
    def nested(a: Optional[Second] = None): ...
    def lost(a: Lost = 1): ...
    def unknown(a: Unknown = Depends(target), b: Annotated[Unknown, Depends(target)] = 1): ...
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
@pytest.mark.row("A8", "A9")
def test_type_statements() -> None:
    """`type X = ...` carries its marker, is evaluated when needed, and may be recursive."""
    found: dict[str, Any] = {"__name__": __name__}
    exec(textwrap.dedent(STATEMENTS), found)  # noqa: S102 - older Pythons cannot compile it
    for parameter in inspect_callable(found["good"]).parameters:
        assert (parameter.annotation, parameter.marker) == (int, Depends(target))
    assert inspect_callable(found["overruled"]).parameters[0].marker == Depends(other)
    assert inspect_callable(found["plain"]).parameters[0].marker is None
    with pytest.raises(MarkerConflictError, match="'a' is inside another type"):
        inspect_callable(found["nested"])
    with pytest.raises(UnreadableAnnotationError, match=r"'a', 'Lost', cannot .*'Nowhere'"):
        inspect_callable(found["lost"])
    for parameter in inspect_callable(found["unknown"]).parameters:
        assert (parameter.annotation, parameter.marker) == (EMPTY, Depends(target))


Hidden: Any = TypeAliasType("Hidden", Annotated[int, Depends(target)])  # type: ignore[misc,valid-type]


def optional(x: Optional[Annotated[int, Depends(target)]] = None) -> None: ...  # noqa: UP045 - the shape under test
def union(x: Annotated[int, Depends(target)] | None = None) -> None: ...
def listed(x: list[Annotated[int, Depends(target)]]) -> None: ...
def aliased(x: Hidden | None = None) -> None: ...
def deep(x: dict[str, tuple[Hidden, int]]) -> None: ...
def in_a_param(x: Annotated[Hidden | None, Query()] = None) -> None: ...


@pytest.mark.row("A8", "J5")
@pytest.mark.parametrize("call", [optional, union, listed, aliased, deep, in_a_param])
def test_a_marker_inside_another_type_is_refused(call: Any) -> None:
    """Optional[Annotated[...]] is not silently a query parameter."""
    with pytest.raises(MarkerConflictError, match="'x' is inside another type") as caught:
        inspect_callable(call)
    assert caught.value.path == ((None, call),)
    assert caught.value.hint == "Put Annotated outermost: Annotated[T | None, Depends(f)]."


def test_recursive_types_are_read() -> None:
    """A type that contains itself, as a type statement may make one, has an end all the same."""

    class Own:
        pass

    recursive: Any = typing.List[Own]  # noqa: UP006 - one that can be changed
    recursive.__args__ = (recursive,)
    assert not holds_marker(recursive)


@pytest.mark.row("A9")
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


def quoted_whole(value: "Annotated[int, Depends(target)]") -> None: ...  # noqa: UP037 - the shape under test
def quoted_inside(value: Annotated["samples.PlainClass", Depends()]) -> None: ...  # noqa: UP037 - the shape under test
def written_later(value: Annotated["Later", Depends()]) -> None: ...  # noqa: UP037 - the shape under test


class Later:
    pass


@pytest.mark.row("A10")
@pytest.mark.parametrize(
    ("call", "annotation", "marker"),
    [
        (quoted_whole, int, Depends(target)),
        (quoted_inside, samples.PlainClass, Depends()),
        (written_later, Later, Depends()),
    ],
)
def test_quoted_names_are_found(call: Any, annotation: Any, marker: Any) -> None:
    """A forward reference is evaluated wherever in an annotation it is."""
    (parameter,) = inspect_callable(call).parameters
    assert (parameter.annotation, parameter.marker) == (annotation, marker)


def in_annotated(ok: int, user: Annotated[Missing, Depends()]) -> None: ...
def with_a_default(user: Annotated[int, Depends(Missing)] = 1) -> None: ...
def before_a_default(user: Missing = Depends()) -> None: ...
def of_an_input(user: Missing | None = None) -> None: ...


@pytest.mark.row("A9", "J12")
@pytest.mark.parametrize("call", [in_annotated, with_a_default, before_a_default, of_an_input])
def test_an_annotation_that_cannot_be_read_names_parameter_and_annotation(call: Any) -> None:
    """A needed name under TYPE_CHECKING is refused: no check is dropped or becomes an input."""
    with pytest.raises(UnreadableAnnotationError, match=r"'user'.*Missing.*'Missing' is not") as e:
        inspect_callable(call)
    assert e.value.path == ((None, call),)
    assert e.value.hint.startswith("Import what it names at run time")


@pytest.mark.row("A9", "J12")
def test_a_name_that_only_a_function_knows_is_refused() -> None:
    """Nothing but the annotation names it, so it is in no closure; the hint says what to do."""

    class Local:
        pass

    def call(value: Annotated[Local, Depends()]) -> None: ...

    with pytest.raises(UnreadableAnnotationError, match=r"'value'.*Local") as caught:
        inspect_callable(call)
    assert caught.value.hint.endswith("define it at the top of a module.")


@pytest.mark.row("J12")
def test_an_annotation_that_raises_something_else_says_what() -> None:
    """Not every mistake is a missing name."""

    def call(value: Annotated[target[int], Depends(target)]) -> None: ...  # type: ignore[valid-type]

    with pytest.raises(UnreadableAnnotationError, match="not subscriptable") as caught:
        inspect_callable(call)
    assert caught.value.hint.startswith("Fix the annotation")


@pytest.mark.row("A9")
def test_return_annotations_are_not_needed() -> None:
    """What a dependable says it returns may be unreadable."""

    def call() -> Missing: ...

    assert inspect_callable(call).parameters == ()


@dataclass
class Inherited(samples.FieldElsewhere):
    own: Later | None = None


@pytest.mark.row("A9", "B5", "B12")
@pytest.mark.parametrize(
    "cls", [samples.InitElsewhere, samples.FieldElsewhere, samples.TupleElsewhere, Inherited]
)
def test_class_annotations_are_read_where_the_class_was_written(cls: Any) -> None:
    """A constructor's annotations are looked up in its own module, inherited fields in theirs."""
    assert inspect_callable(cls).parameters[0].annotation is samples.PlainClass


def test_plain_types_are_without_metadata_and_none() -> None:
    """What is left says which special parameter it is, if it is one."""
    assert plain_types(Annotated[int | None, "note"]) == (int,)
    assert plain_types(Optional[int]) == (int,)  # noqa: UP045 - the shape under test
    assert plain_types(int | str) == (int, str)
    assert [is_special(one, int) for one in (bool, bool | None, int | str, "int", EMPTY)] == [
        *(True, True, False, False, False)
    ]
