"""The project's settings for benchmarks: the user CRUD, with middleware only if it is asked for.

FastAPI's sample has no middleware either. The database is the project's own, with the
durability that ``BENCHMARK_SYNCHRONOUS`` names.
"""

import os

from project.settings import *  # noqa: F403 - all of them
from project.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE

DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "tests.fastapi_docs"]
MIDDLEWARE = MIDDLEWARE if "BENCHMARK_MIDDLEWARE" in os.environ else []
ROOT_URLCONF = "tests.benchmarks.urls"

_options = DATABASES["default"]["OPTIONS"]
if "BENCHMARK_SYNCHRONOUS" in os.environ:
    _options["init_command"] += f" PRAGMA synchronous={os.environ['BENCHMARK_SYNCHRONOUS']};"

# A refused request is not worth a line to FastAPI, so it is none here.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"django": {"level": "ERROR"}},
}
