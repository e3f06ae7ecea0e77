"""Load from a process of its own: connections that each send one request after the other.

    python -m tests.benchmarks.load '{"port": 8000, ...}'

Prints how it went as JSON. Nothing but HTTP/1.1 with keep-alive on this machine.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, and for how long.

    Attributes:
        request: method and path.
        body: sent as JSON, with a number of its own in place of ``{n}``.
        first: the first such number.
        status: what must be answered.
        seconds: after these nothing more is sent.
        most: requests in all, at most.
    """

    port: int
    request: str
    body: str
    first: int
    status: int
    seconds: float
    most: int
    connections: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def requests(self) -> Iterator[bytes]:
        """Yield the bytes of one request after the other."""
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        for number in itertools.count(self.first):
            body = self.body.replace("{n}", str(number)).encode()
            head = f"{self.request} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{more}"
            if body:
                head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            yield head.encode() + b"\r\n" + body


@dataclass(slots=True)
class Load:
    """A job that is being done."""

    job: Job
    requests: Iterator[bytes]
    started: float = field(default_factory=time.perf_counter)
    times: list[float] = field(default_factory=list)
    sent: int = 0

    @property
    def is_over(self) -> bool:
        """Return True if nothing more is to be sent.

        One request is sent in any case: on a busy machine connecting alone may take the time.
        """
        elapsed = time.perf_counter() - self.started
        return self.sent > 0 and (elapsed >= self.job.seconds or self.sent >= self.job.most)


class Connection(asyncio.Protocol):
    """One connection, which has one request on its way at a time."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.received = b""
        self.sent_at = 0.0
        self.ended = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("The server closed a connection."))

    def send(self) -> None:
        """Send the next request, or end."""
        if self.load.is_over:
            self.ended.set_result(None)
            self.transport.close()
            return
        self.load.sent += 1
        self.sent_at = time.perf_counter()
        self.transport.write(next(self.load.requests))

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not is_complete(self.received):
            return
        self.load.times.append(time.perf_counter() - self.sent_at)
        status = int(self.received[9:12])
        if status != self.load.job.status:
            self.ended.set_exception(AssertionError(self.received.decode()))
            self.transport.close()
            return
        self.received = b""
        self.send()


def is_complete(received: bytes) -> bool:
    """Whether *received* is all of a response."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    _, known, length = head.lower().partition(b"\r\ncontent-length:")
    if known:
        return len(body) >= int(length.partition(b"\r\n")[0])
    return body.endswith(b"0\r\n\r\n")  # the last chunk


async def carry_out(job: Job) -> dict[str, float]:
    """Do *job* and return requests per second, and latencies in ms."""
    load = Load(job, job.requests())
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Connection(load), "127.0.0.1", job.port))[1]
        for _ in range(job.connections)
    ]
    await asyncio.gather(*(connection.ended for connection in connections))
    elapsed = time.perf_counter() - load.started
    times = sorted(load.times)
    return {
        "count": len(times),
        "per_second": len(times) / elapsed,
        "p50": times[len(times) // 2] * 1e3,
        "p99": times[len(times) * 99 // 100] * 1e3,
    }


def run(job: Job) -> dict[str, float]:
    """See `carry_out`; on uvloop, if it is installed, to leave more of the machine to servers."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(carry_out(job))
    return uvloop.run(carry_out(job))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Job(**json.loads(sys.argv[1])))))
