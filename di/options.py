"""What may be said of routes, routers and APIs: Ninja 1.7's parameters, and dependencies.

For type checkers and editors. At run time everything is handed to the installed Ninja,
which refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import ninja
from ninja.constants import NOT_SET_TYPE
from ninja.openapi.docs import DocsBase
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from ninja.throttling import BaseThrottle

Dependencies = Sequence[Any] | None
"""Markers: what `Depends` and `Security` return."""

Throttle = BaseThrottle | list[BaseThrottle] | NOT_SET_TYPE


class _Shared(TypedDict, total=False):
    auth: Any
    throttle: Throttle
    tags: list[str] | None


class _Serialization(TypedDict, total=False):
    by_alias: bool | None
    exclude_unset: bool | None
    exclude_defaults: bool | None
    exclude_none: bool | None


class OperationOptions(_Shared, _Serialization, total=False):
    """Of `Router.add_api_operation`, besides its dependencies."""

    response: Any
    operation_id: str | None
    summary: str | None
    description: str | None
    deprecated: bool | None
    url_name: str | None
    include_in_schema: bool
    openapi_extra: dict[str, Any] | None


class RouteOptions(OperationOptions, total=False):
    """Of route decorators."""

    dependencies: Dependencies


class RouterOptions(_Shared, _Serialization, total=False):
    """Of `Router`, besides its dependencies."""


class MountOptions(_Shared, total=False):
    """Of `Router.add_router`, besides its dependencies."""


class APIMountOptions(MountOptions, total=False):
    """Of `NinjaAPI.add_router`, besides its dependencies."""

    url_name_prefix: str | None
    parent_router: ninja.Router | None


class APIOptions(TypedDict, total=False):
    """Of `NinjaAPI`, besides its dependencies."""

    title: str
    version: str
    description: str
    openapi_url: str | None
    docs: DocsBase
    docs_url: str | None
    docs_decorator: Callable[[Any], Any] | None
    servers: list[dict[str, Any]] | None
    urls_namespace: str | None
    auth: Any
    throttle: Throttle
    renderer: BaseRenderer | None
    parser: Parser | None
    default_router: ninja.Router | None
    openapi_extra: dict[str, Any] | None
