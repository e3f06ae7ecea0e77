"""Django's ASGI application, and the protocol by which a server says that it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application as get_django_application
from django.core.handlers.asgi import ASGIHandler

from di.app_scope import app_scope

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_SECONDS_TO_END = 10
"""How long the end of the server waits for requests."""


class Application:
    """Django's, which knows nothing of lifespan (ASGI, Lifespan 2.0).

    When the server ends, it waits for the ends of requests and closes scope "app", on the
    loop on which both were begun. Elsewhere it would be too late: uvicorn ends by the signal
    that it was sent, without another word to anybody; granian stops the loop when the last
    byte was sent, and what follows that would never be done.
    """

    def __init__(self, django: ASGIHandler) -> None:
        self.django = django
        self.in_flight: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server from its start to its end."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        end = asyncio.get_running_loop().create_future()
        self.in_flight.add(end)
        try:
            await self.django(scope, receive, send)
        finally:
            self.in_flight.discard(end)
            end.set_result(None)

    async def live(self, receive: Receive, send: Send) -> None:
        """Wait for the end of the server, and close what is open."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self.in_flight:
            await asyncio.wait(self.in_flight, timeout=_SECONDS_TO_END)
        # From a thread, for what is async is closed on this loop.
        await asyncio.to_thread(app_scope.close)
        await send({"type": "lifespan.shutdown.complete"})


def get_asgi_application() -> Application:
    """Set Django up and return its application; see `Application`."""
    return Application(get_django_application())
