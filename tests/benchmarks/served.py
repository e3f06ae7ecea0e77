"""Our side over HTTP: the sample's routes on Django, under the server of ``manage.py up``.

python -m tests.benchmarks.served PORT ROWS
"""

from __future__ import annotations

import sys
import tempfile

import django
from django.conf import settings
from django.db import connection

django.setup()

from di import Depends, NinjaAPI  # noqa: E402 - Django comes first
from di.sessions import ReadSession, Session, get_read_session, get_session  # noqa: E402
from project.renderer import FastRenderer  # noqa: E402
from project.server import serve  # noqa: E402
from tests.fastapi_docs.database import page  # noqa: E402
from tests.fastapi_docs.dependencies import get_current_user  # noqa: E402
from tests.fastapi_docs.models import User  # noqa: E402
from tests.fastapi_docs.original import schemas  # noqa: E402

api = NinjaAPI(urls_namespace="benchmark", renderer=FastRenderer())


@api.post("/users/", response=schemas.User)
def create_user(
    request,
    user: schemas.UserCreate,
    db: Session = Depends(get_session),
    current_user: dict = Depends(get_current_user),
):
    db_user = User(name=user.name, email=user.email)
    db.add(db_user)
    db.refresh(db_user)
    return db_user


@api.get("/users/", response=list[schemas.User])
def read_users(
    request,
    skip: int = 0,
    limit: int = 10,
    db: ReadSession = Depends(get_read_session),
    current_user: dict = Depends(get_current_user),
):
    # The sample does not order either.
    return page(db.query(User).order_by(), skip, limit)


def create_table(rows: int = 0) -> None:
    """Make the table of the sample, in which are so many rows."""
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
