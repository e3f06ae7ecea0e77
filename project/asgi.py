"""The project as an ASGI application."""

from __future__ import annotations

import os

from di.asgi import get_asgi_application

from project.limits import ASGILimits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = ASGILimits(get_asgi_application())
