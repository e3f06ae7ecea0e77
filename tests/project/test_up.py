"""`manage.py up`, as an operator runs it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from project import startup
from project.management.commands import up
from project.management.commands.up import Command
from project.server import NoServerError, serve
from tests.project.server import running
from tests.project.test_settings import manage
from users import tokens
from users.models import User


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_up_and_up_again(interface: str, tmp_path: Path) -> None:
    """A new database: everything is made and served. The same again: no questions."""
    database = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    options = ("--interface", interface, "--workers", "2")
    with running(database, *options, ADMIN_EMAIL="boss@example.com") as up:
        up.wait_until_ready()
        steps = ["Database:", "Migrating", "Collecting static files", "Administrator created:"]
        assert [up.output.index(step) for step in steps] == sorted(map(up.output.index, steps))
        password = up.password()
        form = f"username=boss@example.com&password={password}&scope=users:read"
        status, answer = up.ask("/api/auth/token", form)
        assert status == 200
        token = json.loads(answer)["access_token"]
        status, answer = up.ask("/api/users/", token=token)
        assert (status, json.loads(answer)[0]["email"]) == (200, "boss@example.com")
        assert up.ask("/api/docs")[0] == 200
        assert up.ask("/static/admin/css/base.css")[0] == 200
        assert up.ask("/static/ninja/swagger-ui-bundle.js")[0] == 200
        assert "Log in" in up.ask("/admin/login/")[1]
        for address in ("/api/docs", "/admin/", "/api/users"):
            assert f"http://127.0.0.1:{up.port}{address}" in up.output
        assert up.stop(signal.SIGTERM) == 0
        assert up.output.endswith("Stopped\n")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", up.port), 1)
    with running(database, *options) as up:
        up.wait_until_ready()
        assert "Administrator: boss@example.com" in up.output
        assert "PASSWORD=" not in up.output
        assert '--data-urlencode "password=$PASSWORD"' in up.output
        assert up.ask("/api/users", token=token)[0] == 200
        assert up.stop(signal.SIGINT) == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_printed_line_works(tmp_path: Path) -> None:
    """When both lines are pasted as they stand, then users are listed."""
    with running(f"sqlite:///{tmp_path / 'new.sqlite3'}") as up:
        up.wait_until_ready()
        assert up.output.count(up.password()) == 1
        lines = [one for one in up.output.splitlines() if one.startswith(("PASSWORD=", "curl"))]
        done = subprocess.run(  # noqa: S603 - our own lines
            ["/bin/sh", "-c", "\n".join(lines)], capture_output=True, check=False
        )
        assert json.loads(done.stdout)[0]["email"] == "admin@example.com"


def refused(message: str, database: str, *args: str, **environment: str) -> None:
    with running(database, *args, **environment) as up:
        assert up.finish() == 1
    assert re.search(message, up.output.splitlines()[-1]), up.output
    assert "Traceback" not in up.output
    assert len(up.output.splitlines()) <= 2


def test_a_taken_port(tmp_path: Path) -> None:
    """One line that names it, before anything is touched."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        database = tmp_path / "new.sqlite3"
        refused(
            f"Cannot listen on 127.0.0.1:{port}: Address already in use",
            f"sqlite:///{database}",
            "--port",
            port,
        )
    assert not database.exists()


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("sqlite:////dev/null/x.sqlite3", "/dev/null/x.sqlite3 cannot be used: unable to open"),
        ("sqlite:////proc/x.sqlite3", "/proc/x.sqlite3 cannot be used: unable to open"),
        ("mysql://u:hunter2@h/n", "DATABASE_URL is neither SQLite nor PostgreSQL"),
        ("postgres://u:hunter2@127.0.0.1:1/n", "The database n on 127.0.0.1 cannot be used: conn"),
    ],
)
def test_a_database_that_cannot_be_used(database: str, message: str) -> None:
    """A folder that cannot be written, a bad URL, a server that is not there: one line."""
    with running(database) as up:
        assert up.finish() == 1
    assert message in up.output
    assert len(up.output.splitlines()) == 1
    assert "hunter2" not in up.output


def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    """An address of somebody else, or no address."""
    for host in ("192.0.2.1", "nowhere.invalid"):
        refused("Cannot listen on", f"sqlite:///{tmp_path / 'x'}", "--host", host)


@pytest.mark.parametrize("is_on", [True, False])
def test_nobody_is_told_to_try_what_is_off(is_on: bool, settings: Settings) -> None:
    """The line that logs in is there if passwords are taken for tokens."""
    settings.API_PASSWORD_LOGIN = is_on
    output = StringIO()
    Command(stdout=output).invite("http://site", startup.Administrator("boss@example.com"))
    assert ("auth/token" in output.getvalue()) is is_on
    assert output.getvalue().endswith("Stop with Ctrl-C.\n")


@pytest.mark.asvs("13.4.2")
def test_debug_is_off_for_others(tmp_path: Path) -> None:
    """When other machines can reach the server, then it shows nobody settings or source."""
    database = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    with running(database, "--host", "0.0.0.0", DEBUG="1") as up:  # noqa: S104 - the point
        up.wait_until_ready()
        assert "DEBUG is off, because others can reach 0.0.0.0" in up.output
        status, page = up.ask("/nowhere")
        assert status == 404
        assert "DEBUG" not in page


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        *(("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("192.0.2.1", False)),  # noqa: S104 - not listened on
    ],
)
def test_who_can_reach_a_host(host: str, is_local: bool) -> None:
    """Only the loopback addresses are this machine's alone."""
    assert startup.is_local(host) is is_local


def test_two_at_once_on_a_new_database(database: str) -> None:
    """When two processes bring a new database up, then one waits, and both serve."""
    with running(database) as one, running(database) as other:
        for up in (one, other):
            up.wait_until_ready()
            assert up.ask("/api/health")[0] == 200
            assert "Traceback" not in up.output
        made = ["Administrator created:" in up.output for up in (one, other)]
        assert sorted(made) == [False, True]


def test_a_senseless_number_of_workers() -> None:
    """Fewer than one."""
    with pytest.raises(CommandError, match="at least 1"):
        call_command("up", workers=0)


def test_without_the_server_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says what to install."""
    monkeypatch.setitem(sys.modules, "granian", None)
    with pytest.raises(NoServerError, match=r"django-ninja-depends\[server\]"):
        serve(host="127.0.0.1", port=1, workers=1, interface="wsgi", on_start=lambda: None)


def test_without_an_application(settings: Settings) -> None:
    """Other settings may serve by WSGI only."""
    settings.ASGI_APPLICATION = None
    with pytest.raises(NoServerError, match="The settings have no ASGI_APPLICATION"):
        serve(host="127.0.0.1", port=1, workers=1, interface="asgi", on_start=lambda: None)


@pytest.mark.asvs("6.3.2")
@pytest.mark.django_db
def test_an_administrator_is_made_once() -> None:
    """Only if nobody can administrate; never by raising somebody who is there."""
    made = startup.ensure_administrator("Boss@Example.com")
    user = User.objects.get()
    assert made.password is not None
    assert user.check_password(made.password)
    assert made.password not in repr(made)
    assert startup.ensure_administrator("other@example.com") == startup.Administrator(user.email)
    User.objects.update(is_superuser=False)
    with pytest.raises(startup.StartupError, match="is a user already"):
        startup.ensure_administrator("boss@example.com")
    with pytest.raises(startup.StartupError, match="ADMIN_EMAIL is 'nobody'"):
        startup.ensure_administrator("nobody")


@pytest.mark.asvs("6.3.2")
def test_nobody_is_there_by_default(tmp_path: Path) -> None:
    """A new database has no users at all, and so none whose password is known."""
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    assert manage("migrate", "-v0", **database).returncode == 0
    count = "from users.models import User; print(User.objects.count())"
    assert manage("shell", "-v0", "-c", count, **database).stdout == "0\n"


@pytest.mark.asvs("6.3.2", "7.2.3", "11.5.1")
@pytest.mark.django_db
def test_what_must_not_be_guessed() -> None:
    """128 bits at least, whatever the generator was seeded with that can be."""

    def make() -> dict[str, str]:
        random.seed(1)
        User.objects.all().delete()
        password = startup.ensure_administrator("boss@example.com").password
        client = Client()
        client.force_login(User.objects.get())
        client.get("/api/auth/csrf")
        cookies = {name: client.cookies[name].value for name in ("sessionid", "csrftoken")}
        return {"password": password or "", "token": tokens.generate().text[17:60], **cookies}

    alphabets = {"password": 64, "token": 62, "sessionid": 36, "csrftoken": 62}
    first, second = make(), make()
    assert first.keys() == alphabets.keys()
    for name, size in alphabets.items():
        assert first[name] != second[name]
        assert len(first[name]) * math.log2(size) >= 128


@pytest.mark.django_db(transaction=True)
def test_the_database_is_named() -> None:
    """Its file, or its name and host."""
    from django.db import connection

    place = startup.check_database()
    assert str(connection.settings_dict["NAME"]) in place


def test_a_new_database_is_private(tmp_path: Path) -> None:
    """When `up` makes an SQLite file, then only its owner may read it and its log."""
    with running(f"sqlite:///{tmp_path / 'new.sqlite3'}") as up:
        up.wait_until_ready()
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("new.sqlite3*")}
    assert modes["new.sqlite3"] == 0o600
    assert set(modes.values()) == {0o600}


def test_debug_is_switched_off_for_the_servers_processes(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """When others can reach the host, then neither this process nor those it starts debug."""
    settings.DEBUG = True
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setattr(up, "check_port", lambda *_: None)
    monkeypatch.setattr(up, "one_at_a_time", contextlib.nullcontext)
    monkeypatch.setattr(up, "serve", lambda **_: None)
    monkeypatch.setattr(up.Command, "prepare", lambda _: startup.Administrator("ann@example.com"))
    printed = StringIO()
    call_command("up", host="0.0.0.0", stdout=printed)  # noqa: S104 - the point
    assert "DEBUG is off, because others can reach 0.0.0.0" in printed.getvalue()
    assert (settings.DEBUG, os.environ["DEBUG"]) == (False, "0")


def test_who_comes_second_asks_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another process brings the database up, PostgreSQL is asked until that has ended."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's file is locked by the system, which waits itself")
    answers = [False, False, True]
    monkeypatch.setattr(startup, "_try_lock", lambda _: answers.pop(0))
    monkeypatch.setattr(startup, "_SECONDS_TO_TRY_AGAIN", 0)
    with startup.one_at_a_time():
        assert answers == []
