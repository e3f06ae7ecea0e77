"""The check that nothing secret is logged, mailed or answered: it finds what it looks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

ARRANGE = """
import logging.config

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.http import HttpResponse
from django.test import RequestFactory

from tests.leaks import watch_errors
from users import tokens

PASSWORD = "correct horse battery"


@pytest.fixture
def token():
    make_password(PASSWORD)
    return tokens.generate().text


def answer(status, body):
    view = watch_errors(lambda request: HttpResponse(body, status=status))
    return view(RequestFactory().get("/there"))


def test_it(token, settings):
    logging.config.dictConfig(settings.LOGGING)  # as whoever imports project.wsgi does
"""

LEAKS = {
    'logging.getLogger("security").info("x", extra={"token": token})': "a record of security",
    'logging.getLogger("security").info("x", extra={"all": [token]})': "a record of security",
    'logging.getLogger("django.request").warning("Bearer %s", token)': "a record of django.request",
    'logging.getLogger("other").warning(tokens.digest(token))': "a record of other",
    'logging.getLogger("di").error("x", exc_info=ValueError(token))': "a record of di",
    'mail.send_mail("Hello", PASSWORD, "a@b.co", ["c@d.co"])': "the mail 'Hello'",
    'answer(500, f"<pre>{PASSWORD}</pre>")': "500 for /there",
    "answer(422, token)": "422 for /there",
    "answer(500, settings.SECRET_KEY)": "500 for /there",
}
HARMLESS = [
    'logging.getLogger("security").info("x", extra={"token": token[4:16]})',
    'mail.send_mail("Hello", "Ann", "a@b.co", ["c@d.co"])',
    'answer(500, "Internal Server Error")',
    "answer(200, token)",
]


def run(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run one test that does *lines*, under the conftest of this one."""
    test = folder / "test_sample.py"
    test.write_text(ARRANGE + "".join(f"    {line}\n" for line in lines))
    options = ["-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", "-p", "no:cacheprovider"]
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "pytest", "-q", *options, str(test)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_told_is_found(tmp_path: Path) -> None:
    """The run fails, and says where each of them was told, without telling them again."""
    done = run(tmp_path, *LEAKS)
    assert done.returncode == 1, done.stdout
    assert "1 passed, 1 error" in done.stdout
    told = done.stdout.partition("Secrets were told:")[2]
    assert {where for where in LEAKS.values() if f"{where}: " not in told} == set()
    assert told.partition("\n\n")[0].count("[a secret]") >= len(LEAKS)


def test_what_is_no_secret_may_be_told(tmp_path: Path) -> None:
    """A token's public part, and what is said to who may know it."""
    done = run(tmp_path, *HARMLESS)
    assert done.returncode == 0, done.stdout
