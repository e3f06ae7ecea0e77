"""Analysis: trees, and what is refused."""

import abc
from collections.abc import Iterator
from typing import Any, Literal, Protocol, TypeVar

import pytest

from di.exceptions import (
    DependencyCycleError,
    DependencyDepthError,
    DependencyScopeError,
    NotCallableError,
    StreamingSessionError,
    UnreadableAnnotationError,
)
from di.graph import MOST_LEVELS, analyze, refuse_fixed_scopes
from di.markers import Depends, SecurityScopes, always, dependable
from di.plan import compile_plan
from tests.di import samples


def leaf() -> int:
    return 1


def root() -> None: ...


def middle(x: int = Depends(leaf)) -> int:
    return x


@pytest.mark.row("A4", "A12")
def test_the_tree_follows_the_signature() -> None:
    """`dependencies=` come first, then parameters; what has no marker is an input."""

    def view(q: str, a: int = Depends(middle), b: int = Depends(leaf)) -> None: ...

    root = analyze(view, [Depends(leaf)])
    assert [(edge.name, edge.original) for edge in root.dependencies] == [
        (None, leaf),
        ("a", middle),
        ("b", leaf),
    ]
    assert [parameter.name for parameter in root.inputs] == ["q"]
    assert root.dependencies[0].dependant is root.dependencies[2].dependant


@pytest.mark.row("J10")
def test_a_cycle_is_drawn() -> None:
    """The error shows the way round, view first, with file and line."""

    def one(x: Any) -> None: ...

    def two(y: Any = Depends(one)) -> None: ...

    one.__defaults__ = (Depends(two),)

    def view(z: Any = Depends(two)) -> None: ...

    with pytest.raises(DependencyCycleError) as caught:
        analyze(view)
    assert [name for name, _ in caught.value.path] == [None, "z", "y", "x"]
    text = str(caught.value)
    assert text.startswith("A dependable depends on itself. (di.E001)\n\n    ")
    assert "└─ x: tests.di.test_graph.test_a_cycle_is_drawn.<locals>.two (tests/di/" in text
    assert text.endswith("Hint: Move what both need into a third dependable and depend on that.")


@dependable(scope="function")
def short() -> Iterator[int]:
    yield 1


def long_lived(x: int = Depends(short)) -> Iterator[int]:
    yield x


def through(x: int = Depends(short)) -> int:
    return x


def long_through(x: int = Depends(through)) -> Iterator[int]:
    yield x


@pytest.mark.row("F6", "J4")
@pytest.mark.parametrize(
    ("call", "names"), [(long_lived, [None, "x", "x"]), (long_through, [None, "x", "x", "x"])]
)
def test_nothing_may_use_what_is_closed_before_it(call: Any, names: list[str | None]) -> None:
    """A request-scope generator over a function-scope one is refused, also through a function."""

    def view(x: int = Depends(call)) -> None: ...

    with pytest.raises(
        DependencyScopeError, match=r'of scope "request" uses one of scope "function"'
    ) as e:
        analyze(view)
    assert [name for name, _ in e.value.path] == names


@pytest.mark.parametrize(
    ("marker", "scope"),
    [
        (Depends(samples.generator), "request"),
        (Depends(samples.generator, scope="function"), "function"),
        (Depends(short), "function"),
        (Depends(short, scope="request"), "request"),
        (Depends(leaf, scope="function"), None),
    ],
)
def test_the_scope_is_the_markers_then_the_dependables_then_request(
    marker: Any, scope: str | None
) -> None:
    """Only generators have a scope; the marker has the last word on it."""
    assert analyze(root, [marker]).dependencies[0].dependant.scope == scope


@always("function")
def fixed() -> Iterator[int]:
    yield 1


def test_a_fixed_scope_cannot_be_asked_otherwise() -> None:
    """A session is never a request-scope one; asking for its own scope is fine."""
    with pytest.raises(DependencyScopeError, match='always lives for "function", not "request"'):
        analyze(root, [Depends(fixed, scope="request")])
    assert analyze(root, [Depends(fixed, scope="function")]).dependencies


def over_fixed(x: int = Depends(fixed)) -> int:
    return x


def test_a_stream_may_not_use_what_is_closed_before_it() -> None:
    """The refusal names the way to it; what is shared is walked once."""
    with pytest.raises(StreamingSessionError) as caught:
        refuse_fixed_scopes(analyze(root, [Depends(middle), Depends(over_fixed)]), "A stream")
    assert [call for _, call in caught.value.path] == [root, over_fixed, fixed]
    refuse_fixed_scopes(analyze(root, [Depends(middle), Depends(middle)]), "A stream")


class Shape(Protocol):
    n: int


class Abstract(abc.ABC):
    @abc.abstractmethod
    def method(self) -> None: ...


T = TypeVar("T")


def no_annotation(x=Depends()) -> None: ...  # type: ignore[no-untyped-def]
def a_protocol(x: Shape = Depends()) -> None: ...
def a_union(x: int | None = Depends()) -> None: ...
def a_builtin(x: range = Depends()) -> None: ...
def anything(x: Any = Depends()) -> None: ...
def abstract(x: Abstract = Depends()) -> None: ...
def a_variable(x: T = Depends()) -> None: ...
def a_list(x: list[int] = Depends()) -> None: ...
def literal(x: Literal["a"] = Depends()) -> None: ...


@pytest.mark.row("A7", "J3")
@pytest.mark.parametrize(
    "view",
    [
        no_annotation,
        a_protocol,
        a_union,
        a_builtin,
        anything,
        abstract,
        a_variable,
        a_list,
        literal,
    ],
)
def test_depends_without_argument_needs_a_class_to_call(view: Any) -> None:
    """Nothing is guessed: no bogus query parameters args and kwargs."""
    with pytest.raises(NotCallableError) as caught:
        analyze(view)
    assert caught.value.path[0] == (None, view)


@pytest.mark.row("A7")
def test_depends_without_argument_calls_the_annotation() -> None:
    """`x: T = Depends()` depends on T."""

    def view(x: samples.PlainClass = Depends()) -> None: ...

    assert analyze(view).dependencies[0].original is samples.PlainClass


@pytest.mark.row("A12", "J1", "J2")
@pytest.mark.parametrize("thing", [leaf, Depends()])
def test_dependencies_must_be_markers_that_name_something(thing: Any) -> None:
    """A bare function in dependencies=[...] is told to be wrapped."""
    with pytest.raises(NotCallableError):
        analyze(root, [thing])


@pytest.mark.row("A9", "J12")
def test_errors_below_carry_the_whole_path() -> None:
    """What is wrong deep down is shown from the view on."""

    def broken(x: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    def view(y: Any = Depends(broken)) -> None: ...

    with pytest.raises(UnreadableAnnotationError) as caught:
        analyze(view)
    assert caught.value.path == ((None, view), ("y", broken))


def test_reading_scopes_is_known_above() -> None:
    """Whether anything below takes SecurityScopes decides what may be shared."""

    def reads(scopes: SecurityScopes) -> None: ...

    def above(x: None = Depends(reads)) -> None: ...

    tree = analyze(root, [Depends(above), Depends(middle)])
    assert [edge.dependant.reads_scopes for edge in tree.dependencies] == [True, False]
    assert tree.dependencies[0].dependant.dependencies[0].dependant.scopes_names == ("scopes",)


@pytest.mark.row("H4")
def test_a_stand_in_may_depend_on_what_it_stands_in_for() -> None:
    """Inside its stand-in the original is itself again."""

    def stand_in(real: int = Depends(leaf)) -> int:
        return -real

    tree = analyze(root, [Depends(leaf), Depends(middle)], {leaf: stand_in})
    one, two = (edge.dependant for edge in tree.dependencies)
    assert one.dependable.call is stand_in
    assert one.dependencies[0].dependant.dependable.call is leaf
    assert two.dependencies[0].dependant is one


def nested(levels: int) -> Any:
    """Return a view with so many dependables, one below the other."""

    def lowest() -> None: ...

    call: Any = lowest
    for _ in range(levels - 1):

        def above(below: None = Depends(call)) -> None: ...

        call = above

    def deep(below: None = Depends(call)) -> None: ...

    return deep


def test_depth_that_is_accepted_works() -> None:
    """And what is deeper is refused in our words, not by the interpreter."""
    assert len(compile_plan(analyze(nested(MOST_LEVELS - 1))).steps) == MOST_LEVELS - 1
    with pytest.raises(DependencyDepthError, match="nested more than 100 deep") as refusal:
        analyze(nested(MOST_LEVELS))
    assert len(refusal.value.path) == 3
    assert "deep" in str(refusal.value)
