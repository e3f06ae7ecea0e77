"""Sub-dependencies."""

from typing import Annotated, Any

import pytest


def query_or_cookie(host: Any) -> Any:
    app = host.app()

    def query_extractor(q: str | None = None):
        host.events.append("query_extractor")
        return q

    def query_or_cookie_extractor(
        q: Annotated[str, host.Depends(query_extractor)],
        last_query: Annotated[str | None, host.Cookie()] = None,
    ):
        host.events.append("query_or_cookie_extractor")
        return q or last_query

    @app.get("/items/")
    @host.view
    def read_query(
        request: host.Request,
        query_or_default: Annotated[str, host.Depends(query_or_cookie_extractor)],
    ):
        return {"q_or_cookie": query_or_default}

    return app


def several_times(host: Any) -> Any:
    app = host.app()

    def get_value():
        host.events.append("get_value")
        return len(host.events)

    async def needy_dependency(
        fresh_value: Annotated[int, host.Depends(get_value, use_cache=False)],
    ):
        return fresh_value

    @app.get("/values/")
    @host.view
    def read_values(
        request: host.Request,
        value: Annotated[int, host.Depends(get_value)],
        same: Annotated[int, host.Depends(get_value)],
        fresh: Annotated[int, host.Depends(needy_dependency)],
        again: Annotated[int, host.Depends(get_value)],
    ):
        return [value, same, fresh, again]

    return app


@pytest.mark.row("C1", "D2")
def test_a_dependable_may_have_dependencies(both) -> None:
    """The one below is solved first, and its value handed to the one above."""
    answers = both(query_or_cookie)
    assert answers.get("/items/").content == {"q_or_cookie": None}
    assert answers.get("/items/?q=foo").content == {"q_or_cookie": "foo"}
    assert answers.get("/items/", cookies={"last_query": "bar"}).content == {"q_or_cookie": "bar"}
    both_given = answers.get("/items/?q=foo", cookies={"last_query": "bar"})
    assert both_given.content == {"q_or_cookie": "foo"}
    assert answers.events() == ["query_extractor", "query_or_cookie_extractor"] * 4


@pytest.mark.row("C6")
def test_all_levels_are_documented(both) -> None:
    """The cookie of the one and the query of the other, at the view."""
    assert both(query_or_cookie).inputs("get", "/items/") == [
        ("cookie", "last_query", False),
        ("query", "q", False),
    ]


@pytest.mark.row("E1", "E5")
def test_the_same_dependency_multiple_times(both) -> None:
    """It is called once a request and shared; use_cache=False has it called again, for itself."""
    answers = both(several_times)
    assert answers.get("/values/").content == [1, 1, 2, 1]
    assert answers.get("/values/").content == [3, 3, 4, 3]
    assert answers.events() == ["get_value"] * 4
