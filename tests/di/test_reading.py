"""Values are read as Ninja reads them: the same view, plain and injected, answers the same."""

from typing import Annotated, Any
from urllib.parse import urlencode

import ninja
import pytest
from django.http import HttpRequest, QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st
from ninja import Cookie, Form, Path, Query, Schema
from ninja.parser import Parser
from ninja.testing import TestClient
from pydantic import AfterValidator, ValidationInfo

from di import Depends, inject


class Filters(Schema):
    limit: int = 10
    tags: list[str] = []


def context(value: int, info: ValidationInfo) -> int:
    """Fail unless the request is where Ninja puts it."""
    assert isinstance(info.context["request"], HttpRequest)
    return value


def query(
    request: HttpRequest,
    n: Annotated[int, AfterValidator(context), Query()],
    s: Annotated[str, Query(max_length=3)] = "s",
    flag: bool = False,
    many: Annotated[list[int], Query()] = [],  # noqa: B006 - as users write it
    other: Annotated[float | None, Query(alias="o-ther", gt=0)] = None,
) -> Any:
    return {"n": n, "s": s, "flag": flag, "many": many, "other": other}


def schema(request: HttpRequest, filters: Annotated[Filters, Query()], n: int = 1) -> Any:
    return {"filters": filters.dict(), "n": n}


def form(
    request: HttpRequest,
    n: Annotated[int, Form()],
    many: Annotated[list[str], Form()] = [],  # noqa: B006 - as users write it
) -> Any:
    return {"n": n, "many": many}


def cookie(
    request: HttpRequest, n: Annotated[int, Cookie()], s: Annotated[str, Cookie()] = ""
) -> Any:
    return {"n": n, "s": s}


def path(request: HttpRequest, pk: int, name: Annotated[str, Path(max_length=3)]) -> Any:
    return {"pk": pk, "name": name}


def twice(view: Any, **options: Any) -> list[TestClient]:
    """Return clients of two plain APIs that serve *view*, as it is and injected."""

    def injected(request: HttpRequest, found: Any = Depends(view)) -> Any:
        return found

    plain, ours = (ninja.NinjaAPI(urls_namespace=name, **options) for name in ("a", "b"))
    at = "/{pk}/{name}" if view is path else "/x"
    for api, one in ((plain, view), (ours, inject(injected))):
        api.api_operation(["GET", "POST"], at)(one)
    return [TestClient(plain), TestClient(ours)]


TEXT = st.sampled_from(["", "1", "-2", "1.5", "x", "true", "null", "é", "1e400", " 3 ", "abcd"])
NAMES = st.sampled_from(["n", "s", "flag", "many", "other", "o-ther", "limit", "tags", "unknown"])
PAIRS = st.lists(st.tuples(NAMES, TEXT), max_size=6)


@pytest.mark.row("C1", "C5", "D5")
@pytest.mark.parametrize("view", [query, schema, form, cookie])
def test_any_values_get_the_same_answer(view: Any) -> None:
    """Missing, repeated, empty, of another type, unknown: status and body to the last byte."""
    plain, ours = twice(view)

    @settings(max_examples=60, deadline=None)
    @given(PAIRS)
    def compare(pairs: list[tuple[str, str]]) -> None:
        def ask(client: TestClient) -> Any:
            if view is form:
                return client.post("/x", POST=QueryDict(urlencode(pairs)))
            if view is cookie:
                return client.get("/x", COOKIES=dict(pairs))
            return client.get(f"/x?{urlencode(pairs)}")

        expected, found = ask(plain), ask(ours)
        assert (found.status_code, found.content) == (expected.status_code, expected.content)

    compare()


@pytest.mark.parametrize("at", ["/1/ab", "/x/ab", "/1/abcd"])
def test_a_path_gets_the_same_answer(at: str) -> None:
    """Good and bad."""
    expected, found = (client.get(at) for client in twice(path))
    assert (found.status_code, found.content) == (expected.status_code, expected.content)


class Doubling(Parser):
    """A parser with a way of its own to read what is not JSON."""

    def parse_querydict(self, data: Any, list_fields: Any, request: Any) -> Any:
        return {**super().parse_querydict(data, list_fields, request), "s": "own"}


def test_the_parser_of_the_api_is_asked() -> None:
    """Whatever it makes of a query, it is the same here and there."""
    for client in twice(query, parser=Doubling()):
        assert client.get("/x?n=1&s=a").json()["s"] == "own"


def test_a_query_that_a_middleware_has_replaced() -> None:
    """By a dictionary of strings, or with an empty list: as Ninja takes them."""
    for replaced in ({"n": "12"}, QueryDict(mutable=True)):
        if isinstance(replaced, QueryDict):
            replaced.setlist("n", [])
        answers = [client.get("/x", GET=replaced) for client in twice(cookie_or_query)]
        assert answers[0].content == answers[1].content
        expected = 200 if type(replaced) is dict else 422
        assert [answer.status_code for answer in answers] == [expected] * 2


def cookie_or_query(request: HttpRequest, n: int) -> Any:
    return n
