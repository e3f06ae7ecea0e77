"""Middleware: what it says of dependencies with yield."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

noted: list[str] = []


@sync_and_async_middleware
def in_django(get_response: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(get_response):

        async def amiddleware(request):
            noted.append("middleware begins")
            response = await get_response(request)
            noted.append("middleware ends")
            return response

        return amiddleware

    def middleware(request):
        noted.append("middleware begins")
        response = get_response(request)
        noted.append("middleware ends")
        return response

    return middleware


def in_fastapi(app: Any, events: list[str]) -> None:
    @app.middleware("http")
    async def middleware(request, call_next):
        events.append("middleware begins")
        response = await call_next(request)
        events.append("middleware ends")
        return response


def database(host: Any) -> Any:
    app = host.app()

    def get_db(background_tasks: host.BackgroundTasks):
        host.events.append("opened")
        background_tasks.add_task(host.events.append, "task")
        yield
        host.events.append("closed")

    @app.get("/x", dependencies=[host.Depends(get_db)])
    @host.view
    def read(request: host.Request):
        host.events.append("view")

    return app


@pytest.mark.row("C16", "F2")
def test_the_exit_code_runs_after_the_middleware(both, settings) -> None:
    """The middleware has got its response by then; background tasks come between."""
    settings.MIDDLEWARE = [f"{__name__}.in_django"]
    answers = both(database)
    in_fastapi(answers.original, answers.hosts["theirs"].events)
    noted.clear()
    answers.hosts["ours"].events = noted
    assert answers.get("/x").status == 200
    assert answers.events() == [
        "middleware begins",
        "opened",
        "view",
        "middleware ends",
        "task",
        "closed",
    ]
