"""Global Dependencies."""

from typing import Annotated, Any

import pytest

GOOD = {"X-Token": "fake-super-secret-token", "X-Key": "fake-super-secret-key"}


def global_headers(host: Any) -> Any:
    async def verify_token(x_token: Annotated[str, host.Header()]):
        if x_token != "fake-super-secret-token":
            raise host.HTTPException(status_code=400, detail="X-Token header invalid")

    async def verify_key(x_key: Annotated[str, host.Header()]):
        if x_key != "fake-super-secret-key":
            raise host.HTTPException(status_code=400, detail="X-Key header invalid")
        return x_key

    app = host.app(dependencies=[host.Depends(verify_token), host.Depends(verify_key)])

    @app.get("/items/")
    @host.view
    def read_items(request: host.Request):
        return [{"item": "Portal Gun"}, {"item": "Plumbus"}]

    @app.get("/users/")
    @host.view
    def read_users(request: host.Request):
        return [{"username": "Rick"}, {"username": "Morty"}]

    return app


@pytest.mark.row("A12")
def test_they_hold_for_every_view(both) -> None:
    """All views of the application need what they need."""
    answers = both(global_headers)
    assert answers.get("/items/", headers=GOOD).content == [
        {"item": "Portal Gun"},
        {"item": "Plumbus"},
    ]
    assert answers.get("/users/", headers=GOOD).content == [
        {"username": "Rick"},
        {"username": "Morty"},
    ]
    for url in ("/items/", "/users/"):
        assert answers.get(url).content == [
            ["missing", "header", "x-key"],
            ["missing", "header", "x-token"],
        ]
        invalid = answers.get(url, headers={**GOOD, "X-Key": "wrong"})
        assert (invalid.status, invalid.content) == (400, {"detail": "X-Key header invalid"})
        invalid = answers.get(url, headers={**GOOD, "X-Token": "wrong"})
        assert (invalid.status, invalid.content) == (400, {"detail": "X-Token header invalid"})


@pytest.mark.row("C6")
def test_they_are_documented_at_every_view(both) -> None:
    """When dependencies of the API read headers, then each operation shows those headers."""
    answers = both(global_headers)
    for url in ("/items/", "/users/"):
        assert answers.inputs("get", url) == [
            ("header", "x-key", True),
            ("header", "x-token", True),
        ]
