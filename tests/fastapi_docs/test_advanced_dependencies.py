"""Advanced Dependencies."""

from typing import Annotated, Any

import pytest


class FixedContentQueryChecker:
    def __init__(self, fixed_content: str):
        self.fixed_content = fixed_content

    def __call__(self, q: str = ""):
        if q:
            return self.fixed_content in q
        return False


checker = FixedContentQueryChecker("bar")


def parameterized(host: Any) -> Any:
    app = host.app()

    @app.get("/query-checker/")
    @host.view
    def read_query_check(
        request: host.Request,
        fixed_content_included: Annotated[bool, host.Depends(checker)],
        other: Annotated[bool, host.Depends(FixedContentQueryChecker("foo"))],
    ):
        return {"fixed_content_in_query": fixed_content_included, "other": other}

    return app


@pytest.mark.row("B6")
def test_a_callable_instance_is_a_parameterized_dependency(both) -> None:
    """Its ``__call__`` declares what it takes; what it was made with stays its own."""
    answers = both(parameterized)
    assert answers.get("/query-checker/").content == {
        "fixed_content_in_query": False,
        "other": False,
    }
    assert answers.get("/query-checker/?q=qwerty").content == {
        "fixed_content_in_query": False,
        "other": False,
    }
    assert answers.get("/query-checker/?q=foobar").content == {
        "fixed_content_in_query": True,
        "other": True,
    }
    assert answers.get("/query-checker/?q=bar").content == {
        "fixed_content_in_query": True,
        "other": False,
    }
    assert answers.inputs("get", "/query-checker/") == [("query", "q", False)]


class Session:
    def __init__(self, events: list[str]):
        self.events = events
        self.is_open = True

    def close(self):
        if self.is_open:
            self.is_open = False
            self.events.append("closed")


def streaming(*, scope: str | None = None, closes_early: bool = False) -> Any:
    """Return the page's slow stream behind a user of whom the session knows."""

    def example(host: Any) -> Any:
        app = host.app()

        def get_session():
            session = Session(host.events)
            try:
                yield session
            finally:
                session.close()

        def get_user(
            user_id: int, session: Annotated[Session, host.Depends(get_session, scope=scope)]
        ):
            if user_id != 1:
                raise host.HTTPException(status_code=403, detail="Not authorized")
            if closes_early:
                session.close()

        def generate_stream(query: str):
            for ch in query:
                host.events.append(ch)
                yield ch

        @app.get("/generate", dependencies=[host.Depends(get_user)])
        @host.view
        def generate(request: host.Request, query: str):
            return host.StreamingResponse(host.stream(generate_stream(query)))

        return app

    return example


@pytest.mark.row("F2", "F13")
def test_the_exit_code_runs_after_the_response_finished_sending(both) -> None:
    """A slow stream may use the session to its end."""
    answers = both(streaming())
    assert answers.stream("/generate?user_id=1&query=abc") == b"abc"
    assert answers.events() == ["a", "b", "c", "closed"]


def test_a_session_that_is_not_needed_may_be_closed_early(both) -> None:
    """Closing it in the dependable frees the connection while the stream goes on."""
    answers = both(streaming(closes_early=True))
    assert answers.stream("/generate?user_id=1&query=abc") == b"abc"
    assert answers.events() == ["closed", "a", "b", "c"]


@pytest.mark.row("F3", "F13")
def test_scope_function_exits_before_the_stream(both) -> None:
    """The same without a word in the dependable: the session ends with the view."""
    answers = both(streaming(scope="function"))
    assert answers.stream("/generate?user_id=1&query=abc") == b"abc"
    assert answers.events() == ["closed", "a", "b", "c"]


@pytest.mark.row("D6")
def test_nobody_else_gets_the_stream(both) -> None:
    """The refusal of the dependable is the whole answer."""
    answers = both(streaming())
    refused = answers.get("/generate?user_id=2&query=abc")
    assert (refused.status, refused.content) == (403, {"detail": "Not authorized"})
    assert answers.events() == ["closed"]
