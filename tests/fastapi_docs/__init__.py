"""FastAPI's pages as tests, and the pattern's samples in two folders: `original`, `ported`."""

import pytest

pytest.register_assert_rewrite("tests.fastapi_docs.hosts")
