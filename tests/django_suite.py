"""Run Django's own tests of requests with `di.asgi.Handler` in the place of its ASGI handler.

    python -m tests.django_suite path/to/django

The path is a checkout or an unpacked source distribution of the installed version of Django.
Its tests need ``tests/requirements/py3.txt``. The command prints one line for Django's handler
and one for ours, and ends with 1 if a test fails with ours only.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_APPS = [
    "asgi",
    "async",
    "csrf_tests",
    "file_uploads",
    "handlers",
    "middleware",
    "sessions_tests",
    "signals",
    "test_client",
]

_REPLACE = """
import django.core.asgi, django.core.handlers.asgi
from di.asgi import Handler
django.core.asgi.ASGIHandler = django.core.handlers.asgi.ASGIHandler = Handler
"""

_RUN = """
import runpy, sys
sys.path[:0] = [{ours!r}, {tests!r}]
{replace}
sys.argv = ["runtests.py", *{apps!r}, "--parallel", "1"]
runpy.run_path("runtests.py", run_name="__main__")
"""


def failures(tests: Path, replace: str) -> tuple[int, set[str]]:
    """Run the tests in *tests* after the code *replace*; return their number and what failed."""
    ours = str(Path(__file__).parent.parent)
    code = _RUN.format(ours=ours, tests=str(tests), replace=replace, apps=_APPS)
    result = subprocess.run(  # noqa: S603 - the code is above
        [sys.executable, "-c", code], cwd=tests, capture_output=True, text=True, check=False
    )
    ran = re.search(r"^Ran (\d+) tests", result.stderr, re.MULTILINE)
    if ran is None:
        sys.exit(result.stderr)
    failed = re.findall(r"^(?:ERROR|FAIL): \S+ \((\S+)\)", result.stderr, re.MULTILINE)
    return int(ran[1]), set(failed)


def main(django: Path) -> None:
    """Print and compare both runs."""
    known: set[str] = set()
    for name, replace in [("Django's handler", ""), ("di.asgi.Handler", _REPLACE)]:
        number, failed = failures(django / "tests", replace)
        print(f"{name}: {number} tests, {len(failed)} failed: {', '.join(sorted(failed)) or '-'}")  # noqa: T201 - its purpose
        if replace and failed - known:
            sys.exit(1)
        known = failed


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
