"""The API: what is mounted where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from ninja import Schema
from ninja.openapi.docs import Swagger

from di import Depends, HTTPException
from project import errors
from project.health import Pulse
from project.openapi import DocumentedAPI
from project.parser import StrictParser
from users.api import auth_router, users_router


def readers_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Show *view* to whom the setting ``API_DOCS`` says; others may log in."""
    for_staff = staff_member_required(view)

    @require_safe
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return (view if settings.API_DOCS == "open" else for_staff)(request, **kwargs)

    return guarded


api = DocumentedAPI(
    title="Users",
    version="1",
    description="Users, and tokens to reach them with.",
    urls_namespace="api",
    parser=StrictParser(),
    # A token in the browser's storage is for a developer's own machine.
    docs=Swagger(settings={"persistAuthorization": settings.DEBUG}),
    docs_decorator=readers_only,
)
errors.register(api)
api.add_router("/users", users_router, tags=["users"])
api.add_router("/auth", auth_router, tags=["auth"])

pulse = Pulse()


def database_is_there() -> bool:
    """Return whether the database answers."""
    return pulse.is_there()


class Health(Schema):
    """That the project can do its work."""

    status: Literal["ok"] = "ok"


@api.get("/health", response=Health, tags=["health"])
def read_health(
    request: HttpRequest,  # noqa: ARG001 - Ninja's signature
    response: HttpResponse,
    *,
    is_there: Annotated[bool, Depends(database_is_there)],
) -> Health:
    """Say whether the database is there; 503 if not."""
    if not is_there:
        headers = {"Cache-Control": "no-store", "Retry-After": "1"}
        raise HTTPException(503, "The database is away", headers)
    response["Cache-Control"] = "no-store"
    return Health()
