"""Settings of a site that is one of the pattern's samples, without the project's middleware."""

from project.settings import *  # noqa: F403 - all of them

DEBUG = True  # so that Django serves the static files of the documentation page
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.browser.sample_urls"
