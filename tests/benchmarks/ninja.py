"""What injection costs inside Ninja: Django's WSGI handler in this process, no socket."""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import path

django.setup()

import ninja  # noqa: E402 - Django comes first

import di  # noqa: E402
from tests.benchmarks import graphs, hosts, ours, shared  # noqa: E402
from tests.benchmarks.served import create_table  # noqa: E402

HOSTS = ("by hand", "ours")
_OPERATIONS = 500


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the table."""

    name: str
    path: str
    body: bytes = b""
    query: str = ""
    to_reach: str = ""


_BODY = b'{"name": "Ann", "email": "ann@example.com"}'
WORKS = (
    Work(
        "GET, 2 inputs in a dependable, a generator",
        "session",
        query="skip=1&limit=9",
        to_reach="1.05",
    ),
    Work("GET, 2 inputs in a dependable", "inputs", query="skip=1&limit=9", to_reach="1.00"),
    Work("POST, a body, current user, a generator", "users", _BODY, to_reach="1.05"),
    Work("POST, a body, current user, a row in a Session", "rows", _BODY, to_reach="1.05"),
)


def measure(effort: shared.Effort, _: argparse.Namespace) -> shared.Report:
    """Ask both hosts for the same, and import operations by the hundred."""
    report = shared.Report(
        "Inside Ninja: how many times the time of a plain Ninja view written by hand",
        [
            "Django's WSGI handler without middleware, in this process.",
            f"CPU time. {shared.HOW} {shared.GARBAGE}",
            "Both sides' answers are compared before.",
        ],
    )
    versions = shared.versions("django", "django-ninja", "pydantic")
    report.notes.append(", ".join(f"{name} {found}" for name, found in versions.items()))
    report.data["versions"] = versions
    rows = []
    for work in WORKS:
        found = _times(work, effort)
        ratio = shared.Ratio.between(found["ours"], found["by hand"])
        seconds = {name: shared.Ratio.of(found[name]) for name in HOSTS}
        report.data[work.name] = {"ratio": ratio, "seconds": seconds}
        micro = [shared.microseconds(seconds[name].median) for name in HOSTS]
        rows.append([work.name, ratio, *micro, work.to_reach])
    titles = ["", "ratio", "by hand µs", "ours µs", "to reach"]
    report.tables.append(("A request", titles, rows))
    report.tables.append(_imports(effort, report))
    return report


def _times(work: Work, effort: shared.Effort) -> dict[str, list[float]]:
    sends = {name: _sending(host, work) for host, name in enumerate(HOSTS)}
    answers = [json.loads(send()) for send in sends.values()]
    if work.path == "rows":  # each its own row
        answers = [sorted(answer) for answer in answers]
    assert answers[0] == answers[1], answers
    runs = {name: shared.repeated(send) for name, send in sends.items()}
    return shared.measured(runs, effort, work.name)


def _sending(host: int, work: Work) -> Callable[[], bytes]:
    """Return what sends *work* to a host through the handler and returns the body."""
    handler = WSGIHandler()
    environ = {
        "REQUEST_METHOD": "POST" if work.body else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": f"/{host}/{work.path}",
        "QUERY_STRING": work.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": "Bearer secret",
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }
    if work.body:
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(work.body))}
    started: list[str] = []

    def send() -> bytes:
        started.clear()
        response = handler(
            {**environ, "wsgi.input": io.BytesIO(work.body)},
            lambda status, headers: started.append(status),
        )
        content = b"".join(response)
        response.close()
        assert started == ["200 OK"], content
        return content

    return send


def _imports(
    effort: shared.Effort, report: shared.Report
) -> tuple[str, list[str], list[list[object]]]:
    """Measure how long operations take to be made, plain and with graph C."""
    graph = graphs.graphs("sync")[2]
    root = ours.dependables(graph)[-1]

    def plain_view(request, skip: int = 0):
        return skip

    def view(request, skip: int = 0, root=di.Depends(root)):
        return skip

    def plain(count: int) -> None:
        _import(ninja.NinjaAPI(urls_namespace="import"), plain_view, count)

    def injecting(count: int) -> None:
        _import(di.NinjaAPI(urls_namespace="import"), view, count)

    rows: list[list[object]] = []
    most = 4 if effort.is_quick else _OPERATIONS
    for count in (most // 4, most // 2, most):
        shared.say(f"import of {count} operations")
        seconds = {}
        for name, work in (("plain", plain), ("ours", injecting)):
            with shared.no_garbage():
                start = time.thread_time()
                work(count)
                seconds[name] = time.thread_time() - start
        more = seconds["ours"] - seconds["plain"]
        report.data[f"import of {count}"] = seconds
        rows.append(
            [
                f"{count} operations",
                *(f"{one:.3f}" for one in (*seconds.values(), more)),
                f"{more / count * 1e3:.2f}",
            ]
        )
    titles = ["", "plain s", "with graph C s", "more s", "more ms each"]
    return f"Import (to reach: {_OPERATIONS} in 1 s more, and linear)", titles, rows


def _import(api: Any, view: Callable[..., Any], count: int) -> None:
    for number in range(count):
        api.get(f"/{number}")(view)
    assert api.urls


def main() -> None:
    """Run on a database of its own, with the two hosts as the whole site."""
    settings.ROOT_URLCONF = (path("0/", hosts.by_hand.urls), path("1/", hosts.injected.urls))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        settings.DATABASES["default"]["NAME"] = str(Path(folder) / "rows.sqlite3")
        create_table()
        shared.main("ninja", measure)


if __name__ == "__main__":
    main()
