"""The project as an ASGI application."""

from __future__ import annotations

import os

from di.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_asgi_application()
