"""Dependencies - First Steps."""

from typing import Annotated, Any

import pytest

ALL = {"q": "foo", "skip": 100, "limit": 200}


def commons_as_default(host: Any) -> Any:
    app = host.app()

    async def common_parameters(q: str | None = None, skip: int = 0, limit: int = 100):
        return {"q": q, "skip": skip, "limit": limit}

    @app.get("/items/")
    @host.view
    def read_items(request: host.Request, commons: dict = host.Depends(common_parameters)):
        return commons

    @app.get("/users/")
    @host.view
    def read_users(request: host.Request, commons: dict = host.Depends(common_parameters)):
        return commons

    return app


def commons_annotated(host: Any) -> Any:
    app = host.app()

    def common_parameters(q: str | None = None, skip: int = 0, limit: int = 100):
        return {"q": q, "skip": skip, "limit": limit}

    CommonsDep = Annotated[dict, host.Depends(common_parameters)]  # noqa: N806 - the page's

    @app.get("/items/")
    @host.view
    def read_items(request: host.Request, commons: CommonsDep):
        return commons

    @app.get("/users/")
    @host.view
    def read_users(request: host.Request, commons: CommonsDep):
        return commons

    return app


@pytest.mark.row("A4", "A5", "B1", "B2", "C1", "C2")
@pytest.mark.parametrize("example", [commons_as_default, commons_annotated])
def test_a_dependable_takes_what_a_view_may_take(both, example) -> None:
    """Its parameters are read, converted and validated as a view's own, in every view."""
    answers = both(example)
    for url in ("/items/", "/users/"):
        assert answers.get(url).content == {"q": None, "skip": 0, "limit": 100}
        assert answers.get(f"{url}?q=foo&skip=100&limit=200").content == ALL
        assert answers.get(f"{url}?skip=x&limit=").content == [
            ["int_parsing", "query", "limit"],
            ["int_parsing", "query", "skip"],
        ]


@pytest.mark.row("C5", "C6")
@pytest.mark.parametrize("example", [commons_as_default, commons_annotated])
def test_it_is_integrated_with_openapi(both, example) -> None:
    """When a dependable reads inputs, then the document shows them where it is used."""
    answers = both(example)
    for url in ("/items/", "/users/"):
        assert answers.inputs("get", url) == [
            ("query", "limit", False),
            ("query", "q", False),
            ("query", "skip", False),
        ]
