"""The other side over HTTP: the user CRUD on FastAPI and SQLAlchemy as it is, on uvicorn.

    python -m tests.benchmarks.reference PORT ROWS

The rows are in the file that ``DATABASE_URL`` names, with the same journal and durability as
ours.
"""

from __future__ import annotations

import os
import sys

import sqlalchemy
import uvicorn
from django.conf import settings

from tests.fastapi_docs.original.user_crud import database, main, models

engine = sqlalchemy.create_engine(
    os.environ["DATABASE_URL"], connect_args={"check_same_thread": False, "timeout": 20}
)


@sqlalchemy.event.listens_for(engine, "connect")
def _connect(connection, _):
    connection.executescript(settings.DATABASES["default"]["OPTIONS"]["init_command"])


def serve(port: int, rows: int) -> None:
    """Serve until SIGTERM, with so many rows in the table."""
    database.SessionLocal.configure(bind=engine)
    database.Base.metadata.create_all(engine)
    with database.SessionLocal() as session:
        for number in range(rows):
            email = f"user{number}@example.com"
            session.add(models.User(name=f"User {number}", email=email))
        session.commit()
    uvicorn.run(
        main.app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,  # granian writes none either
    )


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
