"""Request Body, Body - Multiple Parameters, Form Data: with the bodies in dependencies."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel


class Item(BaseModel):
    name: str
    price: float = 1.5


class User(BaseModel):
    username: str


FOO = {"name": "Foo", "price": 45.2}
DAVE = {"username": "dave"}


def bodies(host: Any) -> Any:
    app = host.app()

    def take_item(item: Item):
        return item.name

    async def take_user(user: User):
        return user.username

    def take_importance(importance: Annotated[int, host.Body()]):
        return importance

    @app.post("/one/")
    @host.view
    def one(request: host.Request, name: Annotated[str, host.Depends(take_item)]):
        return name

    @app.post("/the-same/")
    @host.view
    def the_same(request: host.Request, item: Item, name: Annotated[str, host.Depends(take_item)]):
        return [item.name, name]

    @app.put("/two/")
    @host.view
    def two(
        request: host.Request,
        item: Item,
        username: Annotated[str, host.Depends(take_user)],
    ):
        return [item.name, username]

    @app.put("/singular/")
    @host.view
    def singular(
        request: host.Request,
        item: Item,
        importance: Annotated[int, host.Depends(take_importance)],
        username: Annotated[str, host.Depends(take_user)],
    ):
        return [item.name, importance, username]

    @app.delete("/one/")
    @host.view
    def delete(request: host.Request, name: Annotated[str, host.Depends(take_item)]):
        return name

    return app


@pytest.mark.row("C1", "C7")
@pytest.mark.parametrize(
    ("method", "url", "data", "content"),
    [
        ("post", "/one/", FOO, "Foo"),
        ("post", "/one/", {"price": "x"}, [["float_parsing", "price"], ["missing", "name"]]),
        ("post", "/the-same/", FOO, ["Foo", "Foo"]),
        ("post", "/the-same/", {}, [["missing", "name"]]),
        ("put", "/two/", {"item": FOO, "user": DAVE}, ["Foo", "dave"]),
        ("put", "/two/", {"item": {}, "user": {}}, [["missing", "name"], ["missing", "username"]]),
        ("put", "/two/", FOO, [["missing", "item"], ["missing", "user"]]),
        ("put", "/singular/", {"item": FOO, "user": DAVE, "importance": 5}, ["Foo", 5, "dave"]),
        ("put", "/singular/", {"item": FOO, "user": DAVE}, [["missing", "importance"]]),
    ],
)
def test_one_body_is_bare_and_several_are_embedded(both, method, url, data, content) -> None:
    """Counted by name, in the view and in all that it depends on."""
    answer = both(bodies).ask(method, url, data=data)
    if answer.status == 422:
        assert [[kind, name] for kind, _, name in answer.content] == content
    else:
        assert (answer.status, answer.content) == (200, content)


@pytest.mark.row("C9")
def test_a_body_is_read_with_every_method(both) -> None:
    """DELETE has one, if a dependable declares it."""
    assert both(bodies).ask("delete", "/one/", data=FOO).content == "Foo"


@pytest.mark.row("C7")
def test_bodies_are_documented_once(both) -> None:
    """Bare, or one property for each."""
    answers = both(bodies)
    for document in answers.documents().values():
        schemas = document["components"]["schemas"]

        def properties(method: str, url: str, document: Any = document, schemas: Any = schemas):
            content = document["paths"][url][method]["requestBody"]["content"]
            schema = content["application/json"]["schema"]
            while "$ref" in schema:
                schema = schemas[schema["$ref"].rpartition("/")[2]]
            return sorted(schema["properties"])

        assert properties("post", "/one/") == ["name", "price"]
        assert properties("post", "/the-same/") == ["name", "price"]
        assert properties("put", "/two/") == ["item", "user"]
        assert properties("put", "/singular/") == ["importance", "item", "user"]


def forms(host: Any) -> Any:
    app = host.app()

    def take_username(username: Annotated[str, host.Form()]):
        return username

    def take_numbers(age: Annotated[int, host.Form()], q: int = 0):
        return [age, q]

    @app.post("/login/")
    @host.view
    def login(
        request: host.Request,
        password: Annotated[str, host.Form()],
        username: Annotated[str, host.Depends(take_username)],
        numbers: Annotated[list, host.Depends(take_numbers)],
    ):
        return [username, password, numbers]

    return app


@pytest.mark.row("C1", "C8")
def test_forms_of_view_and_dependables_are_one_form(both) -> None:
    """Each reads its own fields of it."""
    answers = both(forms)
    form = {"username": "dave", "password": "secret", "age": "7"}
    assert answers.post("/login/?q=1", form=form).content == ["dave", "secret", [7, 1]]
    assert answers.post("/login/?q=x", form={"username": "dave", "age": "x"}).content == [
        ["int_parsing", "body", "age"],
        ["int_parsing", "query", "q"],
        ["missing", "body", "password"],
    ]
    for document in answers.documents().values():
        content = document["paths"]["/login/"]["post"]["requestBody"]["content"]
        assert list(content) == ["application/x-www-form-urlencoded"]
