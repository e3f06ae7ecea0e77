"""The project's settings, for tests."""

import tempfile
from pathlib import Path

from project.settings import *  # noqa: F403 - all of them
from project.settings import DATABASES, INSTALLED_APPS

DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "tests.fastapi_docs"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A database in memory has no locks; tests with threads need real ones.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    _folder = tempfile.TemporaryDirectory(prefix="django-ninja-depends-")
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_folder.name) / "test.sqlite3")}
