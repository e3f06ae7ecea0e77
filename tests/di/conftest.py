"""One test, every world: WSGI and ASGI handlers, sync and async views."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, async_to_sync
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django import Settings

from di import NinjaAPI


@functools.cache
def lasting_loop() -> asyncio.AbstractEventLoop:
    """Return a loop that serves requests until the tests end, as a server's does."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="server", daemon=True).start()
    return loop


def on_one_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make *function* callable from a test, whose thread is then the request's.

    So does `async_to_sync`, with a thread and a loop of its own for each call, unless it
    knows of a loop.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        known = SyncToAsync.threadlocal
        known.main_event_loop, known.main_event_loop_pid = lasting_loop(), os.getpid()
        try:
            return async_to_sync(function)(*args, **kwargs)
        finally:
            del known.main_event_loop, known.main_event_loop_pid

    return call


class World:
    """A way to serve: one of Django's two handlers, and one of the two kinds of view."""

    def __init__(self, name: str, settings: Settings) -> None:
        handler, kind = name.split("-")
        self.is_asgi = handler == "asgi"
        self.is_async = kind == "async"
        self.settings = settings
        self.events: list[str] = []
        self.checks_csrf = False

    def view(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the sync *function* as a view of this world's kind."""
        if not self.is_async:
            return function

        @functools.wraps(function)
        async def view(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return view

    def serve(self, *apis: Any) -> None:
        """Make *apis* the whole site: the first at /, each next at /<its namespace>/."""
        site = types.ModuleType("site")
        first, *others = apis
        site.urlpatterns = [  # type: ignore[attr-defined]
            *(path(f"{api.urls_namespace}/", api.urls) for api in others),
            path("", first.urls),
        ]
        self.settings.ROOT_URLCONF = site

    def request(
        self, method: str, url: str, *, cookies: Mapping[str, str] | None = None, **options: Any
    ) -> HttpResponse:
        """Send one request through Django's real handler, in a context of its own."""
        send = getattr(self.client(cookies or {}), method)
        if self.is_asgi:
            send = on_one_loop(send)
        return contextvars.copy_context().run(send, url, **options)

    def client(self, cookies: Mapping[str, str]) -> Any:
        """Return a client of this world's handler."""
        client = (AsyncClient if self.is_asgi else Client)(
            raise_request_exception=False, enforce_csrf_checks=self.checks_csrf
        )
        client.cookies.load(dict(cookies))
        return client

    def get_stream(self, url: str) -> bytes:
        """Return the whole body of a streamed response."""
        if not self.is_asgi:
            return b"".join(self.get(url).streaming_content)  # type: ignore[attr-defined]

        async def read() -> bytes:
            response = await self.client({}).get(url)
            body = b"".join([chunk async for chunk in response.streaming_content])
            # AsyncClient closes a stream on its loop; what that starts must have run.
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
            return body

        return async_to_sync(read)()

    def get(self, url: str, **options: Any) -> HttpResponse:
        """See `request`."""
        return self.request("get", url, **options)

    def post(self, url: str, data: object = None, **options: Any) -> HttpResponse:
        """Send *data* as JSON; see `request`."""
        return self.request("post", url, data=data, content_type="application/json", **options)

    def get_through_server(self, url: str) -> bytes:
        """Return the body that Django's ASGI application sends, as under a real server."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": "GET",
            "path": url,
            "query_string": b"",
            "headers": [(b"host", b"testserver")],
        }
        done = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not sent and not done.is_set():
                done.set()
                return {"type": "http.request", "body": b""}
            await asyncio.sleep(60)  # the client stays; Django cancels this when it is done
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(ASGIHandler()(scope, receive, send))  # type: ignore[arg-type]
        return b"".join(message.get("body", b"") for message in sent)


@pytest.fixture(params=["wsgi-sync", "wsgi-async", "asgi-sync", "asgi-async"])
def world(request: pytest.FixtureRequest, settings: Settings) -> World:
    """One of the four ways to serve, without the project's middleware: that is tested there."""
    settings.MIDDLEWARE = []
    return World(request.param, settings)


@pytest.fixture
def api() -> Iterator[NinjaAPI]:
    """An empty API that injects by itself."""
    return NinjaAPI(urls_namespace="api")
