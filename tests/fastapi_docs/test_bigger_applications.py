"""Bigger Applications - Multiple Files."""

from typing import Annotated, Any

import pytest

fake_items_db = {"plumbus": {"name": "Plumbus"}, "gun": {"name": "Portal Gun"}}

JESSICA = "?token=jessica"
HEADER = {"X-Token": "fake-super-secret-token"}


def dependencies(host: Any) -> Any:
    """Return what the page has in ``dependencies.py``."""

    async def get_token_header(x_token: Annotated[str, host.Header()]):
        host.events.append("get_token_header")
        if x_token != "fake-super-secret-token":
            raise host.HTTPException(status_code=400, detail="X-Token header invalid")

    async def get_query_token(token: str):
        host.events.append("get_query_token")
        if token != "jessica":
            raise host.HTTPException(status_code=400, detail="No Jessica token provided")

    return get_token_header, get_query_token


def users_router(host: Any) -> Any:
    """Return what the page has in ``routers/users.py``."""
    users = host.router()

    @users.get("/users/", tags=["users"])
    @host.view
    def read_users(request: host.Request):
        return [{"username": "Rick"}, {"username": "Morty"}]

    @users.get("/users/me", tags=["users"])
    @host.view
    def read_user_me(request: host.Request):
        return {"username": "fakecurrentuser"}

    @users.get("/users/{username}", tags=["users"])
    @host.view
    def read_user(request: host.Request, username: str):
        return {"username": username}

    return users


def items_router(host: Any, get_token_header: Any) -> Any:
    """Return what the page has in ``routers/items.py``."""
    items = host.router(tags=["items"], dependencies=[host.Depends(get_token_header)])

    @items.get("/")
    @host.view
    def read_items(request: host.Request):
        return fake_items_db

    @items.get("/{item_id}")
    @host.view
    def read_item(request: host.Request, item_id: str):
        if item_id not in fake_items_db:
            raise host.HTTPException(status_code=404, detail="Item not found")
        return {"name": fake_items_db[item_id]["name"], "item_id": item_id}

    @items.put("/{item_id}", tags=["custom"])
    @host.view
    def update_item(request: host.Request, item_id: str):
        if item_id != "plumbus":
            raise host.HTTPException(
                status_code=403, detail="You can only update the item: plumbus"
            )
        return {"item_id": item_id, "name": "The great Plumbus"}

    return items


def admin_router(host: Any) -> Any:
    """Return what the page has in ``internal/admin.py``."""
    admin = host.router()

    @admin.post("/")
    @host.view
    def update_admin(request: host.Request):
        return {"message": "Admin getting schwifty"}

    return admin


def bigger(host: Any) -> Any:
    """Return the page's application, ``main.py``."""
    get_token_header, get_query_token = dependencies(host)
    app = host.app(dependencies=[host.Depends(get_query_token)])
    host.include(app, users_router(host))
    host.include(app, items_router(host, get_token_header), prefix="/items")
    host.include(
        app,
        admin_router(host),
        prefix="/admin",
        tags=["admin"],
        dependencies=[host.Depends(get_token_header)],
    )

    @app.get("/")
    @host.view
    def root(request: host.Request):
        return {"message": "Hello Bigger Applications!"}

    return app


@pytest.mark.row("A12", "D1")
@pytest.mark.parametrize(
    ("method", "url", "status", "content"),
    [
        ("get", "/", 200, {"message": "Hello Bigger Applications!"}),
        ("get", "/users/", 200, [{"username": "Rick"}, {"username": "Morty"}]),
        ("get", "/users/me", 200, {"username": "fakecurrentuser"}),
        ("get", "/users/foo", 200, {"username": "foo"}),
        ("get", "/items/", 200, fake_items_db),
        ("get", "/items/plumbus", 200, {"name": "Plumbus", "item_id": "plumbus"}),
        ("get", "/items/bar", 404, {"detail": "Item not found"}),
        ("put", "/items/plumbus", 200, {"name": "The great Plumbus", "item_id": "plumbus"}),
        ("put", "/items/bar", 403, {"detail": "You can only update the item: plumbus"}),
        ("post", "/admin/", 200, {"message": "Admin getting schwifty"}),
    ],
)
def test_every_view_needs_what_its_levels_need(both, method, url, status, content) -> None:
    """The application's token everywhere; the header where router or mount say so."""
    answers = both(bigger)
    needs_header = url.startswith(("/items", "/admin"))

    allowed = answers.ask(method, f"{url}{JESSICA}", headers=HEADER)
    assert (allowed.status, allowed.content) == (status, content)
    assert answers.events() == ["get_query_token", "get_token_header"][: 1 + needs_header]

    wrong = answers.ask(method, f"{url}?token=wrong", headers=HEADER)
    assert (wrong.status, wrong.content) == (400, {"detail": "No Jessica token provided"})

    headless = answers.ask(method, f"{url}{JESSICA}")
    if needs_header:
        assert headless.content == [["missing", "header", "x-token"]]
        wrong = answers.ask(method, f"{url}{JESSICA}", headers={"X-Token": "wrong"})
        assert (wrong.status, wrong.content) == (400, {"detail": "X-Token header invalid"})
    else:
        assert headless.content == content

    missing = answers.ask(method, url)
    assert missing.content == [
        *([["missing", "header", "x-token"]] if needs_header else []),
        ["missing", "query", "token"],
    ]


@pytest.mark.row("C6")
def test_all_levels_are_documented(both) -> None:
    """When dependencies of the API, a router, or a mount read inputs, then operations show them."""
    answers = both(bigger)
    token, header = ("query", "token", True), ("header", "x-token", True)
    assert answers.inputs("get", "/") == [token]
    assert answers.inputs("get", "/users/") == [token]
    assert answers.inputs("get", "/items/") == [header, token]
    assert answers.inputs("put", "/items/{item_id}") == [
        header,
        ("path", "item_id", True),
        token,
    ]
    assert answers.inputs("post", "/admin/") == [header, token]


def test_a_router_can_be_included_twice(both) -> None:
    """Each place has its own prefix and its own dependencies."""

    def example(host: Any) -> Any:
        def get_token_header(x_token: Annotated[str, host.Header()]):
            host.events.append(x_token)

        router = host.router()

        @router.get("/")
        @host.view
        def read(request: host.Request):
            return "here"

        app = host.app()
        host.include(app, router, prefix="/v1", **host.named("v1"))
        host.include(
            app,
            router,
            prefix="/latest",
            dependencies=[host.Depends(get_token_header)],
            **host.named("latest"),
        )
        return app

    answers = both(example)
    assert answers.get("/v1/").content == "here"
    assert answers.get("/latest/").content == [["missing", "header", "x-token"]]
    assert answers.get("/latest/", headers={"X-Token": "given"}).content == "here"
    assert answers.events() == ["given"]
    assert answers.inputs("get", "/v1/") == []
    assert answers.inputs("get", "/latest/") == [("header", "x-token", True)]


@pytest.mark.row("C3")
def test_a_parameter_in_a_prefix_reaches_the_dependencies(both) -> None:
    """The router's own, which knows nothing of where it is included, and its views."""

    def example(host: Any) -> Any:
        def get_team(team_id: int):
            host.events.append(f"team {team_id}")
            return team_id

        router = host.router(dependencies=[host.Depends(get_team)])

        @router.get("/members/{name}")
        @host.view
        def read(request: host.Request, name: str, team: Annotated[int, host.Depends(get_team)]):
            return [team, name]

        app = host.app()
        host.include(app, router, prefix="/teams/{team_id}")
        return app

    answers = both(example)
    assert answers.get("/teams/7/members/ann").content == [7, "ann"]
    assert answers.events() == ["team 7"]
    assert answers.get("/teams/x/members/ann").content == [["int_parsing", "path", "team_id"]]
    assert answers.inputs("get", "/teams/{team_id}/members/{name}") == [
        ("path", "name", True),
        ("path", "team_id", True),
    ]
