"""The database and its sessions."""

import tempfile

from sqlalchemy import create_engine
from sqlalchemy.orm import declarative_base, sessionmaker

folder = tempfile.TemporaryDirectory(prefix="original-user-crud-")
SQLALCHEMY_DATABASE_URL = f"sqlite:///{folder.name}/users.db"

engine = create_engine(SQLALCHEMY_DATABASE_URL, connect_args={"check_same_thread": False})
SessionLocal = sessionmaker(autocommit=False, autoflush=False, bind=engine)

Base = declarative_base()


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
