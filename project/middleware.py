"""What happens to every request before it is routed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def trailing_slash(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Route a path of the API that ends in one slash as the same path without it.

    Both are the same resource and neither is a redirect, which would lose the body of a
    POST. Two slashes stay what they are, unknown.
    """
    if inspect.iscoroutinefunction(get_response):

        async def amiddleware(request: HttpRequest) -> Any:
            _strip(request)
            return await get_response(request)

        return amiddleware

    def middleware(request: HttpRequest) -> Any:
        _strip(request)
        return get_response(request)

    return middleware


def _strip(request: HttpRequest) -> None:
    path = request.path_info
    if path.endswith("/") and path.startswith(settings.API_PREFIX) and path[-2] != "/":
        if path == settings.API_PREFIX:
            return
        request.path_info = path[:-1]
        request.path = request.path[:-1]
