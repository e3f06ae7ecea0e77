"""Dependencies with yield."""

import logging
from typing import Annotated, Any

import pytest

from di.exceptions import DependencyScopeError, GeneratorProtocolError

data = {
    "plumbus": {"description": "Freshly pickled plumbus", "owner": "Morty"},
    "portal-gun": {"description": "Gun to create portals", "owner": "Rick"},
}


class OwnerError(Exception):
    pass


class InternalError(Exception):
    pass


class DBSession:
    """A session that notes when it is closed."""

    def __init__(self, events: list[str]):
        self.events = events
        self.is_open = True

    def close(self):
        self.is_open = False
        self.events.append("closed")


def database(host: Any) -> Any:
    app = host.app()

    async def get_db():
        db = DBSession(host.events)
        try:
            yield db
        finally:
            db.close()

    @app.get("/items/")
    @host.view
    def read_items(request: host.Request, db: Annotated[DBSession, host.Depends(get_db)]):
        host.events.append("view")
        return db.is_open

    @app.get("/failing/")
    @host.view
    def fail(request: host.Request, db: Annotated[DBSession, host.Depends(get_db)]):
        raise host.HTTPException(status_code=404, detail="Item not found")

    return app


@pytest.mark.row("B4", "F2")
def test_a_database_dependency_with_yield(both) -> None:
    """The view gets what is yielded; the code after it runs once the view is done."""
    answers = both(database)
    assert answers.get("/items/").content is True
    assert answers.events() == ["view", "closed"]


@pytest.mark.row("F7")
def test_finally_runs_whether_or_not_there_was_an_exception(both) -> None:
    """An exception of the view comes out of the yield."""
    answers = both(database)
    assert answers.get("/failing/").content == {"detail": "Item not found"}
    assert answers.events() == ["closed"]


def tree(host: Any) -> Any:
    app = host.app()

    async def dependency_a():
        host.events.append("a opens")
        try:
            yield "a"
        finally:
            host.events.append("a closes")

    def dependency_b(dep_a: Annotated[str, host.Depends(dependency_a)]):
        host.events.append(f"b opens on {dep_a}")
        try:
            yield "b"
        finally:
            host.events.append(f"b closes on {dep_a}")

    def returning(dep_b: Annotated[str, host.Depends(dependency_b)]):
        return f"returned {dep_b}"

    async def dependency_c(
        dep_b: Annotated[str, host.Depends(dependency_b)],
        returned: Annotated[str, host.Depends(returning)],
    ):
        host.events.append(f"c opens on {dep_b} and {returned}")
        try:
            yield "c"
        finally:
            host.events.append(f"c closes on {dep_b} and {returned}")

    @app.get("/tree/")
    @host.view
    def read_tree(request: host.Request, dep_c: Annotated[str, host.Depends(dependency_c)]):
        host.events.append(f"view with {dep_c}")

    return app


@pytest.mark.row("B3", "B4", "F5")
def test_sub_dependencies_with_yield_close_in_the_right_order(both) -> None:
    """What a dependable needs is still there when it is closed; return and yield mix."""
    answers = both(tree)
    assert answers.get("/tree/").status == 200
    assert answers.events() == [
        "a opens",
        "b opens on a",
        "c opens on b and returned b",
        "view with c",
        "c closes on b and returned b",
        "b closes on a",
        "a closes",
    ]


def owner(host: Any) -> Any:
    app = host.app()

    def get_username():
        try:
            yield "Rick"
        except OwnerError as error:
            raise host.HTTPException(status_code=400, detail=f"Owner error: {error}") from error

    @app.get("/items/{item_id}")
    @host.view
    def get_item(
        request: host.Request,
        item_id: str,
        username: Annotated[str, host.Depends(get_username)],
    ):
        if item_id not in data:
            raise host.HTTPException(status_code=404, detail="Item not found")
        item = data[item_id]
        if item["owner"] != username:
            raise OwnerError(username)
        return item

    return app


@pytest.mark.row("F8")
def test_it_may_catch_an_exception_and_raise_an_answer(both) -> None:
    """An `OwnerError` of the view becomes a 400; what is not caught passes."""
    answers = both(owner)
    caught = answers.get("/items/plumbus")
    assert (caught.status, caught.content) == (400, {"detail": "Owner error: Rick"})
    passed = answers.get("/items/other")
    assert (passed.status, passed.content) == (404, {"detail": "Item not found"})
    assert answers.get("/items/portal-gun").content == data["portal-gun"]


def username_example(*, raises_again: bool) -> Any:
    """Return the page's two examples of ``except`` without and with ``raise``."""

    def example(host: Any) -> Any:
        app = host.app()

        def get_username():
            try:
                yield "Rick"
            except InternalError:
                host.events.append("caught")
                if raises_again:
                    raise

        @app.get("/items/{item_id}")
        @host.view
        def get_item(
            request: host.Request,
            item_id: str,
            username: Annotated[str, host.Depends(get_username)],
        ):
            if item_id == "portal-gun":
                raise InternalError(f"The portal gun is too dangerous to be owned by {username}")
            if item_id != "plumbus":
                raise host.HTTPException(
                    status_code=404, detail="Item not found, there's only a plumbus here"
                )
            return item_id

        return app

    return example


@pytest.mark.parametrize("raises_again", [False, True])
def test_except_is_for_what_is_named_there(both, raises_again) -> None:
    """Success and a 404 pass through a generator that catches something else."""
    answers = both(username_example(raises_again=raises_again))
    assert answers.get("/items/plumbus").content == "plumbus"
    missing = answers.get("/items/foo")
    assert missing.status == 404
    assert missing.content == {"detail": "Item not found, there's only a plumbus here"}
    assert answers.events() == []


def errors_in(caplog: pytest.LogCaptureFixture) -> list[type[BaseException] | None]:
    """Return the exceptions that Django logged with an answer of 500."""
    return [
        record.exc_info[0]
        for record in caplog.records
        if record.name == "django.request" and record.exc_info
    ]


@pytest.mark.row("F7")
def test_always_raise_again(both, caplog) -> None:
    """The client sees a 500 and the server's log has the exception itself."""
    answers = both(username_example(raises_again=True))
    with caplog.at_level(logging.ERROR, "django.request"):
        assert answers.get("/items/portal-gun").status == 500
    assert errors_in(caplog) == [InternalError]
    assert answers.events() == ["caught"]


@pytest.mark.row("F10")
def test_not_raising_again_hides_nothing_here(both, caplog) -> None:
    """A 500 in both; there the log tells nothing of the cause, here it does, and of the hiding."""
    answers = both(username_example(raises_again=False))
    with caplog.at_level(logging.WARNING):
        assert answers.get("/items/portal-gun").status == 500
    assert errors_in(caplog) == [InternalError]
    (warning,) = (record.getMessage() for record in caplog.records if record.name == "di")
    assert "swallowed InternalError('The portal gun is too dangerous" in warning
    assert answers.events() == ["caught"]


def swallowed_inside(host: Any) -> Any:
    app = host.app()

    def get_session():
        try:
            yield
        except InternalError:
            host.events.append("rollback")
            raise
        else:
            host.events.append("commit")

    def get_username(session: Annotated[None, host.Depends(get_session)]):
        try:
            yield "Rick"
        except InternalError:
            host.events.append("swallowed")

    @app.get("/x")
    @host.view
    def read(request: host.Request, username: Annotated[str, host.Depends(get_username)]):
        raise InternalError

    return app


@pytest.mark.row("F10")
def test_what_is_outside_sees_an_exception_that_is_swallowed_inside(both) -> None:
    """There the session of a request that failed is committed; here it is rolled back."""
    answers = both(swallowed_inside)
    assert answers.get("/x").status == 500
    assert answers.hosts["theirs"].events == ["swallowed", "commit"]
    assert answers.hosts["ours"].events == ["swallowed", "rollback"]


def early_exit(host: Any) -> Any:
    app = host.app()

    def get_username(answer: bool = True):
        try:
            yield "Rick"
        finally:
            host.events.append("cleanup")
        if not answer:
            raise host.HTTPException(status_code=503, detail="Cleanup failed")

    @app.get("/users/me")
    @host.view
    def get_user_me(
        request: host.Request,
        username: Annotated[str, host.Depends(get_username, scope="function")],
    ):
        return username

    @app.get("/late")
    @host.view
    def get_late(request: host.Request, username: Annotated[str, host.Depends(get_username)]):
        return username

    return app


@pytest.mark.row("F3", "F9")
def test_early_exit_comes_before_the_response_is_sent(both) -> None:
    """With scope="function" the code after the yield can still change the answer."""
    answers = both(early_exit)
    assert answers.get("/users/me").content == "Rick"
    failed = answers.get("/users/me?answer=false")
    assert (failed.status, failed.content) == (503, {"detail": "Cleanup failed"})
    assert answers.events() == ["cleanup", "cleanup"]


@pytest.mark.row("F2", "F9")
def test_exit_normally_comes_after_it(both, caplog) -> None:
    """Without a scope the answer is gone by then; what is raised is in the log."""
    answers = both(early_exit)
    with caplog.at_level(logging.ERROR, "di"):
        late = answers.get("/late?answer=false")
    assert (late.status, late.content) == (200, "Rick")
    assert answers.events() == ["cleanup"]
    (logged,) = (record for record in caplog.records if record.name == "di")
    assert str(logged.exc_info[1]) == "503: Cleanup failed"


def scopes(outer: str, inner: str) -> Any:
    """Return an example with a dependable of one scope on one of another."""

    def example(host: Any) -> Any:
        app = host.app()

        def get_inner():
            host.events.append("inner opens")
            yield "inner"
            host.events.append("inner closes")

        def get_outer(value: Annotated[str, host.Depends(get_inner, scope=inner)]):
            host.events.append("outer opens")
            yield f"outer on {value}"
            host.events.append("outer closes")

        @app.get("/x")
        @host.view
        def read(
            request: host.Request, value: Annotated[str, host.Depends(get_outer, scope=outer)]
        ):
            return value

        return app

    return example


@pytest.mark.row("F1", "F5")
@pytest.mark.parametrize(
    ("outer", "inner"),
    [("function", "function"), ("function", "request"), ("request", "request")],
)
def test_function_scope_may_rest_on_either(both, outer, inner) -> None:
    """The dependable closes before what it needs, in each of the allowed pairs."""
    answers = both(scopes(outer, inner))
    assert answers.get("/x").content == "outer on inner"
    assert answers.events() == ["inner opens", "outer opens", "outer closes", "inner closes"]


@pytest.mark.row("F6", "J4")
def test_request_scope_may_not_rest_on_function_scope(world) -> None:
    """Both hosts refuse it where it is declared."""
    from fastapi.exceptions import DependencyScopeError as OriginalError

    from tests.fastapi_docs.hosts import ours, theirs

    with pytest.raises(OriginalError, match="cannot depend on dependencies with scope"):
        scopes("request", "function")(theirs())
    with pytest.raises(DependencyScopeError, match='uses one of scope "function"'):
        scopes("request", "function")(ours(world))


class MySuperContextManager:
    def __init__(self, events: list[str]):
        self.db = DBSession(events)

    def __enter__(self):
        return self.db

    def __exit__(self, exc_type, exc_value, traceback):
        self.db.close()


def context_manager(host: Any) -> Any:
    app = host.app()

    async def get_db():
        with MySuperContextManager(host.events) as db:
            yield db

    @app.get("/items/")
    @host.view
    def read_items(request: host.Request, db: Annotated[DBSession, host.Depends(get_db)]):
        host.events.append("view")
        return db.is_open

    return app


@pytest.mark.row("B4")
def test_context_managers_inside_dependencies_with_yield(both) -> None:
    """`with` inside the generator holds as long as the generator does."""
    answers = both(context_manager)
    assert answers.get("/items/").content is True
    assert answers.events() == ["view", "closed"]


def never_or_twice(host: Any) -> Any:
    app = host.app()

    def outside():
        try:
            yield
        except Exception:
            host.events.append("outside sees an error")
            raise

    async def yields(times: int):
        for _ in range(times):
            yield
            host.events.append("after a yield")

    for scope in ("function", "request"):

        @app.get(f"/{scope}/")
        @host.view
        def read(
            request: host.Request,
            outer: Annotated[None, host.Depends(outside, scope=scope)],
            inner: Annotated[None, host.Depends(yields, scope=scope)],
        ):
            return "read"

    return app


@pytest.mark.row("F12")
@pytest.mark.parametrize(
    ("scope", "status", "logger"), [("function", 500, "django.request"), ("request", 200, "di")]
)
def test_a_second_yield_is_an_error(both, scope, status, logger, caplog) -> None:
    """It is the answer in function scope; in request scope that is sent, and the log has it."""
    answers = both(never_or_twice)
    assert answers.get(f"/{scope}/?times=1").status == 200
    assert answers.get(f"/{scope}/?times=2").status == status
    assert answers.events() == ["after a yield"] * 2 + ["outside sees an error"]
    logged = [(record.name, record.exc_info[0]) for record in caplog.records if record.exc_info]
    assert logged == [(logger, GeneratorProtocolError)]


@pytest.mark.row("F12")
@pytest.mark.parametrize("scope", ["function", "request"])
def test_without_a_yield_there_is_no_answer(both, scope) -> None:
    """The view is not called, in neither scope."""
    answers = both(never_or_twice)
    assert answers.get(f"/{scope}/?times=0").status == 500
    assert answers.events() == ["outside sees an error"]
