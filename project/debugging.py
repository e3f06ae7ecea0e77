"""Error pages and error mails without secrets.

Django hides a setting by its name, so the address of a database showed its password; and a
debug page prints the variables of each frame, those of the database driver, too.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from django.conf import settings
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from users.tokens import conceal

_HIDDEN = SafeExceptionReporterFilter.cleansed_substitute
_NAMES = SafeExceptionReporterFilter.hidden_settings.pattern


class Filter(SafeExceptionReporterFilter):
    """Hides addresses of databases among settings, in the environment and in ``META``."""

    hidden_settings = re.compile(rf"{_NAMES}|DATABASE.*URL|DSN", re.IGNORECASE)


class Reporter(ExceptionReporter):
    """Writes a page or a mail in which no secret of the settings stands anywhere."""

    def get_traceback_html(self) -> SafeString:
        """Return the page."""
        return _without_secrets(super().get_traceback_html())

    def get_traceback_text(self) -> SafeString:
        """Return the mail, or the page for clients that are no browsers."""
        return _without_secrets(super().get_traceback_text())


def _without_secrets(text: str) -> SafeString:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    secrets += [str(one.get("PASSWORD") or "") for one in settings.DATABASES.values()]
    for secret in filter(None, secrets):
        # As it is, as Python writes it, and as addresses do; in a page all of them escaped.
        in_python = repr(secret)[1:-1]
        quoted = in_python.replace("'", "\\'")
        for written in (secret, in_python, quoted, quote(secret, safe="")):
            text = text.replace(written, _HIDDEN).replace(escape(written), _HIDDEN)
    return SafeString(conceal(text))
