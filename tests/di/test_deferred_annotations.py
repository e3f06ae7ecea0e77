"""Annotations that are evaluated late, with names that only type checkers know.

Each sample runs with ``from __future__ import annotations``, where an annotation is text, and
on Python 3.14 also without it, where an annotation is code that has not run yet.
"""

from __future__ import annotations

import sys
import textwrap
import types
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from ninja.testing import TestAsyncClient, TestClient

import di
from di.exceptions import (
    DependencyError,
    MarkerConflictError,
    NotInjectedError,
    UnreadableAnnotationError,
)
from di.inspection import inspect_callable

TOP = """
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import ninja
import pydantic.dataclasses
from django.http import HttpRequest
from ninja import Query

from di import Depends, Security, inject

if TYPE_CHECKING:
    from nowhere import Missing, Note

T = TypeVar("T")
Filled = Annotated[T, Depends(lambda: "value")]


def target() -> "Missing":
    return "value"
"""


needs_lazy_annotations = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="Python evaluates annotations late since 3.14"
)


@pytest.fixture(params=["text", pytest.param("code", marks=needs_lazy_annotations)])
def execute(request: pytest.FixtureRequest) -> Any:
    """Return a function that executes a sample, below `TOP`, and returns its names."""

    def run(sample: str) -> dict[str, Any]:
        module = types.ModuleType(f"deferred_{request.param}")
        first = "from __future__ import annotations\n" if request.param == "text" else ""
        source = first + TOP + textwrap.dedent(sample)
        sys.modules[module.__name__] = module  # dataclasses look there
        exec(compile(source, "sample.py", "exec", dont_inherit=True), vars(module))  # noqa: S102
        return vars(module)

    yield run
    sys.modules.pop(f"deferred_{request.param}", None)


READABLE = {
    "default": "def call(x: Missing = Depends(target)): ...",
    "annotated": "def call(x: Annotated[Missing, Depends(target)]): ...",
    "unused default": "def call(x: Annotated[Missing, Depends(target)] = None): ...",
    "quoted": 'def call(x: "Missing" = Depends(target)): ...',
    "quoted inside": 'def call(x: Annotated["Missing", Depends(target)]): ...',
    "quoted whole": 'def call(x: "Annotated[Missing, Depends(target)]"): ...',
    "quoted twice": 'def call(x: Annotated["Annotated[Missing, Depends(target)]", 1]): ...',
    "union": "def call(x: Annotated[Missing | None, Depends(target)]): ...",
    "list": "def call(x: Annotated[list[Missing], Depends(target)]): ...",
    "filled in": "def call(x: Annotated[Missing[int], Depends(target)]): ...",
    "attribute": "def call(x: Annotated[ninja.Missing, Depends(target)]): ...",
    "attribute, default": "def call(x: ninja.Missing = Depends(target)): ...",
    "nested": 'def call(x: Annotated[Annotated[Missing, "note"], Depends(target)]): ...',
    "nested inside": 'def call(x: Annotated[Annotated[Missing, Depends(target)], "note"]): ...',
    "alias": """
        Alias = Annotated["Missing", Depends(target)]
        def call(x: Alias): ...
        """,
    "generic alias": "def call(x: Filled[Missing]): ...",
    "generic alias, quoted": 'def call(x: Filled["Missing"]): ...',
    "return": "def call(x: str = Depends(target)) -> Missing: ...",
    "variable": "def call(x: str = Depends(target), *args: Missing, **kwargs: Missing): ...",
    "class": """
        class call:
            def __init__(self, x: Missing = Depends(target)) -> Missing: ...
        """,
    "dataclass": """
        @dataclass
        class call:
            x: Annotated[Missing, Depends(target)]
        """,
    "dataclass, default": """
        @dataclass
        class call:
            x: Missing = Depends(target)
        """,
    "inherited field": """
        @dataclass
        class Base:
            x: Annotated[Missing, Depends(target)]
        @dataclass
        class call(Base):
            y: int = 1
        """,
    "named tuple": """
        class call(NamedTuple):
            x: Annotated[Missing, Depends(target)]
        """,
    "metaclass": """
        class Meta(type):
            def __call__(cls, x: Missing = Depends(target)): ...
        class call(metaclass=Meta): ...
        """,
    "new": """
        class call:
            def __new__(cls, x: Annotated[Missing, Depends(target)]): ...
        """,
    "instance": """
        class Call:
            def __call__(self, x: Annotated[Missing, Depends(target)]) -> Missing: ...
        call = Call()
        """,
    "method": """
        class Call:
            def run(self, x: Annotated[Missing, Depends(target)]) -> Missing: ...
        call = Call().run
        """,
    "class method": """
        class Call:
            @classmethod
            def run(cls, x: Missing = Depends(target)) -> Missing: ...
        call = Call.run
        """,
    "static method": """
        class Call:
            @staticmethod
            def run(x: Missing = Depends(target)) -> Missing: ...
        call = Call.run
        """,
    "partial": """
        def inner(y: Missing, x: Annotated[Missing, Depends(target)]) -> Missing: ...
        call = functools.partial(inner, 1)
        """,
    "wrapper": """
        def inner(x: Annotated[Missing, Depends(target)]) -> Missing: ...
        @functools.wraps(inner)
        def call(*args, **kwargs): ...
        """,
    "factory": """
        def factory(kind):
            def call(x: Annotated[kind, Depends(target)]) -> Missing:
                return kind
            return call
        call = factory(int)
        """,
    "lambda elsewhere": """
        def call(x: Annotated[Missing, Depends(target)], y: str = Depends(lambda: 1)): ...
        """,
    "coroutine": "async def call(x: Annotated[Missing, Depends(target)]) -> Missing: ...",
    "generator": """
        def call(x: Annotated[Missing, Depends(target)]) -> Missing:
            yield
        """,
}


@pytest.mark.row("A9", "B5")
@pytest.mark.parametrize("sample", READABLE.values(), ids=READABLE)
def test_a_type_beside_a_marker_is_not_needed(execute: Any, sample: str) -> None:
    """When the marker can be read, the dependency is found, though its type is not there."""
    found = execute(sample)
    first = inspect_callable(found["call"]).parameters[0]
    assert first.name == "x"
    assert first.marker.dependency() == "value"  # type: ignore[misc,union-attr]


UNREADABLE = {
    "input": "def call(x: Missing): ...",
    "input, default": "def call(x: Missing | None = None): ...",
    "input in Annotated": "def call(x: Annotated[Missing, Query()]): ...",
    "input over a marker": "def call(x: Annotated[Missing, Depends(target), Query()]): ...",
    "no callable": "def call(x: Missing = Depends()): ...",
    "no callable in Annotated": "def call(x: Annotated[Missing, Depends()]): ...",
    "dependency": "def call(x: Annotated[int, Depends(Missing)]): ...",
    "dependency, no type": "def call(x: Annotated[Missing, Depends(Missing)]): ...",
    "argument": "def call(x: Annotated[int, Depends(functools.partial(target, Missing))]): ...",
    "scope": "def call(x: Annotated[int, Depends(target, scope=Missing)]): ...",
    "OAuth2 scopes": "def call(x: Annotated[int, Security(target, scopes=[Missing])]): ...",
    "metadata": "def call(x: Annotated[int, Missing]): ...",
    "more metadata": "def call(x: Annotated[Missing, Depends(target), Note()]): ...",
    "metadata beside a default": "def call(x: Annotated[Missing, Note()] = Depends(target)): ...",
    "inside another type": "def call(x: list[Missing, Annotated[int, Depends(target)]]): ...",
    "inside an unknown type": "def call(x: Missing[Annotated[int, Depends(target)]]): ...",
    "beside another type": "def call(x: Annotated[int, Depends(target)] | Missing): ...",
    "dataclass": """
        @dataclass
        class call:
            x: Missing
        """,
    "model": """
        class call(pydantic.BaseModel):
            x: Missing = Depends(target)
        """,
    "model, other field": """
        class call(pydantic.BaseModel):
            x: str = Depends(target)
            y: Missing | None = None
        """,
    "pydantic dataclass": """
        @pydantic.dataclasses.dataclass
        class call:
            x: Missing = Depends(target)
        """,
    "request": "def call(request: Annotated[Missing, Query()]): ...",
}


@pytest.mark.row("A9", "J12")
@pytest.mark.parametrize("sample", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unknown_name_that_is_needed_is_refused(execute: Any, sample: str) -> None:
    """An input needs its type, and a marker all that it names; the hint says what to do."""
    found = execute(sample)
    with pytest.raises(
        UnreadableAnnotationError, match=r"'(Missing|Note)' is not|`Missing`"
    ) as caught:
        inspect_callable(found["call"])
    assert caught.value.path == ((None, found["call"]),)
    assert caught.value.hint.startswith("Import what it names at run time")


@pytest.mark.parametrize("base", ["pydantic.BaseModel", "object"])
def test_a_model_may_name_a_type_that_is_defined_later(execute: Any, base: str) -> None:
    """When pydantic could not read a field at first, it is read before the model is used."""
    decorator = "@pydantic.dataclasses.dataclass" if base == "object" else ""
    found = execute(
        f"""
        {decorator}
        class call({base}):
            n: Later
            x: str = Depends(target)

        Later = int
        """
    )
    n, x = inspect_callable(found["call"]).parameters
    assert (n.annotation, x.marker.dependency) == (int, found["target"])  # type: ignore[union-attr]
    result = di.call(found["call"], n=1)
    assert (result.n, result.x) == (1, "value")


def test_a_lambda_beside_an_unknown_name_is_told(execute: Any) -> None:
    """When Python 3.14 can tell no more of a lambda than its name, the hint says what to do."""
    text = "Annotated[int, Depends(<function <lambda> at 0x1>)]"
    found = execute(f"def call(x: {text!r}): ...")
    with pytest.raises(UnreadableAnnotationError) as caught:
        inspect_callable(found["call"])
    assert caught.value.hint.startswith("Define the lambda with def")


@needs_lazy_annotations
def test_a_lambda_of_code_beside_an_unknown_name_is_refused() -> None:
    """It is refused, because a lambda that is made for unknown names would not see its module's."""
    namespace: dict[str, Any] = {}
    sample = "def call(x: Annotated[int, Depends(lambda: 1)]) -> Missing: ..."
    exec(compile(TOP + sample, "sample.py", "exec", dont_inherit=True), namespace)  # noqa: S102
    with pytest.raises(UnreadableAnnotationError, match="<lambda>"):
        inspect_callable(namespace["call"])


@pytest.mark.parametrize(
    "sample",
    [
        "def call(x: Annotated[Missing, Depends(target)] = Depends(target)): ...",
        "def call(x: Annotated[Missing, Depends(target)] = Query()): ...",
        "def call(x: Annotated[Missing, Query()] = Depends(target)): ...",
    ],
)
def test_two_declarations_conflict_without_a_type(execute: Any, sample: str) -> None:
    """A parameter that says twice where its value comes from is refused as with a known type."""
    with pytest.raises(MarkerConflictError):
        inspect_callable(execute(sample)["call"])


def test_a_marker_is_made_once(execute: Any) -> None:
    """A limit holds for all who read the same annotation, because its marker stays the same."""
    sample = "def call(x: Annotated[Missing, Depends(target, max_concurrency=1)]): ..."
    call = execute(sample)["call"]
    assert inspect_callable(call).parameters[0] is inspect_callable(call).parameters[0]


def test_a_bad_marker_says_what_is_wrong_with_it(execute: Any) -> None:
    """An error of di's own in an annotation is told as it is."""
    found = execute('def call(x: Annotated[int, Depends(target, scope="ever")]): ...')
    with pytest.raises(DependencyError, match="no scope 'ever'"):
        inspect_callable(found["call"])


VIEWS = """
class Query_:
    def __init__(self, q: int, value: Missing = Depends(target)) -> Missing:
        self.both = [q, value]

@api.get("/function")
@decorate
def function(request: Missing, n: int, x: Annotated[Missing, Depends(target)]) -> Missing:
    return [n, x]

@api.get("/class")
@decorate
def class_(request, x: Annotated[Query_, Depends()], *args: Missing) -> Missing:
    return x.both

@api.get("/async")
@decorate
async def async_(request, n: int, x: Missing = Depends(target), **kwargs: Missing) -> Missing:
    return [n, x]
"""


@pytest.mark.parametrize("host", ["di", "plain"])
def test_views_are_served(execute: Any, host: str) -> None:
    """Through both ways in, an unknown name beside a marker or as a return type is no matter."""
    if host == "di":
        hosted = "from di import NinjaAPI\napi = NinjaAPI()\ndecorate = lambda view: view"
    else:
        hosted = "api = ninja.NinjaAPI()\ndecorate = inject"
    api = execute(f"{hosted}\n{VIEWS}")["api"]
    client = TestClient(api)
    assert client.get("/function?n=1").json() == [1, "value"]
    assert client.get("/class?q=2").json() == [2, "value"]
    assert client.get("/function?n=x").status_code == 422
    assert async_to_sync(TestAsyncClient(api).get)("/async?n=3").json() == [3, "value"]


def test_a_plain_view_is_served_as_before(execute: Any) -> None:
    """A view of plain Ninja that declares no dependency starts, whatever it returns."""
    api = execute(
        """
        api = ninja.NinjaAPI()

        @api.get("/")
        def view(request: Missing, n: int) -> Missing:
            return n
        """
    )["api"]
    assert TestClient(api).get("/?n=1").json() == 1


@pytest.mark.parametrize(
    "parameters",
    [
        "request, x: Missing = Depends(target)",
        "request, x: Annotated[Missing, Depends(target)]",
        "request: Annotated[Missing, Depends(target)]",
        "request: Annotated[HttpRequest, Depends(lambda: 1)]",
        "request, *args: Annotated[Missing, Depends(target)]",
    ],
)
def test_a_plain_view_with_dependencies_is_refused(execute: Any, parameters: str) -> None:
    """A marker that nothing would resolve is seen beside unknown names, too."""
    sample = f"""
        api = ninja.NinjaAPI()

        @api.get("/")
        def view({parameters}) -> Missing: ...
        """
    with pytest.raises(NotInjectedError):
        execute(sample)


def test_call_and_overrides_read_such_dependables(execute: Any) -> None:
    """Outside a request, and as a stand-in, an unknown type beside a marker is no matter."""
    found = execute(
        "def call(n: int, x: Annotated[Missing, Depends(target)]) -> Missing: return n, x"
    )
    assert di.call(found["call"], n=1) == (1, "value")

    sample = "def fake(y: Missing = Depends(lambda: 'fake')) -> Missing: return y"
    with di.override({found["target"]: execute(sample)["fake"]}):
        assert di.call(found["call"], n=1) == (1, "fake")
