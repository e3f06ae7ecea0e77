"""Response Headers, Response Cookies, Response - Change Status Code."""

from typing import Annotated, Any

import pytest

from tests.fastapi_docs.hosts import Answer


def in_views(host: Any) -> Any:
    """Return the three pages' own examples."""
    app = host.app()
    tasks = {"foo": "Listen to the Bar Fighters"}

    @app.get("/headers-and-object/")
    @host.view
    def get_headers(request: host.Request, response: host.Response):
        response.headers["X-Cat-Dog"] = "alone in the world"
        return {"message": "Hello World"}

    @app.get("/headers/")
    @host.view
    def return_headers(request: host.Request):
        headers = {"X-Cat-Dog": "alone in the world", "Content-Language": "en-US"}
        return host.JSONResponse({"message": "Hello World"}, headers=headers)

    @app.post("/cookie-and-object/")
    @host.view
    def create_cookie(request: host.Request, response: host.Response):
        response.set_cookie(key="fakesession", value="fake-cookie-session-value")
        return {"message": "Come to the dark side, we have cookies"}

    @app.post("/cookie/")
    @host.view
    def return_cookie(request: host.Request):
        response = host.JSONResponse({"message": "Come to the dark side, we have cookies"})
        response.set_cookie(key="fakesession", value="fake-cookie-session-value")
        return response

    @app.put("/get-or-create-task/{task_id}")
    @host.view
    def get_or_create_task(request: host.Request, task_id: str, response: host.Response):
        if task_id not in tasks:
            tasks[task_id] = "This didn't exist before"
            response.status_code = 201
        return tasks[task_id]

    return app


def in_dependencies(host: Any) -> Any:
    """Return an application whose dependables do what the examples' views do."""
    app = host.app()
    tasks = {"foo": "Listen to the Bar Fighters"}

    def cat_dog(response: host.Response):
        response.headers["X-Cat-Dog"] = "alone in the world"

    async def session_cookie(response: host.Response):
        response.set_cookie(key="fakesession", value="fake-cookie-session-value")

    def created(task_id: str, response: host.Response):
        if task_id not in tasks:
            tasks[task_id] = "This didn't exist before"
            response.status_code = 201

    set_all = [host.Depends(one) for one in (cat_dog, session_cookie, created)]

    @app.put("/tasks/{task_id}", dependencies=set_all)
    @host.view
    def put_task(request: host.Request, task_id: str):
        return tasks[task_id]

    @app.get("/own-response/", dependencies=[host.Depends(cat_dog)])
    @host.view
    def own_response(request: host.Request):
        return host.JSONResponse({"message": "Hello World"})

    @app.get("/failing/", dependencies=[host.Depends(cat_dog), host.Depends(session_cookie)])
    @host.view
    def fail(request: host.Request):
        raise host.HTTPException(status_code=404)

    return app


def several_statuses(host: Any) -> Any:
    app = host.app()

    def first(response: host.Response):
        response.status_code = 202

    async def second(response: host.Response):
        response.status_code = 203

    both = [host.Depends(first), host.Depends(second)]

    @app.get("/by-dependencies/", dependencies=both)
    @host.view
    def by_dependencies(request: host.Request): ...

    @app.get("/by-view/", dependencies=both)
    @host.view
    def by_view(request: host.Request, response: host.Response):
        response.status_code = 206

    return app


def declared_status(host: Any) -> Any:
    app = host.app()

    def found(response: host.Response, status: int = 0):
        if status:
            response.status_code = status

    @app.put("/tasks/", dependencies=[host.Depends(found)], **host.returns(str, 201))
    @host.view
    def put_task(request: host.Request):
        return "Listen to the Bar Fighters"

    return app


def returned(host: Any) -> Any:
    app = host.app()

    def returns_response():
        return host.JSONResponse({"detail": "never sent"}, headers={"X-Cat-Dog": "never sent"})

    @app.get("/a-value/")
    @host.view
    def take(request: host.Request, value: Annotated[Any, host.Depends(returns_response)]):
        return value.headers["X-Cat-Dog"]

    return app


HEADER = {"x-cat-dog": "alone in the world"}
COOKIE = {"fakesession": "fake-cookie-session-value"}


def test_a_view_sets_headers_on_the_response_parameter(both) -> None:
    """And returns any object, as it would without."""
    answer = both(in_views).get("/headers-and-object/")
    assert (answer.content, answer.headers) == ({"message": "Hello World"}, HEADER)


def test_a_view_returns_a_response_with_headers(both) -> None:
    """Its own response arrives as it is."""
    answer = both(in_views).get("/headers/")
    assert answer.headers == {**HEADER, "content-language": "en-US"}


@pytest.mark.parametrize("url", ["/cookie-and-object/", "/cookie/"])
def test_a_view_sets_cookies(both, url) -> None:
    """On the parameter, or on a response of its own."""
    answer = both(in_views).post(url)
    assert answer.content == {"message": "Come to the dark side, we have cookies"}
    assert answer.cookies == COOKIE


def test_a_view_changes_the_status_code(both) -> None:
    """Created the first time, found the second."""
    answers = both(in_views)
    for status in (201, 200):
        answer = answers.ask("put", "/get-or-create-task/bar")
        assert (answer.status, answer.content) == (status, "This didn't exist before")
    answer = answers.ask("put", "/get-or-create-task/foo")
    assert (answer.status, answer.content) == (200, "Listen to the Bar Fighters")


@pytest.mark.row("C11", "C13", "C14")
def test_dependencies_may_set_all_three(both) -> None:
    """All that several dependables set is in the one response."""
    answers = both(in_dependencies)
    for status in (201, 200):
        answer = answers.ask("put", "/tasks/bar")
        assert answer == (status, "This didn't exist before", HEADER, COOKIE)


@pytest.mark.row("C13")
def test_the_last_status_that_was_set_wins(both) -> None:
    """Of two dependables and the view, whoever is called last."""
    answers = both(several_statuses)
    assert answers.get("/by-dependencies/").status == 203
    assert answers.get("/by-view/").status == 206


@pytest.mark.row("C14")
def test_a_status_that_was_set_wins_over_the_declared_one(both) -> None:
    """Whatever it is: to find is not to create."""
    answers = both(declared_status)
    assert answers.ask("put", "/tasks/").status == 201
    for status in (200, 202):
        assert answers.ask("put", f"/tasks/?status={status}").status == status


@pytest.mark.row("C14")
def test_a_view_with_a_response_of_its_own_keeps_them_here(both) -> None:
    """There they are dropped: the one difference of these pages, on purpose."""
    answers = both(in_dependencies)
    dropped = Answer(200, {"message": "Hello World"})
    assert answers.ask_theirs("get", "/own-response/") == dropped
    assert answers.ask_ours("get", "/own-response/") == dropped._replace(headers=HEADER)


@pytest.mark.row("C14")
def test_an_exception_drops_them(both) -> None:
    """An answer that is an error has none of what was meant for a success."""
    answer = both(in_dependencies).get("/failing/")
    assert answer == (404, {"detail": "Not Found"}, {}, {})


@pytest.mark.row("C15")
def test_a_response_that_a_dependable_returns_is_a_value(both) -> None:
    """The view gets it, and goes on."""
    assert both(returned).get("/a-value/") == (200, "never sent", {}, {})
