"""The operator's pages are true: each of their blocks is executed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests import readme
from tests.project.server import new_database, running
from tests.users.stand import find_nginx, proxied

ROOT = readme.README.parent
PAGE = ROOT / "users" / "README.md"
BLOCKS = dict(
    re.findall(r"<!-- ([\w-]+) -->\n```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
)
PYTHON = ".venv/bin/python"
KEY = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklm-_"
LET_IN = """
from django.test import Client
answer = Client().get("/api/users/me", headers={"Authorization": "Bearer %s", "Host": "localhost"})
print(answer.status_code)
"""
TESTED = {
    *("reset-password", "new-administrator", "end-sessions", "upgrade", "rotate-key", "purge"),
    *("backup-sqlite", "restore-sqlite", "backup-postgres", "restore-postgres", "health"),
}


@dataclass
class Site:
    """A migrated database with an administrator and a user, and a folder to work in."""

    folder: Path
    database: str

    @property
    def kind(self) -> str:
        """The name of the database's kind in the names of blocks."""
        return "sqlite" if self.database.startswith("sqlite") else "postgres"

    def run(self, script: str) -> str:
        """Run *script* as an operator would, and return the output."""
        script = script.replace(f"{PYTHON} manage.py", f"{PYTHON} {ROOT}/manage.py")
        done = subprocess.run(  # noqa: S603 - our own pages
            ["/bin/sh", "-eu", "-c", script.replace(PYTHON, sys.executable)],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "DATABASE_URL": self.database, "SECRET_KEY": KEY},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def block(self, name: str) -> str:
        """Run the block of the pages called *name*."""
        return self.run(BLOCKS[name])

    def manage(self, *args: str) -> str:
        """Run a command of manage.py."""
        return self.run(f"{PYTHON} manage.py {' '.join(args)}").strip()

    def status(self, token: str, before: str = "") -> str:
        """Return the status that the API answers to *token*, after the script *before*."""
        return self.run(f"{before}\n{PYTHON} manage.py shell -v0 -c '{LET_IN % token}'").strip()

    def count(self) -> str:
        """Return the number of users."""
        code = "from users.models import User; print(User.objects.count())"
        return self.manage("shell", "-v0", "-c", f'"{code}"')


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site on the kind of database that the tests run on."""
    with new_database(settings.DATABASE_URL, tmp_path) as url:
        site = Site(tmp_path, url.replace("new.sqlite3", "db.sqlite3"))
        site.manage("migrate", "-v0")
        add = f"{PYTHON} manage.py createsuperuser --no-input"
        site.run(f"{add} --email admin@example.com --name Admin")
        site.run(f"{add} --email ann@example.com --name Ann")
        yield site


def test_every_block_is_tested() -> None:
    """When a block is added to the pages, then it has to be executed here."""
    text = PAGE.read_text()
    assert BLOCKS.keys() == TESTED
    assert text.count("```sh\n") == len(BLOCKS)


def test_the_pages_are_linked() -> None:
    """When a reader comes to the section on deploying, then it leads to these pages."""
    assert "(users/README.md)" in readme.README.read_text()


def test_passwords_and_access(site: Site) -> None:
    """When passwords are lost or others are in, then each block does as its sentence says."""
    token = site.manage("create_token", "ann@example.com")
    assert site.status(token) == "200"
    assert f"of {'ann@example.com'}." in site.block("end-sessions")
    assert site.status(token) == "401"
    assert len(site.block("reset-password").strip()) == 22
    assert len(site.block("new-administrator").strip().splitlines()[-1]) == 22
    assert site.count() == "3"


def test_a_key_is_rotated(site: Site) -> None:
    """When the old key is a fallback, then tokens live on; without the fallback they end."""
    token = site.manage("create_token", "ann@example.com")
    rotate = BLOCKS["rotate-key"]
    assert site.status(token, rotate) == "200"
    assert site.status(token, f"{rotate}\nexport SECRET_KEY_FALLBACKS=") == "401"


def test_a_backup_is_whole_and_comes_back(site: Site) -> None:
    """When the newest row is in no file but the log, then the backup has it all the same."""
    if site.kind == "sqlite":
        import sqlite3

        # An open connection keeps SQLite from moving the log into the file.
        held = sqlite3.connect(site.folder / "db.sqlite3")
        held.execute("SELECT count(*) FROM users_user").fetchone()
    site.run(f"{PYTHON} manage.py createsuperuser --no-input --email new@example.com --name New")
    site.block(f"backup-{site.kind}")
    if site.kind == "sqlite":
        assert (site.folder / "db.sqlite3-wal").stat().st_size > 0
        held.close()
    assert {path.stat().st_mode & 0o777 for path in site.folder.glob("backup.*")} == {0o600}
    site.block("new-administrator")
    assert site.count() == "4"
    site.block(f"restore-{site.kind}")
    assert site.count() == "3"


def test_upgrading_and_purging(site: Site) -> None:
    """When the blocks run on a site that is up to date, then nothing is left to do."""
    assert "No planned migration operations." in site.block("upgrade")
    assert "Deleted 0 tokens and 0 counters." in site.block("purge")


@pytest.fixture
def nginx() -> str:
    """Where nginx is."""
    found = find_nginx()
    if found is None or shutil.which("openssl") is None or shutil.which("curl") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("apt-get install nginx")
    return str(found)


def test_behind_nginx(nginx: str, site: Site) -> None:
    """When nginx runs with the configuration of the pages, then the site sees the real client."""
    environment = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": KEY,
        "ALLOWED_HOSTS": "example.com",
        "API_PASSWORD_LOGIN": "1",
        "TRUSTED_PROXY_COUNT": "1",
        "SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO",
        "SECURE_HSTS_SECONDS": "60",
    }
    with running(site.database, **environment) as up:
        up.wait_until_ready()
        with proxied(nginx, site.folder, [up.port]) as (plain, secure):
            check_nginx(site, up.port, plain, secure)
        failed = [json.loads(line) for line in up.lines if '"event": "login_failed"' in line]
        assert [event["client"] for event in failed] == ["127.0.0.1"]


def check_nginx(site: Site, port: int, plain: int, secure: int) -> None:
    """Ask through nginx as a browser, a script and a probe do."""

    def ask(address: str, *options: str) -> tuple[str, dict[str, str], str]:
        done = site.run(
            f"curl -sSki --retry 20 --retry-connrefused --connect-to"
            f" example.com:80:127.0.0.1:{plain} --connect-to"
            f" example.com:443:127.0.0.1:{secure} {' '.join(options)} {address}"
        )
        head, _, body = done.replace("\r", "").partition("\n\n")
        status, *lines = head.splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        return status.split()[1], headers, body

    status, headers, _ = ask("http://example.com/admin/")
    assert (status, headers["location"]) == ("301", "https://example.com/admin/")
    assert ask("http://example.com/api/users/me")[0] == "403"
    assert ask("http://example.com/api/health")[0] == "200"
    status, headers, body = ask("https://example.com/api/users/me")
    assert (status, json.loads(body)) == ("401", {"detail": "Not authenticated"})
    assert headers["strict-transport-security"].startswith("max-age=60;")
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert ask("https://example.com/")[0] == "200"
    assert ask("https://example.com/admin/login/")[0] == "200"
    assert ask("https://example.com/static/project/home.css")[1]["content-type"] == "text/css"
    form = "-d username=ann@example.com -d password=wrong -H 'X-Forwarded-For: 203.0.113.9'"
    assert ask("https://example.com/api/auth/token", form)[0] == "400"
    health: Any = site.run(BLOCKS["health"].replace("8000", str(port)))
    assert json.loads(health) == {"status": "ok"}
