"""Requests that nobody thought of, in four roles, and what the document says of the answers.

``python -m pytest -m fuzz`` runs it; ``FUZZ_EXAMPLES=1000`` in front of that makes it a long run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.server import FAST, ROOT, Up, running

pytestmark = pytest.mark.fuzz

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "20")


@pytest.mark.parametrize(
    ("role", "interface"),
    [("anonymous", "wsgi"), ("reader", "asgi"), ("manager", "wsgi"), ("superuser", "asgi")],
)
def test_every_answer_is_documented(
    role: str, interface: str, database: str, tmp_path: Path
) -> None:
    """No request is a 500, and what comes back is what the document says, and only that."""
    with running(database, "--interface", interface, **FAST) as up:
        up.wait_until_ready()
        done = fuzz(up, role, database, tmp_path)
        assert up.stop(signal.SIGTERM) == 0
        assert done.returncode == 0, done.stdout
        _, _, log = up.output.partition(up.ready)
        assert "Traceback" not in log
        assert " ERROR " not in log


def fuzz(up: Up, role: str, database: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # Nothing that nobody sends can be good, credentials included.
    exceptions = ["positive_data_acceptance"] if role == "anonymous" else []
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file"),
        *(str(ROOT / "tests/project/schemathesis.toml"), "run", "--no-color"),
        *(f"http://127.0.0.1:{up.port}/api/openapi.json", "--continue-on-failure"),
        *("--checks", "all", *(f"--exclude-checks={name}" for name in exceptions)),
        *("--max-examples", EXAMPLES, "--seed", "1", "--generation-database", "none"),
    ]
    environment = {
        **FAST,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database,
        "FUZZ_ROLE": role,
        "SCHEMATHESIS_HOOKS": "tests.project.fuzz_hooks",
    }
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
