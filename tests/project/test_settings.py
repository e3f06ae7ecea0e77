"""Settings from the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklm-_",
    "ALLOWED_HOSTS": "example.com, www.example.com",
    "DATABASE_URL": "postgres://app@db.example/app",
}

DEVELOPMENT_KEY = "django-insecure-development-only-never-use-this-in-production-0123456789"


def manage(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing but *environment* set."""
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PATH", "COV"))}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "manage.py", *args],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.asvs("13.4.2")
def test_production_settings_leave_nothing_to_warn_of() -> None:
    """Django's own deployment checks are silent."""
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (0 silenced).\n"


def test_a_replica_leaves_nothing_to_warn_of() -> None:
    """When there is a replica, then the deployment checks are silent without asking it."""
    there = {**PRODUCTION, "DATABASE_REPLICA_URL": "postgres://app@replica.example/app"}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **there)
    assert (done.returncode, done.stderr) == (0, "")


def test_development_needs_no_environment() -> None:
    """A fresh clone runs."""
    done = manage("check")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.asvs("13.4.2")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"SECRET_KEY": ""}, "refuses to start: set SECRET_KEY to a secret of your own."),
        ({"SECRET_KEY": DEVELOPMENT_KEY}, "refuses to start: set SECRET_KEY to a secret of your"),
        ({"SECRET_KEY": "django-insecure-" + "x" * 50}, "SECRET_KEY begins with django-insecure-"),
        ({"SECRET_KEY_FALLBACKS": f"a,{DEVELOPMENT_KEY}"}, "SECRET_KEY_FALLBACKS has a key that"),
        ({"SECRET_KEY": "x" * 49}, "SECRET_KEY is shorter than 50 characters."),
        ({"DEBUG": "1"}, "DEBUG is on"),
        ({"ALLOWED_HOSTS": ""}, "set ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "example.com,*"}, "set ALLOWED_HOSTS"),
        ({"DATABASE_URL": ""}, "set DATABASE_URL."),
        ({"ENVIRONMENT": "staging"}, "ENVIRONMENT is 'staging'. Set it to development or"),
        ({"DATABASE_POOL_SIZE": "none"}, "DATABASE_POOL_SIZE is 'none'. Set it to a whole"),
        ({"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE is '0'."),
        ({"TRUSTED_PROXY_COUNT": "-1"}, "TRUSTED_PROXY_COUNT is '-1'. Set it to a whole number"),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps'. Set it to 1 or 0, or leave it out."),
        ({"API_PASSWORD_LOGIN": "2"}, "API_PASSWORD_LOGIN is '2'."),
        ({"API_DOCS": "all"}, "API_DOCS is 'all'. Set it to staff or open."),
        ({"DATABASE_URL": "mysql://user:hunter2@host/name"}, "DATABASE_URL is neither"),
        ({"DATABASE_REPLICA_URL": "mysql://u:hunter2@host/n"}, "DATABASE_REPLICA_URL is neither"),
        ({"DATABASE_REPLICA_URL": "sqlite:////tmp/x"}, "DATABASE_REPLICA_URL needs PostgreSQL"),
        (
            {"DATABASE_REPLICA_URL": "postgres://u:hunter2@host/n", "DATABASE_URL": "sqlite:////x"},
            "DATABASE_REPLICA_URL needs PostgreSQL",
        ),
    ],
)
def test_a_wrong_setting_is_one_clear_line(change: dict[str, str], reason: str) -> None:
    """It names the variable; no traceback, no secret, and not a start."""
    done = manage("check", **{**PRODUCTION, **change})
    assert done.returncode == 1
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


@pytest.mark.asvs("4.1.3")
def test_a_proxy_is_trusted_only_if_it_is_named() -> None:
    """No header is believed by default."""
    ask = "from django.conf import settings as s; print(s.SECURE_PROXY_SSL_HEADER)"
    assert manage("shell", "-v0", "-c", ask, **PRODUCTION).stdout == "None\n"
    named = manage(
        "shell", "-v0", "-c", ask, **PRODUCTION, SECURE_PROXY_SSL_HEADER="HTTP_X_FORWARDED_PROTO"
    )
    assert named.stdout == "('HTTP_X_FORWARDED_PROTO', 'https')\n"


def shown(names: str, **environment: str) -> str:
    """Return what the settings *names* are."""
    ask = f"from django.conf import settings as s; print({names})"
    return manage("shell", "-v0", "-c", ask, **environment).stdout.strip()


@pytest.mark.asvs("13.4.5")
def test_who_may_read_and_log_in() -> None:
    """Open on one's own machine; closed in production, unless the environment says so."""
    names = "s.API_DOCS, s.API_PASSWORD_LOGIN, s.TRUSTED_PROXY_COUNT"
    assert shown(names) == "open True 0"
    assert shown(names, **PRODUCTION) == "staff False 0"
    opened = {"API_DOCS": "open", "API_PASSWORD_LOGIN": "yes", "TRUSTED_PROXY_COUNT": "2"}
    assert shown(names, **PRODUCTION, **opened) == "open True 2"


def test_other_origins_need_the_package_that_lets_them_in() -> None:
    """Without any it is neither installed nor asked."""
    origins = {"CORS_ALLOWED_ORIGINS": "https://app.example, https://b.example"}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, **origins)
    assert (done.returncode, done.stderr) == (0, "")
    names = "s.CORS_ALLOWED_ORIGINS, 'corsheaders' in s.INSTALLED_APPS"
    assert shown(names) == "[] False"
    assert shown(names, **origins) == "['https://app.example', 'https://b.example'] True"
    code = "import sys; sys.modules['corsheaders'] = None; import project.settings"
    without = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **origins},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (
        'CORS_ALLOWED_ORIGINS needs: pip install "django-ninja-depends[server]".' in without.stderr
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "31536000 True True"),
        ({"SECURE_HSTS_SECONDS": "0"}, "0 True True"),
        (
            {
                "SECURE_HSTS_SECONDS": "60",
                "SECURE_HSTS_INCLUDE_SUBDOMAINS": "0",
                "SECURE_HSTS_PRELOAD": "off",
            },
            "60 False False",
        ),
    ],
)
def test_hsts_is_set_by_the_environment(given: dict[str, str], expected: str) -> None:
    """When a site may have to go back to HTTP, then browsers need not remember HTTPS for a year."""
    names = ("SECONDS", "INCLUDE_SUBDOMAINS", "PRELOAD")
    asked = ", ".join(f"s.SECURE_HSTS_{name}" for name in names)
    assert shown(asked, **{**PRODUCTION, **given}) == expected
