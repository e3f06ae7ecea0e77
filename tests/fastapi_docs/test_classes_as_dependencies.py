"""Classes as Dependencies."""

from typing import Annotated, Any

import pytest

fake_items_db = [{"item_name": "Foo"}, {"item_name": "Bar"}, {"item_name": "Baz"}]


class CommonQueryParams:
    def __init__(self, q: str | None = None, skip: int = 0, limit: int = 100):
        self.q = q
        self.skip = skip
        self.limit = limit


class Cat:
    def __init__(self, name: str):
        self.name = name


def spellings(host: Any) -> dict[str, Any]:
    """Return the page's ways to declare the class, as annotation and default."""
    return {
        "/annotated/": (Annotated[CommonQueryParams, host.Depends(CommonQueryParams)], None),
        "/any/": (Annotated[Any, host.Depends(CommonQueryParams)], None),
        "/shortcut/": (Annotated[CommonQueryParams, host.Depends()], None),
        "/default/": (CommonQueryParams, host.Depends(CommonQueryParams)),
        "/default-shortcut/": (CommonQueryParams, host.Depends()),
    }


def commons_class(host: Any) -> Any:
    app = host.app()

    def read(commons: CommonQueryParams):
        response = {"q": commons.q} if commons.q else {}
        return {**response, "items": fake_items_db[commons.skip : commons.skip + commons.limit]}

    def route(path: str, declared: Any, default: Any) -> None:
        if default is None:

            @app.get(path)
            @host.view
            def read_items(request: host.Request, commons: declared):
                return read(commons)

        else:

            @app.get(path)
            @host.view
            def read_items_by_default(request: host.Request, commons: declared = default):
                return read(commons)

    for path, (declared, default) in spellings(host).items():
        route(path, declared, default)

    @app.get("/cat/")
    @host.view
    def read_cat(request: host.Request, fluffy: Annotated[Cat, host.Depends()]):
        return fluffy.name

    return app


@pytest.mark.row("A7", "B5")
@pytest.mark.parametrize(
    "path", ["/annotated/", "/any/", "/shortcut/", "/default/", "/default-shortcut/"]
)
def test_a_class_is_called_with_what_its_constructor_takes(both, path) -> None:
    """The view gets an instance, however the class is declared."""
    answers = both(commons_class)
    assert answers.get(path).content == {"items": fake_items_db}
    assert answers.get(f"{path}?q=foo").content == {"q": "foo", "items": fake_items_db}
    assert answers.get(f"{path}?q=foo&skip=1").content == {"q": "foo", "items": fake_items_db[1:]}
    assert answers.get(f"{path}?skip=1&limit=1").content == {"items": [{"item_name": "Bar"}]}
    assert answers.get(f"{path}?skip=x").content == [["int_parsing", "query", "skip"]]


@pytest.mark.row("A7")
def test_any_class_is_a_callable(both) -> None:
    """Python makes a cat by calling the class; so does a dependency."""
    answers = both(commons_class)
    assert answers.get("/cat/?name=Mr%20Fluffy").content == "Mr Fluffy"
    assert answers.get("/cat/").content == [["missing", "query", "name"]]


@pytest.mark.row("C6")
def test_its_parameters_are_documented(both) -> None:
    """When a class is a dependable, then the document shows its constructor's parameters."""
    answers = both(commons_class)
    for path in ("/annotated/", "/shortcut/", "/default/"):
        assert answers.inputs("get", path) == [
            ("query", "limit", False),
            ("query", "q", False),
            ("query", "skip", False),
        ]
