"""The API as a whole: its documentation."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from users.models import User


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs", "/api/openapi.json"])
def test_staff_reads_the_documentation(path: str, settings: Any) -> None:
    """Where it is not open: members of staff in a browser, and nobody else."""
    settings.API_DOCS = "staff"
    ann = User.objects.create_user("ann@example.com", "correct horse battery", name="Ann")
    client = Client()
    client.force_login(ann)
    assert client.get(path).status_code == 302
    User.objects.update(is_staff=True)
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 405


def test_the_documentation_keeps_no_token() -> None:
    """A browser's storage is for the token of a developer, on their own machine."""
    assert '"persistAuthorization": false' in Client().get("/api/docs").content.decode()
