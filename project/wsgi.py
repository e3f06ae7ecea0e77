"""The project as a WSGI application."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from project.limits import WSGILimits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = WSGILimits(get_wsgi_application())
