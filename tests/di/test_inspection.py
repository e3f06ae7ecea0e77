"""Reading one callable."""

from __future__ import annotations

import abc
import functools
import gc
import inspect
import weakref
from types import FunctionType
from typing import Annotated, Any, Protocol, TypedDict

import pytest
from ninja import Query

from di.exceptions import (
    MarkerConflictError,
    NotCallableError,
    UnsupportedParameterError,
)
from di.inspection import LEFT_OUT, Identity, Kind, Parameter, inspect_callable, key_of
from di.markers import Depends, always, dependable
from di.rendering import name_of, place_of
from tests.di import samples


def target() -> int:
    return 1


@pytest.mark.row("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B12")
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


@pytest.mark.row("C1")
def test_inputs_keep_annotation_and_default() -> None:
    """What has no marker is left for the host to read."""

    def call(q: Annotated[str, "a note"] = "x") -> None: ...

    (parameter,) = inspect_callable(call).parameters
    assert parameter == Parameter("q", parameter.kind, Annotated[str, "a note"], "x", None)


def with_role(a: int, role: str = "user", *args: int, **kwargs: int) -> None: ...


@pytest.mark.row("A7", "B8", "B15")
@pytest.mark.parametrize(
    "call",
    [
        functools.partial(functools.partial(with_role, 1), role="admin"),
        samples.wraps(functools.partial(with_role, 1, role="admin")),
        functools.partial(samples.wraps(functools.partial(with_role, role="admin")), 1),
    ],
)
def test_var_args_are_left_empty_and_bound_keywords_stay_bound(call: Any) -> None:
    """Neither *args, **kwargs nor what a partial binds can be set by a client."""
    assert inspect_callable(call).parameters == ()


def two_markers(x: Annotated[int, Depends(target)] = Depends(target)) -> None: ...
def marker_and_param(x: Annotated[int, Depends(target)] = Query(1)) -> None: ...
def param_and_marker(x: Annotated[int, Query()] = Depends(target)) -> None: ...
def two_params(x: Annotated[int, Query()] = Query(1), y: int = Depends(target)) -> None: ...


@pytest.mark.row("A5", "J5", "J6", "J7")
@pytest.mark.parametrize(
    ("call", "both"),
    [
        (two_markers, "Depends(target) and Depends(target)"),
        (marker_and_param, "Depends(target) and Query(1)"),
        (param_and_marker, "Query() and Depends(target)"),
        (two_params, "Query() and Query(1)"),
    ],
)
def test_annotated_and_default_may_not_contradict(call: Any, both: str) -> None:
    """A marker here and a declaration there is a mistake; both are shown as written."""
    with pytest.raises(MarkerConflictError) as caught:
        inspect_callable(call)
    assert caught.value.problem == f"Parameter 'x' has {both}."


@pytest.mark.row("B15", "J8")
def test_a_positional_only_dependency_is_refused() -> None:
    """What can only be passed by position cannot be filled by name."""

    def call(x: int = Depends(target), /) -> None: ...

    with pytest.raises(UnsupportedParameterError, match="'x' can only be passed by position"):
        inspect_callable(call)


@pytest.mark.row("J3")
@pytest.mark.parametrize("thing", [1, None, "f"])
def test_what_cannot_be_called_is_refused_with_a_hint(thing: Any) -> None:
    """The likeliest mistake is Depends(f())."""
    with pytest.raises(NotCallableError, match="Pass the function itself"):
        inspect_callable(thing)


@pytest.mark.row("J3")
@pytest.mark.parametrize(
    "call",
    [
        *(samples.coroutine, samples.generator, samples.async_generator),
        *(samples.managed, samples.async_managed),
    ],
)
def test_what_was_called_by_mistake_is_named(call: Any) -> None:
    """`Depends(f())` is told to be `Depends(f)`, and nobody complains of an unawaited coroutine."""
    with pytest.raises(NotCallableError, match=rf"result of {call.__name__}\(\), which") as caught:
        inspect_callable(call())
    assert caught.value.hint == f"Pass {call.__name__}, not {call.__name__}()."


@pytest.mark.row("A7", "B16", "J3")
@pytest.mark.parametrize(
    "call",
    [
        *(max, print, len, int, str, dict, list, range, object, ValueError),
        *(list[int], functools.partial(print, "x")),
    ],
)
def test_what_is_built_in_is_refused(call: Any) -> None:
    """Its parameters are not a request's, if it names any."""
    with pytest.raises(NotCallableError, match="does not tell its parameters") as caught:
        inspect_callable(call)
    assert caught.value.hint == "Wrap it in a function of your own and depend on that."


class Shape(Protocol):
    n: int


class Abstract(abc.ABC):
    @abc.abstractmethod
    def method(self) -> None: ...


class Keys(TypedDict):
    n: int


@pytest.mark.row("A7", "B15", "J3")
@pytest.mark.parametrize("call", [Any, Shape, Abstract, Keys, functools.partial(Abstract)])
def test_what_only_describes_others_is_refused(call: Any) -> None:
    """Nobody can call it; it is not asked for args and kwargs instead."""
    with pytest.raises(NotCallableError, match="is abstract"):
        inspect_callable(call)


@pytest.mark.row("B16", "J3")
def test_what_does_not_tell_its_parameters_is_refused() -> None:
    """As some classes written in C, and what inherits their constructors."""

    class Number(int):
        pass

    with pytest.raises(NotCallableError, match=r"Number does not say which parameters it takes"):
        inspect_callable(Number)


@pytest.mark.row("B9", "J3")
def test_a_proxy_that_answers_to_any_name_is_refused() -> None:
    """It seems to be wrapped without end, and has no signature that could be trusted."""

    class Proxy:
        def __getattr__(self, name: str) -> Any:
            return Proxy()

        def __call__(self) -> None: ...

    with pytest.raises(NotCallableError, match="does not say which parameters it takes"):
        inspect_callable(Proxy())


@pytest.mark.row("B7")
def test_a_static_method_may_be_named_inside_its_class() -> None:
    """Where it is not a function yet."""

    class Owner:
        @staticmethod
        async def static(n: int = 1) -> int:
            return n

        found = inspect_callable(static)

    assert (Owner.found.kind, len(Owner.found.parameters)) == (Kind.COROUTINE, 1)


@pytest.mark.row("B10")
def test_the_generator_of_a_context_manager_is_shared_as_one() -> None:
    """Read twice it is still equal, and it is not equal to what it wraps."""
    one, two = (inspect_callable(samples.managed).call for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != samples.managed
    assert name_of(one) == "tests.di.samples.managed"
    assert place_of(one) == place_of(samples.managed)


@pytest.mark.row("B12")
@pytest.mark.parametrize("cls", [samples.WithFactory, samples.ModelWithFactory])
def test_a_default_that_is_made_afresh_is_not_passed(cls: Any) -> None:
    """What shows in its place is nobody's value."""
    (parameter,) = inspect_callable(cls).parameters
    assert parameter.default is LEFT_OUT


@pytest.mark.row("B6", "E2")
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


@pytest.mark.parametrize("wrap", [functools.partial, samples.wraps])
def test_defaults_are_seen_through_partials_and_wrappers(wrap: Any) -> None:
    """A session stays function-scoped whoever binds an argument of it."""
    found = inspect_callable(wrap(always("function")(samples.CallsGenerator())))
    assert (found.scope, found.has_fixed_scope) == ("function", True)


def test_what_is_noted_on_a_class_is_not_true_of_others() -> None:
    """Its instances and its subclasses are dependables of their own."""

    @dependable(scope="app", blocking=False)
    class Pool:
        def __call__(self) -> int:
            return 1

    class Sub(Pool):
        pass

    @dependable(scope="request")
    class Other(Pool):
        pass

    noted = [inspect_callable(one) for one in (Pool, Sub, Other, Pool(), Other())]
    assert [(one.scope, one.is_blocking) for one in noted] == [
        *(("app", False), (None, True), ("request", True), (None, True), (None, True)),
    ]


def changing(a: int = 1, *, b: str = "x") -> None: ...


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("__defaults__", (2,)),
        ("__kwdefaults__", {"b": "y"}),
        ("__annotations__", {"a": str, "b": str}),
        ("__code__", (lambda c=1, *, b="x": None).__code__),
        ("__signature__", inspect.Signature([])),
    ],
)
def test_a_function_that_was_changed_is_read_again(name: str, value: Any) -> None:
    """As it is now; otherwise it is read once, however many depend on it."""

    def fresh() -> Any:
        return FunctionType(changing.__code__, globals(), "changing", (1,))

    function, other = fresh(), fresh()
    for one in (function, other):
        one.__kwdefaults__, one.__annotations__ = {"b": "x"}, {"a": int, "b": str}
    before = inspect_callable(function).parameters
    assert inspect_callable(function).parameters is before
    setattr(function, name, value)
    setattr(other, name, value)
    after = inspect_callable(function).parameters
    assert after == inspect_callable(other).parameters != before


def test_what_was_read_is_not_held() -> None:
    """A function goes when nobody else has it."""

    def function(a: int = 1) -> None: ...

    inspect_callable(function)
    watched = weakref.ref(function)
    del function
    gc.collect()
    assert watched() is None
