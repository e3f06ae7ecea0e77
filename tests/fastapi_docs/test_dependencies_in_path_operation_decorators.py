"""Dependencies in path operation decorators."""

from typing import Annotated, Any

import pytest

TOKEN = {"X-Token": "fake-super-secret-token"}
KEY = {"X-Key": "fake-super-secret-key"}


def two_headers(host: Any) -> Any:
    app = host.app()

    async def verify_token(x_token: Annotated[str, host.Header()]):
        host.events.append("verify_token")
        if x_token != "fake-super-secret-token":
            raise host.HTTPException(status_code=400, detail="X-Token header invalid")

    async def verify_key(x_key: Annotated[str, host.Header()]):
        host.events.append("verify_key")
        if x_key != "fake-super-secret-key":
            raise host.HTTPException(status_code=400, detail="X-Key header invalid")
        return x_key

    @app.get("/items/", dependencies=[host.Depends(verify_token), host.Depends(verify_key)])
    @host.view
    def read_items(request: host.Request):
        host.events.append("read_items")
        return [{"item": "Foo"}, {"item": "Bar"}]

    return app


@pytest.mark.row("A12", "C17", "D1")
def test_they_run_though_nobody_takes_their_values(both) -> None:
    """In the order of the list, before the view; what they return is dropped."""
    answers = both(two_headers)
    assert answers.get("/items/", headers={**TOKEN, **KEY}).content == [
        {"item": "Foo"},
        {"item": "Bar"},
    ]
    assert answers.events() == ["verify_token", "verify_key", "read_items"]


@pytest.mark.row("D6")
def test_they_may_raise(both) -> None:
    """Their exception is the answer, and nothing after them runs."""
    answers = both(two_headers)
    invalid = answers.get("/items/", headers={**TOKEN, "X-Key": "wrong"})
    assert (invalid.status, invalid.content) == (400, {"detail": "X-Key header invalid"})
    invalid = answers.get("/items/", headers={"X-Token": "wrong", **KEY})
    assert (invalid.status, invalid.content) == (400, {"detail": "X-Token header invalid"})
    assert answers.events() == ["verify_token", "verify_key", "verify_token"]


@pytest.mark.row("C1", "D3", "D4")
def test_they_may_declare_what_they_need(both) -> None:
    """Their headers are required and documented; an exception wins over a missing one."""
    answers = both(two_headers)
    assert answers.get("/items/").content == [
        ["missing", "header", "x-key"],
        ["missing", "header", "x-token"],
    ]
    assert answers.get("/items/", headers={"X-Key": "wrong"}).status == 400
    assert answers.inputs("get", "/items/") == [
        ("header", "x-key", True),
        ("header", "x-token", True),
    ]
