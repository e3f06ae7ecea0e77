"""Testing."""

from typing import Annotated, Any

import pytest
from asgiref.sync import async_to_sync
from ninja.testing import TestAsyncClient, TestClient
from pydantic import BaseModel


class Item(BaseModel):
    id: str
    title: str
    description: str | None = None


GOOD = {"X-Token": "coneofsilence"}
FOOBAR = {"id": "foobar", "title": "Foo Bar", "description": "The Foo Barters"}


def items(host: Any) -> Any:
    app = host.app()
    fake_db = {
        "foo": {"id": "foo", "title": "Foo", "description": "There goes my hero"},
        "bar": {"id": "bar", "title": "Bar", "description": "The bartenders"},
    }

    async def verify_token(x_token: Annotated[str, host.Header()]):
        if x_token != "coneofsilence":
            raise host.HTTPException(status_code=400, detail="Invalid X-Token header")

    @app.get("/items/{item_id}", dependencies=[host.Depends(verify_token)], **host.returns(Item))
    @host.view
    def read_main(request: host.Request, item_id: str):
        if item_id not in fake_db:
            raise host.HTTPException(status_code=404, detail="Item not found")
        return fake_db[item_id]

    @app.post("/items/", dependencies=[host.Depends(verify_token)], **host.returns(Item))
    @host.view
    def create_item(request: host.Request, item: Item):
        if item.id in fake_db:
            raise host.HTTPException(status_code=409, detail="Item already exists")
        fake_db[item.id] = item.model_dump()
        return item

    return app


FOO = {"id": "foo", "title": "Foo", "description": "There goes my hero"}


@pytest.mark.row("D4", "D6")
def test_the_pages_own_tests(both) -> None:
    """Read and create, with a bad token, of what is not there, of what is there already."""
    answers = both(items)
    cases = [
        ("get", "/items/foo", GOOD, None, 200, FOO),
        (
            "get",
            "/items/foo",
            {"X-Token": "hailhydra"},
            None,
            400,
            {"detail": "Invalid X-Token header"},
        ),
        ("get", "/items/baz", GOOD, None, 404, {"detail": "Item not found"}),
        ("post", "/items/", GOOD, FOOBAR, 200, FOOBAR),
        (
            "post",
            "/items/",
            {"X-Token": "hailhydra"},
            {"id": "bazz", "title": "Bazz"},
            400,
            {"detail": "Invalid X-Token header"},
        ),
        ("post", "/items/", GOOD, FOOBAR, 409, {"detail": "Item already exists"}),
        ("post", "/items/", GOOD, {"id": "baz"}, 422, [["missing", "body", "title"]]),
    ]
    for method, url, headers, data, status, content in cases:
        answer = answers.ask(method, url, headers=headers, data=data)
        assert (answer.status, answer.content) == (status, content)


@pytest.mark.row("K8")
def test_ninjas_test_clients_call_the_api_without_a_server(both) -> None:
    """What `fastapi.testclient` is there, `ninja.testing` is here, sync or async."""
    answers = both(items)
    if answers.world.is_async:
        response = async_to_sync(TestAsyncClient(answers.api).get)("/items/foo", headers=GOOD)
    else:
        response = TestClient(answers.api).get("/items/foo", headers=GOOD)
    assert (response.status_code, response.json()) == (200, FOO)
