"""What may come in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.users.conftest import Api, Browser
from users.models import User
from users.schemas import UserCreate


def test_half_a_surrogate_pair_is_no_password() -> None:
    """JSON can write it, but it has no bytes to hash. The error does not repeat it."""
    with pytest.raises(ValidationError, match="This is not text") as caught:
        UserCreate(name="Ann", email="ann@example.com", password="correct horse \ud800")  # type: ignore[arg-type]
    assert "horse" not in str(caught.value)


def example(document: Any, schema: Any) -> Any:
    """Return the body that a docs page fills in: the schema's own, or one of its fields'."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "examples" in schema:
        return schema["examples"][0]
    return {name: example(document, field) for name, field in schema["properties"].items()}


BODIES = [
    ("post", "/users", 201),
    ("patch", "/users/{user_id}", 200),
    ("patch", "/users/me", 200),
    ("post", "/auth/password", 200),
    ("post", "/auth/session", 200),
]


@pytest.fixture
def document(db: None) -> Any:
    """What a docs page reads."""
    return Api().get("/openapi.json").json()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("method", "path", "status"), BODIES)
def test_an_example_works(
    method: str, path: str, status: int, document: Any, root: User, ann: User
) -> None:
    """What the documentation fills in for a body is accepted."""
    content = document["paths"][f"/api{path}"][method]["requestBody"]["content"]
    body = example(document, content["application/json"]["schema"])
    if path == "/users":
        ann.delete()  # whom the example makes
    by = root if path.startswith("/users") and path != "/users/me" else ann
    api = Browser() if path == "/auth/session" else Api(by)
    assert api.request(method, path.format(user_id=ann.pk), body).status_code == status


def test_every_body_has_an_example(document: Any) -> None:
    """Each that is JSON is tried above."""
    found = {
        (method, path.removeprefix("/api"))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert found == {(method, path) for method, path, _ in BODIES}
