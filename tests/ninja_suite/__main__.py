"""Run Django Ninja's own tests in five modes, and list the failures that are not expected.

    python -m tests.ninja_suite PATH

PATH is a checkout of https://github.com/vitalik/django-ninja of about the installed version,
whose tests are copied and run with the installed Ninja. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODES = ("plain", "installed", "replaced", "injected", "dependent")

EXPECTED = {
    "tests/test_path.py::test_path_signature_asserts_default": (
        "A parameter that the path holds has a default"
    ),
    "tests/test_status.py::TestSkipRevalidation::test_subclass_skips_validation": (
        "A view returns an instance of a subclass of its response schema"
    ),
    "tests/test_utils.py::test_contribute_operation_args": "A view takes no request",
}
"""Tests that fail in the last three modes, and the row of the README that says why."""


def run(mode: str, folder: Path) -> dict[str, str]:
    """Return the outcome of each test in *mode*."""
    report = folder / f"{mode}.json"
    environment = {
        **os.environ,
        "NINJA_SUITE_MODE": mode,
        "NINJA_SUITE_REPORT": str(report),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    options = (
        "-c",
        "tests/pytest.ini",
        "--rootdir",
        ".",
        "-p",
        "plugin",
        "-p",
        "pytest_django.plugin",
    )
    command = [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", "tests"]
    ran = subprocess.run(  # noqa: S603 - our own command
        [*command, "--continue-on-collection-errors"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.exists():
        sys.exit(f"The tests did not run:\n{ran.stdout}{ran.stderr}")
    outcomes: dict[str, str] = json.loads(report.read_text(encoding="utf-8"))
    return outcomes


def failures(outcomes: dict[str, str]) -> set[str]:
    """Return the names of the tests that failed."""
    return {name for name, outcome in outcomes.items() if outcome == "failed"}


def write(line: str) -> None:
    """Write *line* at once, since the next one takes a while."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Print the table, and the failures that neither plain Ninja nor the README has."""
    parser = argparse.ArgumentParser(prog="python -m tests.ninja_suite", description=__doc__)
    parser.add_argument("path", type=Path, help="a checkout of Django Ninja")
    path = parser.parse_args().path
    unexpected: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="ninja-suite-") as name:
        folder = Path(name)
        for part in ("tests", "docs"):
            shutil.copytree(path / part, folder / part)
        shutil.copy(Path(__file__).with_name("plugin.py"), folder)
        write(f"{'mode':<12}{'passed':>8}{'failed':>8}{'expected':>10}")
        known: set[str] = set()
        for mode in MODES:
            outcomes = run(mode, folder)
            failed = failures(outcomes)
            if mode == "plain":
                known = failed  # of Ninja's own, with the installed versions
            expected = known if mode in MODES[:2] else known | EXPECTED.keys()
            passed = sum(outcome == "passed" for outcome in outcomes.values())
            write(f"{mode:<12}{passed:>8}{len(failed):>8}{len(failed & expected):>10}")
            unexpected += [(mode, test) for test in sorted(failed - expected)]
            if mode not in MODES[:2]:
                unexpected += [(mode, f"{test} passes") for test in sorted(expected - failed)]
    for mode, test in unexpected:
        write(f"not expected ({mode}): {test}")
    return bool(unexpected)


if __name__ == "__main__":
    sys.exit(main())
