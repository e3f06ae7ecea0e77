"""What all tests share: how much is left to chance, what makes them quick, what none tells."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from tests.leaks import WATCH, watching

for _profile, _examples in (("ci", 40), ("nightly", 2000)):
    settings.register_profile(
        _profile,
        max_examples=_examples,
        deadline=None,  # a first request takes longer than those after it
        suppress_health_check=list(HealthCheck),
    )
settings.load_profile("ci")  # pytest --hypothesis-profile=nightly takes the other


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays to the end: every model and module."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Put back after a flush what the migrations' signals had made, all at once.

    Django asks for each app and each permission again, after every test that commits.
    """
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.management import create_contenttypes
    from django.contrib.contenttypes.models import ContentType
    from django.db.models.signals import post_migrate

    with django_db_blocker.unblock():
        rows = list(Permission.objects.values_list("content_type", "codename", "name"))
        labels = list(ContentType.objects.values_list("id", "app_label", "model"))

    def restore(using: str, **_: Any) -> None:
        if ContentType.objects.using(using).exists():
            return
        types = {id_: ContentType(app_label=app, model=model) for id_, app, model in labels}
        ContentType.objects.using(using).bulk_create(types.values())
        ContentType.objects.clear_cache()
        Permission.objects.using(using).bulk_create(
            Permission(content_type=types[type_], codename=codename, name=name)
            for type_, codename, name in rows
        )

    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(
        create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions"
    )
    post_migrate.connect(restore, sender=apps.get_app_config("auth"), weak=False)


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
