"""The pattern's own examples: FastAPI's in `original`, ours beside it, file by file."""
