"""The pattern's samples on FastAPI and SQLAlchemy; `ported` has the same files on Django."""
