"""A site for real servers: what happens in its requests it writes to a file.

The folder of that file is named by the environment. A test reads there what has happened,
and lets a request go on by making a file: so neither has to guess how long the other takes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import django
from django.conf import settings

FOLDER = Path(os.environ["SERVED_FOLDER"])
SECONDS = 10

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    # It sets Content-Length: without, granian says only after close() that a body has ended.
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["di"],
    LOGGING_CONFIG=None,
    USE_TZ=True,
)
django.setup()

from django.core.servers.basehttp import run  # noqa: E402 - needs the settings
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from ninja.streaming import JSONL  # noqa: E402

from di import BackgroundTasks, Depends, NinjaAPI  # noqa: E402
from di.asgi import get_asgi_application  # noqa: E402

_events = os.open(FOLDER / "events", os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def tell(key: str, event: str) -> None:
    """Append one line in one write, so that lines of all processes have one order."""
    os.write(_events, f"{os.getpid()} {key} {event}\n".encode())


@dataclass(frozen=True)
class Visit:
    """One request, as its test knows it.

    Attributes:
        key: tells its events from others.
        gates: where it waits until the test lets it go on.
    """

    key: str
    gates: frozenset[str]

    def tell(self, event: str) -> None:
        """Say what happens now."""
        tell(self.key, event)

    def pass_gate(self, name: str) -> None:
        """Wait there, if it is one of the gates."""
        deadline = time.monotonic() + SECONDS
        while self.is_shut(name) and time.monotonic() < deadline:
            time.sleep(0.002)

    async def apass_gate(self, name: str) -> None:
        """See `pass_gate`."""
        async with asyncio.timeout(SECONDS):
            while self.is_shut(name):  # noqa: ASYNC110 - another process opens it
                await asyncio.sleep(0.002)

    def is_shut(self, name: str) -> bool:
        """Whether the test has not opened this one yet."""
        return name in self.gates and not (FOLDER / f"{self.key}.{name}").exists()


def visit(key: str, gates: str = "") -> Visit:
    return Visit(key, frozenset(gates.split(",")))


V = Annotated[Visit, Depends(visit)]


def generator(visit: V, scope: str) -> Iterator[None]:
    visit.tell(f"{scope} opens")
    try:
        yield
    except BaseException as error:
        visit.tell(f"{scope} sees {type(error).__name__}")
        raise
    finally:
        visit.pass_gate(f"{scope} closes")
        visit.tell(f"{scope} closes")


async def async_generator(visit: V, scope: str) -> AsyncIterator[None]:
    visit.tell(f"{scope} opens")
    try:
        yield
    except BaseException as error:
        visit.tell(f"{scope} sees {type(error).__name__}")
        raise
    finally:
        await visit.apass_gate(f"{scope} closes")
        visit.tell(f"{scope} closes")


def of_request(visit: V) -> Iterator[None]:
    yield from generator(visit, "request")


def of_function(visit: V) -> Iterator[None]:
    yield from generator(visit, "function")


async def aof_request(visit: V) -> AsyncIterator[None]:
    async with asynccontextmanager(async_generator)(visit, "request"):
        yield


async def aof_function(visit: V) -> AsyncIterator[None]:
    async with asynccontextmanager(async_generator)(visit, "function"):
        yield


def base() -> Iterator[str]:
    tell("app", "base opens")
    time.sleep(0.05)
    yield str(os.getpid())
    tell("app", "base closes")


async def middle(base: str = Depends(base, scope="app")) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    tell("app", "middle opens")
    await asyncio.sleep(0.05)
    yield base
    await asyncio.sleep(0.01)
    tell("app", f"middle closes on its loop: {loop is asyncio.get_running_loop()}")


def top(middle: str = Depends(middle, scope="app")) -> Iterator[str]:
    tell("app", "top opens")
    yield middle
    tell("app", "top closes")


def task(visit: Visit) -> None:
    visit.tell("task begins")
    visit.pass_gate("task")
    visit.tell("task ends")


async def atask(visit: Visit) -> None:
    visit.tell("task begins")
    await visit.apass_gate("task")
    visit.tell("task ends")


def items(visit: Visit, count: int) -> Iterator[int]:
    try:
        for item in range(count):
            yield item
            visit.pass_gate(f"item {item}")
            time.sleep(0.001)
    finally:
        visit.tell("stream ends")


async def aitems(visit: Visit, count: int) -> AsyncIterator[int]:
    try:
        for item in range(count):
            yield item
            await visit.apass_gate(f"item {item}")
            await asyncio.sleep(0.001)
    finally:
        visit.tell("stream ends")


def add_sync_views(api: NinjaAPI, of_function: Any, of_request: Any) -> None:
    """Add the sync views, with these two dependables."""

    @api.api_operation(["GET", "HEAD"], "/plain")
    def plain(
        request: HttpRequest,
        visit: V,
        tasks: BackgroundTasks,
        r: None = Depends(of_request),
        f: None = Depends(of_function, scope="function"),
    ) -> str:
        visit.tell("view")
        visit.pass_gate("view")
        tasks.add_task(task, visit)
        return "plain"

    @api.get("/jsonl", response=JSONL[int])
    def jsonl(
        request: HttpRequest,
        visit: V,
        count: int = 3,
        r: None = Depends(of_request),
        f: None = Depends(of_function, scope="function"),
    ) -> Iterator[int]:
        yield from items(visit, count)

    @api.get("/stream")
    def stream(
        request: HttpRequest,
        visit: V,
        count: int = 3,
        r: None = Depends(of_request),
        f: None = Depends(of_function, scope="function"),
    ) -> StreamingHttpResponse:
        return StreamingHttpResponse(f"{item}\n" for item in items(visit, count))

    @api.get("/app")
    def app(request: HttpRequest, top: str = Depends(top, scope="app")) -> str:
        return top


def add_async_views(api: NinjaAPI, of_function: Any, of_request: Any) -> None:
    """Add the async views, with these two dependables."""

    @api.api_operation(["GET", "HEAD"], "/plain")
    async def plain(
        request: HttpRequest,
        visit: V,
        tasks: BackgroundTasks,
        r: None = Depends(of_request),
        f: None = Depends(of_function, scope="function"),
    ) -> str:
        visit.tell("view")
        await visit.apass_gate("view")
        tasks.add_task(atask, visit)
        return "plain"

    @api.get("/jsonl", response=JSONL[int])
    async def jsonl(
        request: HttpRequest,
        visit: V,
        count: int = 3,
        r: None = Depends(of_request),
        f: None = Depends(of_function, scope="function"),
    ) -> AsyncIterator[int]:
        async with aclosing(aitems(visit, count)) as stream:
            async for item in stream:
                yield item

    @api.get("/stream")
    async def stream(
        request: HttpRequest,
        visit: V,
        count: int = 3,
        r: None = Depends(of_request),
        f: None = Depends(of_function, scope="function"),
    ) -> StreamingHttpResponse:
        async def lines() -> AsyncIterator[str]:
            async with aclosing(aitems(visit, count)) as stream:
                async for item in stream:
                    yield f"{item}\n"

        return StreamingHttpResponse(lines())

    @api.get("/app")
    async def app(request: HttpRequest, top: str = Depends(top, scope="app")) -> str:
        return top


def site() -> Iterator[Any]:
    """Yield the paths of each kind of view with each kind of generator."""
    for view, add in (("sync", add_sync_views), ("async", add_async_views)):
        for kind, made in (
            ("generator", (of_function, of_request)),
            ("async_generator", (aof_function, aof_request)),
        ):
            api = NinjaAPI(urls_namespace=f"{view}-{kind}")
            add(api, *made)
            yield path(f"{view}/{kind}/", api.urls)


urlpatterns = list(site())
wsgi = get_wsgi_application()
asgi = get_asgi_application()

if __name__ == "__main__":
    # As `manage.py runserver` does, in one process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    run("127.0.0.1", int(sys.argv[1].removeprefix("--port=")), wsgi, threading=True)
