"""The samples side by side: their files, and the documents that come of them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fastapi_docs.samples import SAMPLES, ported

FOLDER = Path(__file__).parent
FILES = sorted(
    str(path.relative_to(FOLDER / "original")) for path in (FOLDER / "original").rglob("*.py")
)


def functions(path: Path) -> dict[str, list[tuple[str, str | None, str | None]]]:
    """Return name, annotation and default of each parameter of the functions in a file.

    The request is left out, which Ninja hands to every view.
    """
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "async " * isinstance(node, ast.AsyncFunctionDef)
            defaults = [None] * (len(node.args.args) - len(node.args.defaults))
            found[kind + node.name] = [
                (one.arg, one.annotation and ast.unparse(one.annotation), text)
                for one, text in zip(
                    node.args.args,
                    [*defaults, *map(ast.unparse, node.args.defaults)],
                    strict=True,
                )
                if one.arg != "request"
            ]
    return found


def test_both_folders_have_the_same_files() -> None:
    """When a file is in one folder, it is in the other; the CRUD has its five."""
    here = sorted(
        str(path.relative_to(FOLDER / "ported")) for path in (FOLDER / "ported").rglob("*.py")
    )
    assert here == FILES
    crud = [Path(name).name for name in FILES if name.startswith("user_crud/")]
    names = ["__init__.py", "crud.py", "database.py", "main.py", "models.py", "schemas.py"]
    assert crud == names


@pytest.mark.parametrize("name", FILES)
def test_both_files_have_the_same_functions(name: str) -> None:
    """When a function is in one file, it is in the other, with the same parameters.

    Only `get_db` is imported here: `di` has it.
    """
    theirs, ours = functions(FOLDER / "original" / name), functions(FOLDER / "ported" / name)
    if name == "user_crud/database.py":
        assert theirs.pop("get_db") == []
        assert "as get_db" in (FOLDER / "ported" / name).read_text()
    assert ours == theirs


@pytest.mark.parametrize("name", ["user_crud/schemas.py", "reference/db.py"])
def test_files_without_a_framework_are_the_same(name: str) -> None:
    """When a file needs nothing but pydantic, it is moved as it is."""
    texts = {(FOLDER / folder / name).read_text() for folder in ("original", "ported")}
    assert len(texts) == 1


def resolved(value: Any, document: dict[str, Any]) -> Any:
    """Return a part of *document* with schemas in place of references to them.

    Titles of objects and lists are left out, because each side makes up its own.
    """
    if isinstance(value, list):
        return [resolved(one, document) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        name = value["$ref"].removeprefix("#/components/schemas/")
        return resolved(document["components"]["schemas"][name], document)
    is_titled = value.get("type") in {"object", "array"}
    return {
        key: resolved(one, document)
        for key, one in value.items()
        if not (is_titled and key == "title")
    }


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of *document* that tell a client how to call each operation."""
    document = json.loads(json.dumps(document))
    found = {}
    for url, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation["responses"]["200"].get("content", {})
            parts = {
                "summary": operation["summary"],
                "parameters": operation.get("parameters", []),
                "body": operation.get("requestBody"),
                "response": content.get("application/json", {}).get("schema", {}),
                "security": operation.get("security", []),
            }
            found[f"{method.upper()} {url}"] = resolved(parts, document)
    return {"operations": found, "schemes": document["components"].get("securitySchemes", {})}


def apis(sample: str) -> list[Any]:
    """Return a ported sample as it stands, and on both hosts with both kinds of view."""
    built = [
        ported(sample, host, is_async=is_async)
        for host in ("di", "ninja")
        for is_async in (False, True)
    ]
    return [SAMPLES[sample].ported, *built]


@pytest.mark.row("C6", "I1", "I4")
@pytest.mark.parametrize("sample", SAMPLES)
def test_both_documents_say_the_same(sample: str) -> None:
    """When a client reads one document or the other, it learns the same.

    The address of the token is absolute here. FastAPI documents a 422 as well.
    """
    theirs = described(SAMPLES[sample].original.openapi())
    for scheme in theirs["schemes"].values():
        scheme["flows"]["password"]["tokenUrl"] = "/token"
    for api in apis(sample):
        assert described(api.get_openapi_schema(path_prefix="/")) == theirs


@pytest.mark.row("I1", "I4")
def test_the_scope_is_documented() -> None:
    """When `Security` names the scope "items", scheme and operation show it."""
    for api in apis("own_items"):
        document = described(api.get_openapi_schema(path_prefix="/"))
        scheme = document["schemes"]["OAuth2PasswordBearer"]
        assert scheme["flows"]["password"]["scopes"] == {
            "me": "Read information about the current user.",
            "items": "Read items.",
        }
        operation = document["operations"]["GET /users/me/items/"]
        assert operation["security"] == [{"OAuth2PasswordBearer": ["items", "me"]}]
