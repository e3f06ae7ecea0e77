"""Our side over HTTP: the ported user CRUD as it is, under the server of ``manage.py up``.

python -m tests.benchmarks.served PORT ROWS
"""

from __future__ import annotations

import sys
import tempfile

import django
from django.conf import settings
from django.db import connection

django.setup()

from project.renderer import FastRenderer  # noqa: E402 - Django comes first
from project.server import serve  # noqa: E402
from tests.fastapi_docs.ported.user_crud.main import app as api  # noqa: E402
from tests.fastapi_docs.ported.user_crud.models import User  # noqa: E402

api.renderer = FastRenderer()


def create_table(rows: int = 0) -> None:
    """Create the sample's table with *rows* users."""
    with connection.schema_editor() as editor:
        editor.create_model(User)
    User.objects.bulk_create(
        User(name=f"User {number}", email=f"user{number}@example.com") for number in range(rows)
    )
    connection.close()


def main() -> None:
    """Serve until SIGTERM."""
    port, rows = map(int, sys.argv[1:])
    create_table(rows)
    with tempfile.TemporaryDirectory() as folder:
        settings.STATIC_ROOT = folder
        serve(host="127.0.0.1", port=port, workers=1, interface="wsgi", on_start=lambda: None)


if __name__ == "__main__":
    main()
