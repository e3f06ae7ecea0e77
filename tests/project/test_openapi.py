"""The document: every operation says how it may refuse."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from django.test import Client
from ninja import Path
from openapi_spec_validator import OpenAPIV31SpecValidator

from project.openapi import DocumentedAPI

EVERY = {400, 405, 503}
LIMITED = EVERY | {429}
CALLER = LIMITED | {401, 403}
BODY = {411, 413, 415, 422}

ERRORS = {
    ("get", "/health"): EVERY,
    ("get", "/users"): CALLER | {422},
    ("post", "/users"): CALLER | BODY | {409},
    ("get", "/users/me"): CALLER,
    ("patch", "/users/me"): CALLER | BODY | {404, 409},
    ("get", "/users/me/items"): CALLER,
    ("get", "/users/{user_id}"): CALLER | {404},
    ("patch", "/users/{user_id}"): CALLER | BODY | {404, 409},
    ("delete", "/users/{user_id}"): CALLER | {404, 409},
    ("post", "/auth/token"): LIMITED | BODY | {404},
    ("post", "/auth/revoke"): CALLER | BODY,
    ("get", "/auth/tokens"): CALLER,
    ("delete", "/auth/tokens"): CALLER,
    ("get", "/auth/tokens/{key}"): CALLER | {404},
    ("delete", "/auth/tokens/{key}"): CALLER | {404},
    ("post", "/auth/password"): CALLER | BODY,
    ("get", "/auth/csrf"): LIMITED,
    ("post", "/auth/session"): LIMITED | BODY | {403},
    ("delete", "/auth/session"): CALLER,
    ("get", "/"): {400, 405, 503},
}

HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
SUCCESS_HEADERS = {("post", "/users"): "Location"}


@pytest.fixture
def document() -> Any:
    """What a client reads."""
    return Client().get("/api/openapi.json").json()


def operations(document: Any) -> dict[tuple[str, str], Any]:
    """Return every operation by method and path."""
    return {
        (method, path.removeprefix("/api")): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def resolve(document: Any, answer: Any) -> Any:
    """Return an answer with what it refers to, in whose stead its own description stands."""
    if "$ref" not in answer:
        return answer
    name = answer["$ref"].removeprefix("#/components/responses/")
    return {**document["components"]["responses"][name], **answer}


def test_the_document_is_valid(document: Any) -> None:
    """It is OpenAPI 3.1."""
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_says_how_it_may_refuse(document: Any) -> None:
    """By status: what follows from what it takes, and what it declares itself."""
    found = {
        key: {int(status) for status in operation["responses"] if int(status) >= 400}
        for key, operation in operations(document).items()
    }
    assert found == ERRORS


@pytest.mark.parametrize("key", ERRORS, ids=" ".join)
def test_every_answer_is_described(key: tuple[str, str], document: Any) -> None:
    """Status, headers that are never missing, and a body."""
    answers = operations(document)[key]["responses"]
    for status, answer in answers.items():
        whole = resolve(document, answer)
        assert whole["description"]
        always = {
            name for name, header in whole.get("headers", {}).items() if header.get("required")
        }
        header = HEADERS.get(int(status))
        if int(status) < 300:
            header = SUCCESS_HEADERS.get(key)
        assert always == ({header} if header else set())
        if int(status) >= 400:
            schema = whole["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            is_oauth = status == "400" and key[1] in ("/auth/token", "/auth/revoke")
            expected = "TokenErrorOut" if is_oauth else "ErrorOut"
            assert schema == ("InvalidOut" if status == "422" else expected)


def test_the_bodies_of_errors(document: Any) -> None:
    """``{"detail": …}`` everywhere: a text, or of a 422 a list; with RFC 6749's fields."""
    schemas = document["components"]["schemas"]
    for name, names in {
        "ErrorOut": {"detail"},
        "InvalidOut": {"detail"},
        "InvalidInputOut": {"type", "loc", "msg"},
    }.items():
        assert schemas[name]["required"] == list(schemas[name]["properties"]), name
        assert set(schemas[name]["required"]) == names
    assert schemas["TokenErrorOut"]["required"] == ["detail"]
    assert {"error", "error_description"} <= schemas["TokenErrorOut"]["properties"].keys()


def test_the_forms_say_what_they_need(document: Any) -> None:
    """Though a field that is missing is the RFC's 400."""
    for path, names in {"/auth/token": ["username", "password"], "/auth/revoke": ["token"]}.items():
        (body,) = operations(document)["post", path]["requestBody"]["content"].values()
        assert body["schema"]["required"] == names


@pytest.mark.parametrize(
    ("path", "annotation", "is_refused"),
    [
        ("/{x}", str, False),
        ("/{slug:x}", str, False),
        ("/{int:x}", int, False),
        ("/{int:x}", str, False),
        ("/{x}", int, True),
        ("/{slug:x}", int, True),
        ("/{int:x}", bool, True),
        ("/{x}", Annotated[str, Path(max_length=1)], True),
        ("/{int:x}", Annotated[int, Path(ge=10)], True),
        ("/x", str, True),
    ],
)
def test_what_a_path_cannot_bring_is_not_refused(
    path: str, annotation: Any, is_refused: bool, settings: Any
) -> None:
    """A parameter's 422 is there if it can be had, and if not the path leads nowhere."""
    api = DocumentedAPI(urls_namespace="elsewhere")

    def view(request: Any, x: Any) -> None: ...

    view.__annotations__["x"] = annotation
    api.get(path)(view)
    (operation,) = operations(api.get_openapi_schema(path_prefix="/")).values()
    assert (422 in operation["responses"]) is is_refused


def test_the_place_of_the_api(document: Any) -> None:
    """It is found by itself, or given."""
    api = DocumentedAPI(urls_namespace="elsewhere")

    @api.get("/x")
    def x(request: Any) -> None: ...

    assert list(api.get_openapi_schema(path_prefix="/other/")["paths"]) == ["/other/x"]
    assert "/api/health" in document["paths"]
