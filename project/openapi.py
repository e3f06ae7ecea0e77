"""The document, with the errors that each operation may answer with.

What follows from how an operation is declared is added here: whoever must log in may be
refused, a body may be too large, an input may be invalid. What else an operation refuses it
declares itself, by status and description; what such an answer looks like is said here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ninja import Schema
from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from ninja.operation import Operation

from di import NinjaAPI
from di.openapi import SecuredSchema

_CHALLENGE = {"WWW-Authenticate": "How to log in (RFC 6750 §3)."}
_WAIT = {"Retry-After": "Seconds to wait."}

_ALWAYS = (HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.SERVICE_UNAVAILABLE)
_WITH_SECURITY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_WITH_BODY = (
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


_DESCRIPTIVE = {"type", "title", "description", "example", "examples", "deprecated"}
"""What of a parameter's schema refuses nothing, beside its type."""


class ErrorOut(Schema):
    """Why a request was refused."""

    detail: str


class InvalidInputOut(Schema):
    """What is wrong with one input, and where it is."""

    type: str
    loc: list[str | int]
    msg: str


class InvalidOut(Schema):
    """All that is wrong with the inputs of a request."""

    detail: list[InvalidInputOut]


_ERRORS: dict[int, tuple[str, dict[str, str]]] = {
    400: ("The request cannot be read, or its credentials.", {}),
    401: ("Nobody has logged in, or no longer.", _CHALLENGE),
    403: ("The caller may not do this; with a challenge if a scope is missing.", {}),
    404: ("There is no such thing.", {}),
    405: ("The path knows no such method.", {"Allow": "The methods that it knows."}),
    409: ("It clashes with what is there.", {}),
    411: ("The body came without its length.", {}),
    413: ("The body is too large.", {}),
    415: ("The body is of another type.", {}),
    422: ("An input is invalid.", {}),
    429: ("There were too many requests.", _WAIT),
    503: ("The database is away, or the server busy.", _WAIT),
}
"""What each error means, and the headers that it has without fail."""


class DocumentedAPI(NinjaAPI):
    """The API whose document is a `DocumentedSchema`."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the document."""
        if path_prefix is None:
            path_prefix = self.get_root_path(path_params or {})
        return DocumentedSchema(self, path_prefix)


class DocumentedSchema(SecuredSchema):
    """The document, with the errors."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """Return what is known of *operation*, its errors included."""
        details: dict[str, Any] = super().operation_details(operation)
        declared = details["responses"]
        statuses = sorted({*declared, *_errors_of(details, operation.path)})
        details["responses"] = {status: _answer(status, declared) for status in statuses}
        return details

    def get_components(self) -> dict[str, Any]:
        """Return what operations refer to, and what their errors do."""
        for model in (ErrorOut, InvalidOut):
            schema = model.model_json_schema(ref_template=REF_TEMPLATE)
            self.add_schema_definitions({**schema.pop("$defs", {}), model.__name__: schema})
        responses = {f"Error{status}": _error(status) for status in _ERRORS}
        return {**super().get_components(), "responses": responses}


def _errors_of(details: dict[str, Any], path: str) -> set[int]:
    """Return the statuses that an operation on *path* with these *details* can refuse with."""
    statuses: set[int] = {*_ALWAYS}
    parameters = details["parameters"]
    if "security" in details:
        statuses.update(_WITH_SECURITY)
    if "requestBody" in details:
        statuses.update(_WITH_BODY)
    if "requestBody" in details or any(_may_be_invalid(one, path) for one in parameters):
        statuses.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if any(parameter["in"] == "path" for parameter in parameters):
        statuses.add(HTTPStatus.NOT_FOUND)
    return statuses


def _may_be_invalid(parameter: dict[str, Any], path: str) -> bool:
    """Whether *parameter* can be refused: not if *path* leads nowhere with a bad one."""
    schema = parameter["schema"]
    if parameter["in"] != "path" or schema.keys() - _DESCRIPTIVE:
        return True
    is_integer = f"{{int:{parameter['name']}}}" in path
    return schema.get("type") not in ({"string", "integer"} if is_integer else {"string"})


def _answer(status: int, declared: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Return what answers with *status*: as declared, or else as all errors are."""
    answer = declared.get(status, {})
    if status not in _ERRORS or "content" in answer:
        return answer
    # Beside a reference, a description stands in for the one that is referred to.
    return {"$ref": f"#/components/responses/Error{status}", **answer}


def _error(status: int) -> dict[str, Any]:
    description, headers = _ERRORS[status]
    model = InvalidOut if status == HTTPStatus.UNPROCESSABLE_ENTITY else ErrorOut
    schema = {"$ref": REF_TEMPLATE.format(model=model.__name__)}
    return {
        "description": description,
        "headers": {
            name: {"description": text, "required": True, "schema": {"type": "string"}}
            for name, text in headers.items()
        },
        "content": {"application/json": {"schema": schema}},
    }
