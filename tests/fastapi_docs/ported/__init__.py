"""The pattern's samples on Django and `di`; `original` has the same files on FastAPI."""
