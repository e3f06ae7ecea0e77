"""The project as an ASGI application."""

from __future__ import annotations

import os

import django

from di.asgi import get_asgi_application
from project.limits import ASGILimits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup(set_prefix=False)

from project.inline import inlined  # noqa: E402 - Django comes first

with inlined():
    application = ASGILimits(get_asgi_application())
