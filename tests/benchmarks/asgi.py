"""The cost of one ASGI request: `di.asgi`, Django's own handler and FastAPI, without a socket."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.conf import settings
from django.urls import path

django.setup()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402 - Django comes first
from fastapi import FastAPI  # noqa: E402

from di import NinjaAPI  # noqa: E402
from di.asgi import Handler  # noqa: E402
from tests.benchmarks import shared  # noqa: E402

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

api = NinjaAPI(urls_namespace="asgi")
reference = FastAPI()


async def read_async(q: int) -> dict[str, int]:
    """Answer at once."""
    return {"q": q}


async def read_waiting(q: int) -> dict[str, int]:
    """Let other requests go first."""
    await asyncio.sleep(0)
    return {"q": q}


def read_sync(q: int) -> dict[str, int]:
    """Answer from a thread."""
    return {"q": q}


WORKS = (
    ("/async", "async view", read_async),
    ("/waiting", "async view that waits once", read_waiting),
    ("/sync", "sync view", read_sync),
)


@api.get("/async")
async def _async(request, q: int):
    return await read_async(q)


@api.get("/waiting")
async def _waiting(request, q: int):
    return await read_waiting(q)


@api.get("/sync")
def _sync(request, q: int):
    return read_sync(q)


for url, _, function in WORKS:
    reference.get(url)(function)


def measure(effort: shared.Effort, _: argparse.Namespace) -> shared.Report:
    """Ask each application for the same in turn."""
    versions = shared.versions("django", "django-ninja", "asgiref", "fastapi")
    report = shared.Report(
        "One ASGI request without a socket: how many times the time of di.asgi",
        [
            "One request after the other, no middleware, in this process.",
            f"CPU time of all threads. {shared.HOW} {shared.GARBAGE}",
            "The answers are compared before.",
            ", ".join(f"{name} {found}" for name, found in versions.items()),
        ],
    )
    report.data["versions"] = versions
    rows = []
    for url, name, _function in WORKS:
        sides: dict[str, Application] = {
            "di.asgi": Handler(),
            "Django": ASGIHandler(),
            "FastAPI": reference,
        }
        answers = {side: asyncio.run(_answers(one, url, 1)) for side, one in sides.items()}
        assert all(answer == {"q": 3} for answer in answers.values()), answers
        runs = {side: _running(one, url) for side, one in sides.items()}
        found = shared.measured(runs, effort, name)
        ratios = {
            side: shared.Ratio.between(found[side], found["di.asgi"])
            for side in ("Django", "FastAPI")
        }
        own = shared.Ratio.of(found["di.asgi"])
        report.data[name] = {"ratios": ratios, "seconds": own}
        rows.append([name, *ratios.values(), shared.microseconds(own.median)])
    report.tables.append(("A request", ["", "Django", "FastAPI", "di.asgi µs"], rows))
    return report


def _running(application: Application, url: str) -> shared.Run:
    def run(count: int) -> float:
        start = time.process_time()
        asyncio.run(_answers(application, url, count))
        return time.process_time() - start

    return run


async def _answers(application: Application, url: str, count: int) -> Any:
    """Send *count* requests, each in a task as a server does, and return the last body."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": url,
        "raw_path": url.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"q=3",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    sent: list[dict[str, Any]] = []
    for _ in range(count):
        sent.clear()
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive(messages: list[dict[str, Any]] = messages) -> dict[str, Any]:
            if messages:
                return messages.pop()
            return await asyncio.get_running_loop().create_future()  # the client stays

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await asyncio.create_task(application(dict(scope), receive, send))  # type: ignore[arg-type]
    return json.loads(sent[1]["body"])


def main() -> None:
    """Run with the three views as the whole site."""
    settings.ROOT_URLCONF = (path("", api.urls),)
    shared.main("asgi", measure)


if __name__ == "__main__":
    main()
