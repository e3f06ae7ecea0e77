"""Which queries go to a replica."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import router

from di.sessions import get_read_session
from project.replica import ReplicaRouter
from users.dependencies.primary import PrimaryDep
from users.models import AccessToken, User


@pytest.fixture(autouse=True)
def _router(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [ReplicaRouter()]


def test_only_a_read_session_reads_from_the_replica() -> None:
    """When no `ReadSession` asks, then the primary is read."""
    (marker,) = PrimaryDep.__metadata__
    assert get_read_session().query(User).db == "replica"
    assert marker.dependency().query(User).db == "default"
    assert User.objects.all().db == "default"


def test_rows_of_the_replica_are_written_to_the_primary() -> None:
    """When a row came from the replica, then its writes and its related rows do not."""
    user = User.from_db("replica", ["id"], [1])
    assert user._state.db == "replica"
    assert router.db_for_write(User, instance=user) == "default"
    assert user.access_tokens.all().db == "default"
    token = AccessToken.from_db("default", ["id"], [1])
    token.user = user
    assert token.user is user


def test_the_replica_is_never_migrated() -> None:
    """When a migration names the replica, then it changes nothing there."""
    assert router.allow_migrate("default", "users")
    assert not router.allow_migrate("replica", "users")
