"""The API: what is mounted where."""

from __future__ import annotations

from di import NinjaAPI
from project import errors
from project.parser import StrictParser
from users.api import auth_router, users_router

api = NinjaAPI(
    title="Users",
    version="1",
    description="Users, and tokens to reach them with.",
    urls_namespace="api",
    parser=StrictParser(),
)
errors.register(api)
api.add_router("/users", users_router, tags=["users"])
api.add_router("/auth", auth_router, tags=["auth"])
