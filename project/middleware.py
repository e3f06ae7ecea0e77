"""What happens to every request before it is routed, and to its answer."""

from __future__ import annotations

import inspect
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

from project import errors
from project.logs import NO_REQUEST, request_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Django writes bytes of a path that are not UTF-8 back as %XX (WSGI), servers put U+FFFD
# in their place (ASGI).
_UNREADABLE = re.compile("[\x00\ufffd\ud800-\udfff]|%[89A-F][0-9A-F]")

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:;"  # Swagger UI's style sheet has its icons in data: URLs
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""A page loads only files of this site, and sends requests only to it."""

GetResponse = Callable[[HttpRequest], Any]
Before = Callable[[HttpRequest], HttpResponseBase | None]
After = Callable[[HttpRequest, HttpResponseBase], None]


def _keep(request: HttpRequest, response: HttpResponseBase) -> None:
    """Leave the answer as it is."""


def _go_on(request: HttpRequest) -> None:
    """Leave the request as it is."""


def _middleware(before: Before, after: After = _keep) -> Callable[[GetResponse], GetResponse]:
    """Return a middleware for sync and async handlers.

    Args:
        before: may change the request, and answer in place of what comes after it.
        after: may change the answer.
    """

    @sync_and_async_middleware
    def middleware(get_response: GetResponse) -> GetResponse:
        if inspect.iscoroutinefunction(get_response):

            async def aserve(request: HttpRequest) -> HttpResponseBase:
                response = before(request)
                if response is None:
                    response = await get_response(request)
                after(request, response)
                return response

            return aserve

        def serve(request: HttpRequest) -> HttpResponseBase:
            response = before(request)
            if response is None:
                response = get_response(request)
            after(request, response)
            return response

        return serve

    return middleware


def _identify(request: HttpRequest) -> None:
    given = request.headers.get("X-Request-ID", "")
    # Kept past the answer: what is closed afterwards may have something to log.
    request_id.set(given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex)


def forget_identity(**_: Any) -> None:
    """Let the id of a request end with it: a server's thread serves many."""
    request_id.set(NO_REQUEST)


def _show_identity(request: HttpRequest, response: HttpResponseBase) -> None:  # noqa: ARG001 - `After`
    response.headers["X-Request-ID"] = request_id.get()


def _accept_probe(request: HttpRequest) -> None:
    """Let a probe call the site by any name: a load balancer asks each machine by its IP."""
    if request.path_info.removesuffix("/") == settings.HEALTH_PATH:
        try:
            request.get_host()
        except DisallowedHost:
            # The answer does not depend on it, and Django refuses every other name.
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".")


def _speak_json(request: HttpRequest, response: HttpResponseBase) -> None:
    if errors.is_api(request) and response.status_code >= 400:  # noqa: PLR2004 - HTTP's own number
        errors.convert(response)
        # An exception passes by what the operation would have done with its answer.
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
            patch_vary_headers(response, ("Authorization", "Cookie"))
    if errors.is_json(response):
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'")
    elif response.status_code < 400:  # noqa: PLR2004 - Django's error pages have inline styles
        response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)


def _refuse_unreadable(request: HttpRequest) -> JsonResponse | None:
    if not errors.is_api(request):
        return None
    if _UNREADABLE.search(request.path_info):
        return JsonResponse({"detail": "The path cannot be read"}, status=400)
    # WSGI hands bytes over as Latin-1 (PEP 3333); under ASGI they have been decoded.
    query = request.META.get("QUERY_STRING", "")
    raw = query.encode("latin-1" if isinstance(request, WSGIRequest) else "utf-8")
    try:
        is_readable = "\x00" not in unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        is_readable = False
    if not is_readable:
        return JsonResponse({"detail": "The query cannot be read"}, status=400)
    return None


def _strip_slash(request: HttpRequest) -> None:
    path = request.path_info
    if path.endswith("/") and path.startswith(settings.API_PREFIX) and path[-2] != "/":
        if path == settings.API_PREFIX:
            return
        request.path_info = path[:-1]
        request.path = request.path[:-1]
    elif f"{path}/" == settings.API_PREFIX:
        request.path_info += "/"
        request.path += "/"


identify = _middleware(_identify, _show_identity)
"""Give the request an id, its client's if it sends a sane one, and show it in the answer."""

speak_json = _middleware(_go_on, _speak_json)
"""Answer errors of the API in JSON and keep them out of caches, whoever raised them.

Tell browsers that JSON loads nothing and that a page loads only files of this site, so that a
script that an attacker writes into a page does not run, and no token is sent elsewhere.
"""

accept_probes = _middleware(_accept_probe)
"""Answer the health check whatever the header Host holds."""

refuse_unreadable = _middleware(_refuse_unreadable)
"""Answer 400 where a path or query of the API has NUL or is not UTF-8."""

trailing_slash = _middleware(_strip_slash)
"""Route a path of the API that ends in one slash as the same path without it.

The API's root has a slash, and is found without it.

Both are the same resource and neither is a redirect, which would lose the body of a POST.
Two slashes stay what they are, unknown.
"""
