"""The API: what is mounted where."""

from __future__ import annotations

from typing import Annotated, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Schema

from di import Depends, HTTPException
from project import errors
from project.docs import SessionSwagger, readers_only
from project.health import Pulse
from project.openapi import DocumentedAPI
from project.parser import StrictParser
from project.renderer import FastRenderer
from project.replica import REPLICA
from users.api import auth_router, users_router

api = DocumentedAPI(
    title="Users",
    version="1",
    description=(
        "Users, and tokens to reach them with. *Authorize* takes an e-mail address and a password."
        " A browser session is enough, too, as that of the admin site: load this page again after"
        " logging in there."
    ),
    urls_namespace="api",
    parser=StrictParser(),
    renderer=FastRenderer(),
    # A token in the browser's storage is for a developer's own machine.
    docs=SessionSwagger(settings={"persistAuthorization": settings.DEBUG}),
    docs_decorator=readers_only,
)
errors.register(api)
api.add_router("/users", users_router, tags=["users"])
api.add_router("/auth", auth_router, tags=["auth"])

pulse = Pulse()
replica_pulse = Pulse(REPLICA)


def database_is_there() -> bool:
    """Return whether the database answers."""
    return pulse.is_there()


def replica_is_there() -> bool | None:
    """Return whether the replica answers; None if there is none."""
    return replica_pulse.is_there() if REPLICA in settings.DATABASES else None


class Index(Schema):
    """Where to go from here."""

    documentation: str
    openapi: str
    token: str
    me: str
    users: str
    health: str


@api.get("/", response=Index, tags=["site"])
def read_index(request: HttpRequest) -> Index:
    """Show the paths to begin with."""
    root = request.path
    return Index(
        documentation=f"{root}docs",
        openapi=f"{root}openapi.json",
        token=f"{root}auth/token",
        me=f"{root}users/me",
        users=f"{root}users",
        health=f"{root}health",
    )


class Health(Schema):
    """That the project can do its work, all but lists if the replica is away."""

    status: Literal["ok"] = "ok"
    replica: Literal["ok", "away"] | None = None


@api.get("/health", response=Health, exclude_none=True, tags=["site"])
def read_health(
    request: HttpRequest,  # noqa: ARG001 - Ninja's signature
    response: HttpResponse,
    *,
    is_there: Annotated[bool, Depends(database_is_there)],
    has_replica: Annotated[bool | None, Depends(replica_is_there)],
) -> Health:
    """Say whether the database is there; 503 if not.

    If only the replica is away, it is 200 and says so, because all machines share the
    replica: a load balancer that removed them would stop logins and writes, too.
    """
    if not is_there:
        headers = {"Cache-Control": "no-store", "Retry-After": "1"}
        raise HTTPException(503, "The database is away", headers)
    response["Cache-Control"] = "no-store"
    if has_replica is None:
        return Health()
    return Health(replica="ok" if has_replica else "away")
