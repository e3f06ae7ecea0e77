"""The end of an ASGI server, as the lifespan protocol tells it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.http import HttpRequest
from pytest_django import Settings

from di import Depends, NinjaAPI
from di.asgi import get_asgi_application
from tests.di.conftest import World


@pytest.mark.parametrize("is_patient", [True, False])
def test_requests_end_then_the_app_does(
    is_patient: bool, api: NinjaAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only then the server is told, unless a request takes too long."""
    monkeypatch.setattr("di.asgi._SECONDS_TO_END", 5 if is_patient else 0.01)
    events: list[Any] = []
    requested: list[bool] = []
    is_in_view, goes_on = asyncio.Event(), asyncio.Event()

    async def kept() -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        yield
        await asyncio.sleep(0)
        events.append(("app closes", loop is asyncio.get_running_loop()))

    @api.get("/x")
    async def view(request: HttpRequest, a: None = Depends(kept, scope="app")) -> None:
        is_in_view.set()
        await goes_on.wait()
        events.append("view ends")

    World("asgi-async", settings).serve(api)
    application = get_asgi_application()
    from_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(message: dict[str, Any]) -> None:
        events.append(message["type"])

    async def receive_request() -> dict[str, Any]:
        if not requested:
            requested.append(True)
            return {"type": "http.request", "body": b""}
        await asyncio.sleep(60)  # the client stays
        return {"type": "http.disconnect"}

    async def run() -> None:
        lifespan = asyncio.create_task(application({"type": "lifespan"}, from_server.get, send))
        from_server.put_nowait({"type": "lifespan.startup"})
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/x",
            "query_string": b"",
            "headers": [(b"host", b"testserver")],
        }
        request = asyncio.create_task(application(scope, receive_request, send))
        await is_in_view.wait()
        from_server.put_nowait({"type": "lifespan.shutdown"})
        if not is_patient:
            await lifespan
        await asyncio.sleep(0.01)
        goes_on.set()
        await asyncio.gather(lifespan, request)

    asyncio.run(run())
    request_ends = ["view ends", "http.response.start", "http.response.body"]
    app_ends = [("app closes", True), "lifespan.shutdown.complete"]
    ends = request_ends + app_ends if is_patient else app_ends + request_ends
    assert events == ["lifespan.startup.complete", *ends]
