"""Plain Ninja, in the places where it has no hook.

It refuses views, security objects, throttles and exception handlers whose dependencies
nothing resolves, and sends the headers of an `HTTPException` from any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ninja.operation
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.router import BoundRouter
from ninja.signature import ViewSignature

from di.host_calls import (
    refuse_in_api,
    refuse_in_controller,
    refuse_in_handler,
    refuse_in_operations,
)
from di.http import HTTPException, ensure_handled, translated
from di.unfilled import refuse_markers


class CheckedSignature(ViewSignature):
    """Ninja's view of a view, for one that has no dependencies."""

    def __init__(self, path: str, view_func: Callable[..., Any]) -> None:
        refuse_markers(view_func)
        if route := getattr(view_func, "get_route_function", None):  # ninja_extra's
            refuse_in_controller(route().api_controller.controller_class)
        super().__init__(path, view_func)


def check_every_view() -> None:
    """Let Ninja refuse a view that nothing injects in the moment it is registered.

    Almost always the marker itself does so. Ninja never looks at a parameter called
    `request`, one annotated with `HttpResponse`, or at ``*args`` and ``**kwargs``, though,
    and it has no hook for a view that nobody decorated.
    """
    ninja.operation.ViewSignature = CheckedSignature  # type: ignore[attr-defined]


def check_every_guard() -> None:
    """Let Ninja refuse dependencies in ``auth=``, ``throttle=`` and exception handlers.

    Objects of ``auth=`` and ``throttle=`` are known when their API is mounted, because each
    level inherits those of the one above.
    """
    NinjaAPI._get_bound_routers = _checked_routers  # type: ignore[method-assign, assignment]  # noqa: SLF001
    NinjaAPI.add_exception_handler = _add_checked_handler  # type: ignore[method-assign, assignment]


def _checked_routers(api: NinjaAPI) -> list[BoundRouter]:
    is_new = api._bound_routers_cache is None  # noqa: SLF001
    routers = _bound_routers(api)
    if is_new:
        refuse_in_api(api)
        refuse_in_operations(routers)
    return routers


def _add_checked_handler(
    api: NinjaAPI, exc_class: type[Exception], handler: Callable[..., Any]
) -> None:
    refuse_in_handler(handler)
    _add_handler(api, exc_class, handler)


_bound_routers = NinjaAPI._get_bound_routers  # noqa: SLF001
_add_handler = NinjaAPI.add_exception_handler


def send_every_header() -> None:
    """Let every API of Ninja's know the handler of `HTTPException`, made before or after.

    A view that nothing injects may raise one, and so may ``auth=``, which is asked before
    anything is injected.
    """
    NinjaAPI.on_exception = _on_exception  # type: ignore[method-assign, assignment]


_ninjas_own = NinjaAPI.on_exception


def _on_exception(api: NinjaAPI, request: HttpRequest, exc: Any) -> HttpResponse:
    exc = translated(api, exc)
    if isinstance(exc, HTTPException):
        ensure_handled(api)
    return _ninjas_own(api, request, exc)
