"""Using the Request Directly, in dependencies."""

from typing import Annotated, Any

import pytest


def client_host(host: Any) -> Any:
    app = host.app()

    def get_agent(request: host.Request):
        return request.headers["User-Agent"]

    async def get_item(item_id: str, incoming: host.Request):
        return [item_id, incoming.method]

    @app.get("/items/{item_id}")
    @host.view
    def read_root(
        request: host.Request,
        agent: Annotated[str, host.Depends(get_agent)],
        item: Annotated[list, host.Depends(get_item)],
    ):
        return {"agent": agent, "item": item}

    return app


@pytest.mark.row("C2", "C11")
def test_a_dependable_may_take_the_request(both) -> None:
    """By its annotation, under any name, and other inputs beside it."""
    answers = both(client_host)
    assert answers.get("/items/foo", headers={"User-Agent": "curl"}).content == {
        "agent": "curl",
        "item": ["foo", "GET"],
    }
    assert answers.inputs("get", "/items/{item_id}") == [("path", "item_id", True)]
