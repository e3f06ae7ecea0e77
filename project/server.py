"""The server that ``manage.py up`` starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.db import connection

Interface = Literal["wsgi", "asgi"]

_CORES = os.cpu_count() or 1
_THREADS = {
    # SQLite works inside the process: more threads only wait for each other. Two more than
    # cores at least, because logins wait for a place to hash in. Granian warns beyond this.
    "sqlite": 2 * _CORES + 1,
    # PostgreSQL answers from outside; no more than connections in a pool.
    "postgresql": min(8, 2 * _CORES + 1),
}
_SECONDS_TO_STOP = 15
# From a head to the whole next one: a connection that says nothing ends then, too.
_SECONDS_FOR_A_HEAD = 5
_LONGEST_HEAD = 32_768  # bytes of first line and headers; from twice as many on, 414 or 431


class NoServerError(Exception):
    """There is no server, or nothing for it to serve."""


def serve(
    *, host: str, port: int, workers: int, interface: Interface, on_start: Callable[[], None]
) -> None:
    """Serve the project's application and static files until SIGINT or SIGTERM.

    Args:
        host: the address to listen on.
        port: the port to listen on.
        workers: processes; one is enough for a machine of two cores.
        interface: sync views are fastest under "wsgi"; under "asgi" async views can
            wait for many things at once.
        on_start: called once, when the workers have been started.

    Raises:
        NoServerError: granian is not installed, or the settings name no application.
    """
    try:
        from granian import Granian  # noqa: PLC0415 - an extra
        from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415 - an extra
        from granian.http import HTTP1Settings  # noqa: PLC0415 - an extra
        from granian.log import LogLevels  # noqa: PLC0415 - an extra
    except ImportError:
        message = 'There is no server. Install one: pip install "django-ninja-depends[server]".'
        raise NoServerError(message) from None
    is_wsgi = interface == "wsgi"
    setting = f"{interface.upper()}_APPLICATION"
    application = getattr(settings, setting, None)
    if not application:
        raise NoServerError(f"The settings have no {setting}: there is nothing to serve.")
    module, _, name = application.rpartition(".")
    server = Granian(
        target=f"{module}:{name}",
        address=host,
        port=port,
        interface=Interfaces.WSGI if is_wsgi else Interfaces.ASGI,
        workers=workers,
        blocking_threads=_THREADS[connection.vendor] if is_wsgi else None,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_SECONDS_FOR_A_HEAD * 1_000, max_buffer_size=_LONGEST_HEAD
        ),
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=_SECONDS_TO_STOP,
        static_path_route=["/" + settings.STATIC_URL.strip("/")],
        static_path_mount=[Path(settings.STATIC_ROOT)],
    )
    server.on_startup(on_start)
    server.serve()
