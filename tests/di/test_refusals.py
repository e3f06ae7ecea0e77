"""Every mistake that is refused: its own error, an id, the way to it, and a way out."""

import pathlib
from collections.abc import Iterator
from typing import Annotated, Any

import fastapi
import ninja
import pytest
from django.http import HttpRequest
from ninja import Query, Schema

from di import Depends, NinjaAPI, Security, exceptions
from di.exceptions import (
    BodyConflictError,
    DependencyCycleError,
    DependencyError,
    DependencyScopeError,
    InvalidScopesError,
    MarkerConflictError,
    NotCallableError,
    NotInjectedError,
    UnknownMarkerError,
    UnknownScopeError,
    UnreadableAnnotationError,
    UnsupportedParameterError,
)
from di.markers import dependable
from di.security import HTTPBearer
from tests.di import samples


class Item(Schema):
    name: str


class Owner(Schema):
    email: str


@dependable(scope="function")
def short() -> Iterator[int]:
    yield 1


def cycle(x: Any = None) -> None: ...


cycle.__defaults__ = (Depends(cycle),)


def longer(x: int = Depends(short)) -> Iterator[int]:
    yield x


def unreadable(x: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def not_callable(x: Any = Depends(1)) -> None: ...  # type: ignore[arg-type]
def called(x: Any = Depends(samples.generator())) -> None: ...  # type: ignore[arg-type]
def nothing_to_call(x: int | None = Depends()) -> None: ...
def built_in(x: int = Depends()) -> None: ...
def two_markers(x: Annotated[int, Depends(short)] = Depends(short)) -> None: ...
def marker_then_param(x: Annotated[int, Depends(short)] = Query(1)) -> None: ...
def not_called(x: Any = Depends) -> None: ...
def not_called_either(x: Annotated[int | None, Security] = None) -> None: ...
def fastapis(x: Any = fastapi.Depends(short)) -> None: ...
def fastapis_in_annotated(x: Annotated[int | None, fastapi.Security(short)] = None) -> None: ...
def fastapis_input(x: Annotated[int, fastapi.Query()] = 1) -> None: ...
def kind_of_scheme(x: Any = Depends(HTTPBearer)) -> None: ...
def kind_of_scheme_in_short(x: HTTPBearer = Depends()) -> None: ...
def param_then_marker(x: Annotated[int, Query()] = Depends(short)) -> None: ...
def marker_inside(x: Annotated[int, Depends(short)] | None = None) -> None: ...
def body(item: Item) -> None: ...
def conflicting(item: Owner, x: None = Depends(body)) -> None: ...
def positional(x: int, /) -> None: ...
def positional_dependency(x: int = Depends(short), /) -> None: ...
def service(x: Annotated[samples.PlainClass, Query()]) -> None: ...
def read_request(x: Annotated[HttpRequest, Query()]) -> None: ...
def mapping(x: Annotated[dict[str, int] | None, Query()]) -> None: ...


def below(call: Any) -> Any:
    """Return a view with *call* two levels below it."""

    def middle(inner: Any = Depends(call)) -> None: ...

    def view(request: HttpRequest, outer: Any = Depends(middle)) -> None: ...

    return view


@pytest.mark.row("J3", "J4", "J5", "J8", "J10", "J12", "J14", "J16")
@pytest.mark.parametrize(
    ("call", "error"),
    [
        (cycle, DependencyCycleError),
        (longer, DependencyScopeError),
        (unreadable, UnreadableAnnotationError),
        (not_callable, NotCallableError),
        (called, NotCallableError),
        (nothing_to_call, NotCallableError),
        (built_in, NotCallableError),
        (two_markers, MarkerConflictError),
        (marker_then_param, MarkerConflictError),
        (param_then_marker, MarkerConflictError),
        (not_called, UnknownMarkerError),
        (not_called_either, UnknownMarkerError),
        (fastapis, UnknownMarkerError),
        (fastapis_in_annotated, UnknownMarkerError),
        (fastapis_input, UnknownMarkerError),
        (kind_of_scheme, NotCallableError),
        (kind_of_scheme_in_short, NotCallableError),
        (marker_inside, MarkerConflictError),
        (conflicting, BodyConflictError),
        (positional, UnsupportedParameterError),
        (positional_dependency, UnsupportedParameterError),
        (service, UnsupportedParameterError),
        (read_request, UnsupportedParameterError),
        (mapping, UnsupportedParameterError),
    ],
    ids=lambda value: value.__name__,
)
def test_mistakes_are_refused_where_the_view_is_written(call: Any, error: Any) -> None:
    """The route decorator raises, and draws the way from the view to the mistake."""
    view = below(call)
    with pytest.raises(DependencyError) as caught:
        NinjaAPI(urls_namespace="refusals").post("/x")(view)
    assert type(caught.value) is error
    assert [name for name, _ in caught.value.path][:3] == [None, "outer", "inner"]
    assert (caught.value.path[0][1], caught.value.path[2][1]) == (view, call)
    assert caught.value.hint.endswith(".")
    assert f"({error.check_id})" in str(caught.value)


@pytest.mark.row("F4", "I5", "J15")
@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Depends(short, scope="session"), UnknownScopeError),
        (lambda: Security(short, scope="session"), UnknownScopeError),  # type: ignore[arg-type]
        (lambda: Security(short, scopes="abc"), InvalidScopesError),
        (lambda: Security(short, scopes=5), InvalidScopesError),  # type: ignore[arg-type]
        (lambda: Security(short, scopes=iter(["a", 1])), InvalidScopesError),  # type: ignore[arg-type, list-item]
        (lambda: NinjaAPI(dependencies=[short]), NotCallableError),
        (lambda: NinjaAPI(dependencies=[fastapi.Depends(short)]), UnknownMarkerError),
        (lambda: NinjaAPI(dependencies=[Depends]), UnknownMarkerError),
        (lambda: NinjaAPI(dependencies=[Depends(None)]), NotCallableError),
        (lambda: NinjaAPI(dependencies=[Depends(123)]), NotCallableError),  # type: ignore[arg-type]
    ],
)
def test_mistakes_in_markers_are_refused_where_they_are_made(make: Any, error: Any) -> None:
    """There the traceback is the way to them."""
    with pytest.raises(DependencyError) as caught:
        make()
    assert type(caught.value) is error
    assert caught.value.hint.endswith(".")


@pytest.mark.row("A12", "J11")
def test_a_view_that_nothing_injects_is_refused() -> None:
    """On a plain API without @inject; the hint has both ways in."""

    def view(request: HttpRequest, x: int = Depends(short)) -> None: ...

    with pytest.raises(NotInjectedError, match="would ever call it") as caught:
        ninja.NinjaAPI(urls_namespace="refusals").get("/x")(view)
    assert "@inject" in caught.value.hint
    assert "di.NinjaAPI" in caught.value.hint


@pytest.mark.row("J15")
def test_every_error_has_an_id_of_its_own() -> None:
    """And the README has a line for each."""
    errors = [
        one
        for one in vars(exceptions).values()
        if isinstance(one, type) and issubclass(one, DependencyError) and one is not DependencyError
    ]
    ids = {one.check_id for one in errors}
    assert len(ids) == len(errors) >= 15
    readme = pathlib.Path("README.md").read_text(encoding="utf-8")
    for one in errors:
        assert f"| {one.check_id} | `{one.__name__}` |" in readme


def test_a_view_may_take_its_request_by_position() -> None:
    """Ninja passes it so."""

    def view(request: HttpRequest, /, q: int = 1) -> None: ...

    def bad(request: HttpRequest, q: int, /) -> None: ...

    NinjaAPI(urls_namespace="refusals").get("/x")(view)
    with pytest.raises(UnsupportedParameterError, match="'q' can only be passed by position"):
        NinjaAPI(urls_namespace="refusals").get("/x")(bad)


def test_what_only_looks_like_a_marker_says_where_the_real_one_is() -> None:
    """Left from FastAPI, or without parentheses."""
    hints = {}
    for call in (not_called, not_called_either, fastapis, fastapis_input, kind_of_scheme):
        with pytest.raises(DependencyError) as caught:
            NinjaAPI(urls_namespace="refusals").post("/x")(below(call))
        hints[call.__name__] = caught.value.hint
    assert hints == {
        "not_called": "Write Depends(f).",
        "not_called_either": "Write Security(f).",
        "fastapis": "Import Depends from di.",
        "fastapis_input": "Import Query from ninja.",
        "kind_of_scheme": "Write Depends(HTTPBearer(...)).",
    }
