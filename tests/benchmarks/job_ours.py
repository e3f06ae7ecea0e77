"""The main job on our side: the project as it is in production.

python -m tests.benchmarks.job_ours PORT wsgi|asgi
"""

from __future__ import annotations

import os
import sys
import tempfile

import django
from django.conf import settings

django.setup()

from project.server import serve  # noqa: E402 - Django comes first


def main() -> None:
    """Serve until SIGTERM."""
    port, interface = sys.argv[1:3]
    # Refused requests are logged, and nobody reads that here.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    with tempfile.TemporaryDirectory() as folder:
        settings.STATIC_ROOT = folder
        serve(
            host="127.0.0.1",
            port=int(port),
            workers=1,
            interface="asgi" if interface == "asgi" else "wsgi",
            on_start=lambda: None,
        )


if __name__ == "__main__":
    main()
