"""The project's settings, for tests."""

import tempfile
from pathlib import Path

from project.settings import *  # noqa: F403 - all of them
from project.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE

DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "tests.fastapi_docs"]
MIDDLEWARE = ["tests.leaks.watch_errors", *MIDDLEWARE]
PASSWORD_HASHERS = ["tests.leaks.WatchedHasher"]

# A database in memory has no locks; tests with threads need real ones.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    _folder = tempfile.TemporaryDirectory(prefix="django-ninja-depends-")
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_folder.name) / "test.sqlite3")}
