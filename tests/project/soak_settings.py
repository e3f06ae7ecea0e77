"""The project's settings, for a server that is to fail often, and tells nobody but the client."""

from tests.project.fuzz_settings import *  # noqa: F403 - all of them
from tests.project.fuzz_settings import DATABASES

ROOT_URLCONF = "tests.project.soaked"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"null": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["null"]},
    "loggers": {
        name: {"handlers": ["null"], "propagate": False} for name in ("django", "di", "security")
    },
}
if "pool" in DATABASES["default"]["OPTIONS"]:  # of one size, so that it cannot grow
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 4, "max_size": 4, "timeout": 5}
