"""Background Tasks."""

from typing import Annotated, Any

import pytest


def notifications(host: Any) -> Any:
    app = host.app()

    def write_notification(email: str, message: str = ""):
        host.events.append(f"notification for {email}: {message}")

    @app.post("/send-notification/{email}")
    @host.view
    def send_notification(
        request: host.Request, email: str, background_tasks: host.BackgroundTasks
    ):
        background_tasks.add_task(write_notification, email, message="some notification")
        host.events.append("view")
        return {"message": "Notification sent in the background"}

    return app


@pytest.mark.row("C16")
def test_a_task_is_called_with_what_was_added(both) -> None:
    """After the view, with positional and named arguments."""
    answers = both(notifications)
    answer = answers.post("/send-notification/foo@example.com")
    assert answer.content == {"message": "Notification sent in the background"}
    assert answers.events() == ["view", "notification for foo@example.com: some notification"]


def log(host: Any) -> Any:
    app = host.app()

    async def write_log(message: str):
        host.events.append(message)

    def get_session():
        try:
            yield
        finally:
            host.events.append("session closed")

    def get_early():
        try:
            yield
        finally:
            host.events.append("early closed")

    def get_query(
        background_tasks: host.BackgroundTasks,
        session: Annotated[None, host.Depends(get_session)],
        early: Annotated[None, host.Depends(get_early, scope="function")],
        q: str | None = None,
    ):
        if q:
            background_tasks.add_task(write_log, f"found query: {q}")
        return q

    @app.post("/send-notification/{email}")
    @host.view
    def send_notification(
        request: host.Request,
        email: str,
        background_tasks: host.BackgroundTasks,
        q: Annotated[str | None, host.Depends(get_query)],
    ):
        background_tasks.add_task(write_log, f"message to {email}")
        if email == "nobody":
            raise host.HTTPException(status_code=404, detail="Nobody there")
        return {"message": "Message sent"}

    return app


@pytest.mark.row("C11", "C16", "F2", "F3")
def test_tasks_are_merged_from_all_levels(both) -> None:
    """One object for dependable and view: what the dependable added comes first.

    A generator of the default scope is still open for the tasks, one of function scope not.
    """
    answers = both(log)
    answer = answers.post("/send-notification/foo@example.com?q=some-query")
    assert answer.content == {"message": "Message sent"}
    assert answers.events() == [
        "early closed",
        "found query: some-query",
        "message to foo@example.com",
        "session closed",
    ]


@pytest.mark.row("C16")
def test_a_dependable_need_not_add_one(both) -> None:
    """Without a query there is one task."""
    answers = both(log)
    assert answers.post("/send-notification/foo@example.com").status == 200
    assert answers.events() == ["early closed", "message to foo@example.com", "session closed"]


@pytest.mark.row("C16")
def test_an_exception_takes_the_tasks_along(both) -> None:
    """No response of the view's, no tasks."""
    answers = both(log)
    assert answers.post("/send-notification/nobody?q=some-query").status == 404
    assert answers.events() == ["early closed", "session closed"]


@pytest.mark.row("C6")
def test_it_is_no_input(both) -> None:
    """When a view takes BackgroundTasks, then the document shows no input for them."""
    answers = both(log)
    assert answers.inputs("post", "/send-notification/{email}") == [
        ("path", "email", True),
        ("query", "q", False),
    ]
