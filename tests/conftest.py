"""What holds for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core import mail

from tests.leaks import WATCH, watching


@pytest.fixture(scope="session", autouse=True)
def _no_secret_is_told() -> Iterator[None]:
    """At the end: nothing that was logged, mailed or answered as an error held a secret."""
    with watching() as watch:
        yield
    leaks = watch.leaks()
    assert not leaks, "Secrets were told:\n" + "\n".join(leaks)


@pytest.fixture(autouse=True)
def _mails_are_read() -> Iterator[None]:
    """Mails are gone when the next test begins."""
    yield
    for message in getattr(mail, "outbox", ()):
        WATCH.hear(message.message().as_string(), f"the mail {message.subject!r}")
