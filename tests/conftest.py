"""What all tests share: a database that is quick to empty."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoDbBlocker


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
