"""The pattern's own examples: FastAPI's in `original`, ours beside it, file by file."""

import pytest

pytest.register_assert_rewrite("tests.fastapi_docs.hosts")
