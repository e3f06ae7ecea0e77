"""FastAPI's spellings that mean nothing here, each with the line to write."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from di.exceptions import UnknownMarkerError, UnsupportedArgumentError
from di.rendering import Path, name_of

_P = ParamSpec("_P")
_R = TypeVar("_R")

_SCOPE_APP = (
    'Write a generator dependable and depend on it with Depends(f, scope="app"): it starts at its'
    " first use and closes when the process ends."
)

_MIDDLEWARE = "Write a Django middleware and add its path to MIDDLEWARE in the settings."

_RENDERER = (
    "Return that response from the view, or give the API a renderer: NinjaAPI(renderer=...)."
)

_WEBSOCKET = "Use Channels: Django Ninja has no WebSockets."

_LIMITS: Mapping[str, str] = {
    "max_body_size": "Set DATA_UPLOAD_MAX_MEMORY_SIZE in Django's settings.",
    "form_limits": "Set DATA_UPLOAD_MAX_NUMBER_FIELDS in Django's settings.",
}

OF_OPERATIONS: Mapping[str, str] = {
    **_LIMITS,
    "response_model": "Write response=Model.",
    "status_code": "Write response={201: Model}, with the status in place of 201.",
    "responses": "Write response={200: Model, 404: Error}.",
    "response_class": _RENDERER,
    "response_description": (
        'Write openapi_extra={"responses": {200: {"description": "..."}}}, with the status that'
        " the operation answers."
    ),
    "response_model_by_alias": "Write by_alias=True.",
    "response_model_exclude_unset": "Write exclude_unset=True.",
    "response_model_exclude_defaults": "Write exclude_defaults=True.",
    "response_model_exclude_none": "Write exclude_none=True.",
    "response_model_include": "Declare a Schema with these fields only: response=ThatSchema.",
    "response_model_exclude": "Declare a Schema without these fields: response=ThatSchema.",
    "name": 'Write url_name="...", by which reverse() finds the operation.',
    "generate_unique_id_function": 'Write operation_id="..." for the operation.',
    "callbacks": 'Write openapi_extra={"callbacks": {...}}.',
}
"""The keyword arguments of FastAPI's route decorators."""

OF_ROUTERS: Mapping[str, str] = {
    **_LIMITS,
    "prefix": 'Leave it out and write api.add_router("/prefix", router).',
    "responses": "Write response={404: Error} for each operation.",
    "default_response_class": _RENDERER,
    "deprecated": "Write deprecated=True for each operation.",
    "include_in_schema": "Write include_in_schema=False for each operation.",
    "generate_unique_id_function": OF_OPERATIONS["generate_unique_id_function"],
    "callbacks": "Write openapi_extra={...} for each operation.",
    "redirect_slashes": "Set APPEND_SLASH in Django's settings.",
    "lifespan": _SCOPE_APP,
    "on_startup": _SCOPE_APP,
    "on_shutdown": _SCOPE_APP,
    "routes": "Write @router.get(...) above each view.",
    "default": "Set handler404 in urls.py.",
    "dependency_overrides_provider": "Set api.dependency_overrides[original] = stand_in.",
    "strict_content_type": "Write NinjaAPI(parser=...), with a parser that looks at the header.",
    "route_class": "Write a decorator and add it: router.add_decorator(decorator).",
}
"""The keyword arguments of FastAPI's ``APIRouter``."""

OF_APIS: Mapping[str, str] = {
    **OF_ROUTERS,
    "prefix": 'Write the prefix in urls.py: path("prefix/", api.urls).',
    "debug": "Set DEBUG in Django's settings.",
    "summary": 'Write openapi_extra={"info": {"summary": "..."}}.',
    "terms_of_service": 'Write openapi_extra={"info": {"termsOfService": "..."}}.',
    "contact": 'Write openapi_extra={"info": {"contact": {...}}}.',
    "license_info": 'Write openapi_extra={"info": {"license": {...}}}.',
    "openapi_tags": 'Write openapi_extra={"tags": [...]}.',
    "openapi_external_docs": 'Write openapi_extra={"externalDocs": {...}}.',
    "redoc_url": "Write docs=Redoc(), with Redoc from ninja.",
    "swagger_ui_parameters": "Write docs=Swagger(settings={...}), with Swagger from ninja.",
    "swagger_ui_init_oauth": "Write docs=Swagger(settings={...}), with Swagger from ninja.",
    "swagger_ui_oauth2_redirect_url": (
        'Write docs=Swagger(settings={"oauth2RedirectUrl": "..."}), with Swagger from ninja.'
    ),
    "separate_input_output_schemas": "Leave it out: Ninja documents inputs and outputs apart.",
    "webhooks": 'Write openapi_extra={"webhooks": {...}}.',
    "telemetry": "Leave it out, and instrument Django.",
    "root_path_in_servers": 'Write servers=[{"url": "..."}].',
    "root_path": "Set FORCE_SCRIPT_NAME in Django's settings.",
    "middleware": _MIDDLEWARE,
    "exception_handlers": "Write @api.exception_handler(SomeError) above each handler.",
}
"""The keyword arguments of the class ``FastAPI``."""

OF_MOUNTS: Mapping[str, str] = {
    **_LIMITS,
    "responses": OF_ROUTERS["responses"],
    "default_response_class": _RENDERER,
    "deprecated": OF_ROUTERS["deprecated"],
    "include_in_schema": OF_ROUTERS["include_in_schema"],
    "callbacks": OF_ROUTERS["callbacks"],
    "generate_unique_id_function": OF_OPERATIONS["generate_unique_id_function"],
}
"""The keyword arguments of FastAPI's ``include_router``."""

ATTRIBUTES: Mapping[str, str] = {
    "include_router": 'Write add_router("/prefix", router).',
    "api_route": 'Write @router.api_operation(["GET", "POST"], "/path").',
    "add_api_route": 'Write router.add_api_operation("/path", ["GET"], view).',
    "route": 'Write @router.api_operation(["GET"], "/path").',
    "add_route": 'Write router.add_api_operation("/path", ["GET"], view).',
    "options": 'Write @router.api_operation(["OPTIONS"], "/path").',
    "head": 'Write @router.api_operation(["HEAD"], "/path").',
    "trace": 'Write @router.api_operation(["TRACE"], "/path").',
    "exception_handler": "Write @api.exception_handler(SomeError): handlers belong to the API.",
    "middleware": _MIDDLEWARE,
    "add_middleware": _MIDDLEWARE,
    "on_event": _SCOPE_APP,
    "add_event_handler": _SCOPE_APP,
    "mount": 'Write it in urls.py: path("prefix/", include("other.urls")).',
    "host": "Write a middleware that sets request.urlconf, or serve a project for each host.",
    "frontend": "Let the web server serve the files, or django.contrib.staticfiles.",
    "url_path_for": 'Call reverse("api-1.0.0:name"), from django.urls.',
    "openapi": "Call api.get_openapi_schema().",
    "websocket": _WEBSOCKET,
    "add_api_websocket_route": _WEBSOCKET,
    "websocket_route": _WEBSOCKET,
    "add_websocket_route": _WEBSOCKET,
}
"""The attributes of FastAPI's applications and routers."""

NAMES: Mapping[str, str] = {
    "FastAPI": "Import NinjaAPI from di, and write path('', api.urls) in urls.py.",
    "APIRouter": "Import Router from di.",
    "Request": "Import HttpRequest from django.http.",
    "Response": "Import HttpResponse from django.http.",
    "WebSocket": _WEBSOCKET,
    "UploadFile": "Import UploadedFile and File from ninja: f: UploadedFile = File(...).",
    "WebSocketDisconnect": _WEBSOCKET,
    "WebSocketException": _WEBSOCKET,
    "status": "Import HTTPStatus from http.",
    **{
        name: f"Import {name} from ninja."
        for name in ("Path", "Query", "Header", "Cookie", "Body", "Form", "File", "Schema")
    },
}
"""The names that FastAPI exports, and `di` does not."""

_TYPES: Mapping[str, str] = {
    "WebSocket": _WEBSOCKET,
    "HTTPConnection": "Import HttpRequest from django.http.",  # the base class of Request
    "Response": "Import HttpResponse from django.http.",
    "BackgroundTask": "Import BackgroundTasks from di.",  # the base class of BackgroundTasks
    "UploadFile": "Import UploadedFile and File from ninja: {name}: UploadedFile = File(...).",
    "SecurityScopes": "Import SecurityScopes from di.",
}
"""Classes of FastAPI's and Starlette's that FastAPI fills by itself, and ours."""


@contextlib.contextmanager
def translating(
    owner: str, given: Mapping[str, object], hints: Mapping[str, str]
) -> Iterator[None]:
    """Explain a `TypeError` in this block by the first of FastAPI's arguments in *given*.

    A subclass may well have such an argument, and then there is no error.

    Raises:
        UnsupportedArgumentError: instead of the `TypeError`; its hint is from *hints*.
    """
    try:
        yield
    except TypeError:
        name = next((name for name in given if name in hints), None)
        if name is None:
            raise
        problem = f"{owner} has no argument {name!r}: this is FastAPI's spelling."
        raise UnsupportedArgumentError(problem, hint=hints[name]) from None


def missing_attribute(owner: object, name: str) -> AttributeError:
    """Return the error that tells that *owner* has no attribute *name*."""
    kind = type(owner).__name__
    message = f"{kind!r} object has no attribute {name!r}"
    if name in ATTRIBUTES:
        message += f": this is FastAPI's spelling.\n\nHint: {ATTRIBUTES[name]}"
    return AttributeError(message, name=name, obj=owner)


def missing_name(package: str, name: str) -> ImportError | AttributeError:
    """Return the error that tells that *package* does not export *name*.

    An `ImportError` is shown as it is by ``from package import name``. Of an `AttributeError`
    Python would drop the text.
    """
    message = f"module {package!r} has no attribute {name!r}"
    if name not in NAMES:
        return AttributeError(message)
    return ImportError(f"{message}: this is FastAPI's.\n\nHint: {NAMES[name]}")


def explained(hint: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Give *hint* to callers whose arguments do not fit the decorated function."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                name = function.__qualname__.removesuffix(".__init__")
                problem = f"{name}() cannot be called like this: {error}."
                raise UnsupportedArgumentError(problem, hint=hint) from None
            return function(*args, **kwargs)

        return checked

    return decorate


def refuse_type(annotation: object, name: str, path: Path) -> None:
    """Refuse a class that FastAPI fills by itself, for a parameter that nothing here fills.

    Raises:
        UnknownMarkerError: *annotation* is such a class, or a subclass.
    """
    if hint := _hint_for(annotation):
        problem = (
            f"Parameter {name!r} is annotated with {name_of(annotation)}, which nothing here fills."
        )
        raise UnknownMarkerError(problem, path=path, hint=hint.format(name=name))


def refuse_call(call: object) -> None:
    """Refuse to call a class or a security scheme of FastAPI's: it reads Starlette's request.

    Raises:
        UnknownMarkerError: *call* is one, or an instance of a scheme.
    """
    hint = _hint_for(call)
    for cls in _bases(call) or type(call).__mro__:
        if hint is None and cls.__module__.startswith("fastapi.security."):
            name = "HTTPBase" if cls.__name__ == "SecurityBase" else cls.__name__
            hint = f"Import {name} from di.security."
    if hint is not None:
        problem = f"{name_of(call)} is FastAPI's, and cannot read a request of Django's."
        raise UnknownMarkerError(problem, hint=hint.format(name="f"))


def _bases(value: object) -> tuple[type, ...]:
    # A proxy may claim to be a class, and answers to any name.
    return value.__mro__ if issubclass(type(value), type) else ()  # type: ignore[attr-defined]


def _hint_for(annotation: object) -> str | None:
    foreign = [cls for cls in _bases(annotation) if is_foreign(cls)]
    return next((_TYPES[cls.__name__] for cls in foreign if cls.__name__ in _TYPES), None)


def is_foreign(cls: type) -> bool:
    """Return True if *cls* is written in FastAPI or in Starlette."""
    return cls.__module__.partition(".")[0] in ("fastapi", "starlette")


def is_foreign_answer(error: BaseException) -> bool:
    """Return True if *error* is an ``HTTPException`` of FastAPI's or of Starlette's."""
    return any(is_foreign(cls) and cls.__name__ == "HTTPException" for cls in type(error).__mro__)


def shown(value: Any) -> str:
    """Return *value* as an error shows it: on one line, and short."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"


_WIDEST = 60
