"""The ends of all scopes under real servers, with clients that read, wait and leave."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).parent.parent.parent
SECONDS = 30  # for what takes milliseconds on a machine with nothing else to do

GRANIAN = "-m granian --log-level error"
COMMANDS = {
    "granian-wsgi": f"{GRANIAN} --blocking-threads 5 --interface wsgi tests.di.served:wsgi",
    "granian-asgi": f"{GRANIAN} --interface asgi tests.di.served:asgi",
    "uvicorn-asgi": "-m uvicorn --log-level error --lifespan on tests.di.served:asgi",
    "runserver-wsgi": "-m tests.di.served",
}
GENERATORS = ["generator", "async_generator"]
VIEWS = ["sync", "async"]

numbers = itertools.count()


def until(condition: Callable[[], Any]) -> Any:
    """Wait until *condition* holds; return what it returned."""
    deadline = time.monotonic() + SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)
    return result


class Server:
    """A server in processes of its own, and what they have written."""

    def __init__(self, name: str, workers: int, folder: Path) -> None:
        folder.mkdir()
        self.name = name
        self.workers = 1 if name == "runserver-wsgi" else workers
        self.is_asgi = name.endswith("asgi")
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        options = [f"--port={self.port}", f"--workers={self.workers}"]
        with (folder / "output").open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, *COMMANDS[name].split(), *options],
                cwd=ROOT,
                env={**os.environ, "SERVED_FOLDER": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait for its first answer."""
        until(self.answers)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.output
        with contextlib.suppress(ConnectionError), Visitor(self) as visitor:
            return visitor.get("sync/generator/plain").status == 200
        return False

    @property
    def output(self) -> str:
        """What it has said itself."""
        return (self.folder / "output").read_text()

    @property
    def lines(self) -> list[list[str]]:
        """Process, key and event, of all there were so far."""
        text = (self.folder / "events").read_text()
        whole, _, _ = text.rpartition("\n")  # the last line may be on its way
        return [line.split(" ", 2) for line in whole.splitlines()]

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)


class Visitor:
    """A client with one connection; each of its requests has a key of its own."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connection = HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        self.key = ""
        self.response: HTTPResponse | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for closable in (self.response, self.connection):
            if closable is not None:
                closable.close()

    def send(self, url: str, method: str = "GET", gates: str = "", **query: object) -> None:
        """Send a request that will wait at *gates*, which `open` opens."""
        self.key = f"request-{next(numbers)}"
        query = {"key": self.key, "gates": gates, **query}
        self.connection.request(method, f"/{url}?{urlencode(query)}")
        self.socket = self.connection.sock

    def get(self, url: str, method: str = "GET", gates: str = "", **query: object) -> HTTPResponse:
        """Send a request; return the response as soon as its head has come."""
        self.send(url, method, gates, **query)
        return self.receive()

    def receive(self) -> HTTPResponse:
        """Return the response as soon as its head has come."""
        self.response = self.connection.getresponse()
        return self.response

    def open(self, gate: str) -> None:
        """Let the request go on that waits there."""
        (self.server.folder / f"{self.key}.{gate}").touch()

    @property
    def events(self) -> list[str]:
        """What has happened in the last request so far."""
        return [event for _, key, event in self.server.lines if key == self.key]

    def wait_for(self, event: str) -> None:
        """Wait until the request has come so far."""
        until(lambda: event in self.events)

    def leave(self) -> None:
        """Break off the connection."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.__exit__()

    def check_connection(self) -> None:
        """Assert that the same connection takes another request."""
        before = self.socket
        assert self.get("sync/generator/plain").read() == b'"plain"'
        self.wait_for("request closes")
        assert self.socket is before


@dataclass(frozen=True)
class Servers:
    """Those that last for the module, and those to be ended, by their names."""

    lasting: dict[str, Server]
    ending: dict[str, Server]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """All servers, started side by side."""
    folder = tmp_path_factory.mktemp("servers")
    lasting = {name: Server(name, 1, folder / name) for name in COMMANDS}
    ending = {name: Server(name, 2, folder / f"{name}-ending") for name in COMMANDS}
    yield Servers(lasting, ending)
    for server in (*lasting.values(), *ending.values()):
        server.end()


@pytest.fixture(params=COMMANDS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    """One kind of server, with one process."""
    server = servers.lasting[request.param]
    server.wait_until_ready()
    return server


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    """Its client."""
    with Visitor(server) as visitor:
        yield visitor


def is_early(server: Server, view: str, made: str) -> bool:
    """Whether the request scope ends with the view: its loop does, under WSGI."""
    return not server.is_asgi and view == "async" and made == "async_generator"


OPENS = ["request opens", "function opens"]
TASK = ["task begins", "task ends"]
CANCELLED = ["sees CancelledError", "closes"]


@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("view", VIEWS)
def test_the_end_of_a_plain_response(
    view: str, made: str, server: Server, visitor: Visitor
) -> None:
    """Function, first byte, last byte, background tasks, request: in this order, once."""
    if is_early(server, view, made):
        assert visitor.get(f"{view}/{made}/plain").read() == b'"plain"'
        assert visitor.events == [*OPENS, "view", "function closes", *TASK, "request closes"]
        visitor.check_connection()
        return
    response = visitor.get(f"{view}/{made}/plain", gates="task,request closes")
    assert visitor.events[:4] == [*OPENS, "view", "function closes"]
    assert response.read() == b'"plain"'
    visitor.wait_for("task begins")
    assert "task ends" not in visitor.events
    visitor.open("task")
    visitor.wait_for("task ends")
    assert visitor.events == [*OPENS, "view", "function closes", *TASK]
    visitor.open("request closes")
    visitor.wait_for("request closes")
    visitor.check_connection()
    assert visitor.events.count("request closes") == 1


@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_sent_before_the_function_scope_closes(
    view: str, made: str, visitor: Visitor
) -> None:
    """The client waits for it."""
    visitor.send(f"{view}/{made}/plain", gates="function closes")
    visitor.wait_for("view")
    assert visitor.connection.sock is not None
    visitor.connection.sock.settimeout(0.03)
    with pytest.raises(TimeoutError):
        visitor.connection.sock.recv(1, socket.MSG_PEEK)
    visitor.connection.sock.settimeout(SECONDS)
    visitor.open("function closes")
    assert visitor.receive().read() == b'"plain"'


@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("view", VIEWS)
def test_the_end_of_a_head(view: str, made: str, visitor: Visitor) -> None:
    """No body is an end, too."""
    response = visitor.get(f"{view}/{made}/plain", "HEAD")
    assert (response.status, response.read()) == (200, b"")
    visitor.wait_for("request closes")
    assert visitor.events == [*OPENS, "view", "function closes", *TASK, "request closes"]
    visitor.check_connection()


@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("what", ["jsonl", "stream"])
def test_the_end_of_a_stream(what: str, made: str, server: Server, visitor: Visitor) -> None:
    """The request scope is open until a slow client has read the last item."""
    view = "async" if server.is_asgi else "sync"
    gates = "item 0,item 1,item 2,request closes"
    response = visitor.get(f"{view}/{made}/{what}", gates=gates)
    for item in range(3):
        assert json.loads(response.readline()) == item
        assert visitor.events == [*OPENS, "function closes"]
        visitor.open(f"item {item}")
    if server.is_asgi:
        assert response.read() == b""
    visitor.wait_for("stream ends")
    assert visitor.events == [*OPENS, "function closes", "stream ends"]
    visitor.open("request closes")
    visitor.wait_for("request closes")
    assert response.read() == b""
    assert visitor.events == [*OPENS, "function closes", "stream ends", "request closes"]
    if server.name != "runserver-wsgi":  # its streams end with their connection
        visitor.check_connection()


@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("what", ["jsonl", "stream"])
def test_the_client_leaves_in_a_stream(
    what: str, made: str, server: Server, visitor: Visitor
) -> None:
    """Under WSGI it ends at one of the next items, under ASGI at once; all closes once."""
    view = "async" if server.is_asgi else "sync"
    response = visitor.get(f"{view}/{made}/{what}", gates="item 0", count=100_000)
    assert json.loads(response.readline()) == 0
    visitor.leave()
    if not server.is_asgi:
        visitor.open("item 0")
    visitor.wait_for("request closes")
    sees = ["request sees CancelledError"] * server.is_asgi
    assert visitor.events == [*OPENS, "function closes", "stream ends", *sees, "request closes"]


@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("view", VIEWS)
def test_the_client_leaves_while_the_view_runs(
    view: str, made: str, server: Server, visitor: Visitor
) -> None:
    """An async view is cancelled under ASGI, any other runs to its end; all closes once."""
    visitor.send(f"{view}/{made}/plain", gates="view")
    visitor.wait_for("view")
    visitor.leave()
    is_cancelled = view == "async" and server.is_asgi
    if not is_cancelled:
        visitor.open("view")
    visitor.wait_for("request closes")
    if is_cancelled:
        ends = [f"{scope} {end}" for scope in ("function", "request") for end in CANCELLED]
    else:
        ends = ["function closes", *TASK, "request closes"]
    assert visitor.events == [*OPENS, "view", *ends]


APP_OPENS = ["base opens", "middle opens", "top opens"]
APP_CLOSES = ["top closes", "middle closes on its loop: True", "base closes"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_end_of_a_server(name: str, servers: Servers) -> None:
    """Requests in flight end; then each process closes what it has kept for the app."""
    server = servers.ending[name]
    server.wait_until_ready()
    urls = itertools.cycle(f"{view}/{made}/app" for view in VIEWS for made in GENERATORS)

    def ask(url: str) -> str:
        with Visitor(server) as visitor:
            return str(json.loads(visitor.get(url).read()))

    pids: set[str] = set()

    def race() -> bool:
        pids.update(pool.map(ask, itertools.islice(urls, 16)))
        return len(pids) == server.workers

    with ThreadPoolExecutor(16) as pool:
        until(race)
    in_flight = []
    if name != "runserver-wsgi":  # its threads end with it
        in_flight = [Visitor(server), Visitor(server)]
    for visitor, url in zip(in_flight, ("sync/generator", "async/async_generator"), strict=False):
        visitor.send(f"{url}/plain", gates="view")
        visitor.wait_for("view")
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)  # so that it has noticed
    for visitor in in_flight:
        visitor.open("view")
    for visitor in in_flight:
        with visitor:
            assert visitor.receive().read() == b'"plain"'
    server.process.wait(SECONDS)
    assert "Traceback" not in server.output
    closed = [*OPENS, "view", "function closes", *TASK, "request closes"]
    # granian ends a WSGI worker as soon as the last byte is out, and waits for no close().
    certain = 4 if name == "granian-wsgi" else len(closed)
    for visitor in in_flight:
        assert visitor.events[:certain] == closed[:certain]
        assert len(visitor.events) <= len(closed)
    for pid in pids:
        events = [(key, event) for by, key, event in server.lines if by == pid]
        assert [event for key, event in events if key == "app"] == [*APP_OPENS, *APP_CLOSES]
        if name != "granian-wsgi":
            assert events[-3:] == [("app", event) for event in APP_CLOSES]
