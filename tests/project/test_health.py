"""Whether the project can do its work."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from di import override
from project.api import database_is_there, replica_is_there
from project.health import Pulse
from tests.project.conftest import Ask


@pytest.mark.asvs("13.4.5")
def test_all_is_well(ask: Ask) -> None:
    """Anybody may ask, with and without a slash; nobody keeps the answer."""
    for path in ("/api/health", "/api/health/"):
        answer = ask("GET", path)
        assert (answer.status, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("allowed", ["example.com", ".example.com"])
@pytest.mark.parametrize("host", ["10.0.0.7", "10.0.0.7:8000", "[fe80::1]", "evil.example", "a b"])
def test_a_probe_asks_by_ip(host: str, allowed: str, ask: Ask, settings: Any) -> None:
    """When a probe names the machine by its IP, then health answers, and nothing else does."""
    settings.ALLOWED_HOSTS = [allowed]
    for path in ("/api/health", "/api/health/"):
        assert ask("GET", path, {"Host": host}).status == 200
    assert ask("GET", "/api/users", {"Host": host}).is_refused(400)
    assert ask("GET", "/api/health", {"Host": "example.com"}).status == 200


@pytest.mark.asvs("16.5.2")
@pytest.mark.rfc("9110", "15.6.4")
def test_the_database_is_away(ask: Ask) -> None:
    """503, for whoever balances load or starts again what is broken."""
    with override({database_is_there: lambda: False}):
        answer = ask("GET", "/api/health")
    assert answer.is_refused(503)
    assert answer.json() == {"detail": "The database is away"}
    assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("1", "no-store")


@pytest.mark.parametrize(("is_there", "said"), [(True, "ok"), (False, "away")])
def test_the_replica(ask: Ask, *, is_there: bool, said: str) -> None:
    """When only the replica is away, then the answer says so, and the machine stays in use."""
    with override({replica_is_there: lambda: is_there}):
        answer = ask("GET", "/api/health")
    assert (answer.status, answer.json()) == (200, {"status": "ok", "replica": said})


@pytest.mark.asvs("16.5.2")
@pytest.mark.django_db
def test_a_database_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that has come back."""
    pulse = Pulse()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "/dev/null/nowhere")
        assert pulse.is_there() is False
    assert pulse.is_there() is True


@pytest.fixture
def silent() -> Iterator[int]:
    """Give a port where somebody listens and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="there is no server to hang")
@pytest.mark.django_db
def test_a_database_that_hangs(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after two seconds."""
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(silent))
    started = time.monotonic()
    assert Pulse().is_there() is False
    assert time.monotonic() - started < 4


@pytest.mark.asvs("15.4.1")
@pytest.mark.django_db
def test_one_question_at_a_time(django_assert_num_queries: Any) -> None:
    """Who comes meanwhile hears the last answer; before the first it is taken to be away."""
    pulse = Pulse()
    started = time.monotonic()
    with pulse._lock:
        assert pulse.is_there() is False
    assert time.monotonic() - started < 0.5
    with django_assert_num_queries(0):  # on a connection of its own
        assert pulse.is_there() is True
    with pulse._lock:
        assert pulse.is_there() is True
