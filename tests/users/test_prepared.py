"""Queries that are compiled once give what Django's own would give, and ask each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import BigIntegerField, CharField
from django.db.models.sql.compiler import SQLCompiler
from pytest_django import DjangoAssertNumQueries

from di.sessions import ReadSession
from tests.users.conftest import make_user
from users import crud
from users.crud.prepared import NumberOf, Prepared, Slot, columns_of
from users.exceptions import UserNotFoundError
from users.models import AccessToken, User

pytestmark = pytest.mark.django_db


def permission(codename: str) -> Permission:
    """Return the permission on users with *codename*."""
    return Permission.objects.get(content_type__app_label="users", codename=codename)


def values(instance: Any) -> dict[str, Any]:
    """Return the values of all fields of *instance*."""
    return {name: getattr(instance, name) for name in columns_of(type(instance))}


def test_a_token_is_the_instance_that_the_orm_finds(ann: User) -> None:
    """When a token is found, then all values have the types of their fields, its user's too."""
    token, _ = crud.issue_token(user=ann, scope="me", label="é")
    crud.issue_token(user=make_user("bob@example.com"), scope="me")
    found = crud.find_token(key=token.key)
    assert found is not None
    expected = AccessToken.objects.select_related("user").get(key=token.key)
    assert values(found) == values(expected)
    assert values(found.user) == values(expected.user)
    assert type(found.user.is_active) is bool
    assert not found._state.adding
    assert found._state.db == found.user._state.db == "default"
    found.user.name = "Anna"
    found.user.save(update_fields=["name"])
    assert User.objects.get(pk=ann.pk).name == "Anna"


def test_a_user_is_the_instance_that_the_orm_finds(ann: User) -> None:
    """When a user is asked for by id, then all values have the types of their fields."""
    found = crud.get_user(session=ReadSession(), user_id=ann.pk)
    assert values(found) == values(User.objects.get(pk=ann.pk))


@pytest.mark.parametrize("user_id", [0, 2**63 - 1, 2**63, 10**30])
def test_an_id_that_nobody_has(user_id: int) -> None:
    """When an id is too large for its column, then nobody is found, as with any other."""
    with pytest.raises(UserNotFoundError):
        crud.get_user(session=ReadSession(), user_id=user_id)


@pytest.mark.parametrize("key", ["' OR '1'='1", "%s", '"; --', "nobody000000"])
def test_a_value_is_never_sql(key: str, ann: User) -> None:
    """When a value looks like SQL, then it is compared like any other."""
    crud.issue_token(user=ann, scope="me")
    assert crud.find_token(key=key) is None


def test_permissions_come_with_the_token(
    ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """When a user holds permissions by themselves and by a group, then both are known at once."""
    group = Group.objects.create(name="Some")
    group.permissions.add(permission("view_user"), permission("add_user"))
    ann.groups.add(group)
    ann.user_permissions.add(permission("delete_user"), permission("add_user"))
    other = make_user("bob@example.com", "change_user")
    token, _ = crud.issue_token(user=ann, scope="me")
    theirs, _ = crud.issue_token(user=other, scope="me")
    expected = User.objects.get(pk=ann.pk).get_all_permissions()
    assert len(expected) == 3
    with django_assert_num_queries(1):
        found = crud.find_token(key=token.key)
        assert found is not None
        assert found.user.get_all_permissions() == expected
        assert found.user.has_perm("users.view_user")
        assert not found.user.has_perm("users.change_user")
    second = crud.find_token(key=theirs.key)
    assert second is not None
    assert second.user.get_all_permissions() == {"users.change_user"}


def test_permissions_are_those_of_now(ann: User) -> None:
    """When a permission is taken away, then the next look-up does not have it."""
    ann.user_permissions.add(permission("view_user"))
    token, _ = crud.issue_token(user=ann, scope="me")

    def may_view() -> bool:
        found = crud.find_token(key=token.key)
        assert found is not None
        return found.user.has_perm("users.view_user")

    assert may_view()
    ann.user_permissions.clear()
    assert not may_view()
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    assert may_view()
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not may_view()


def test_a_superuser_holds_all_permissions(root: User) -> None:
    """When a superuser's token is found, then it is not only what they were given."""
    token, _ = crud.issue_token(user=root, scope="me")
    found = crud.find_token(key=token.key)
    assert found is not None
    assert found.user.get_all_permissions() == root.get_all_permissions() != set()


def by_email() -> Prepared:
    """Return a query with a slot in it and one in a subquery."""
    number = NumberOf(User.objects.filter(pk__gt=Slot("pk", BigIntegerField())).values("pk"))
    same = User.objects.filter(email=Slot("email", CharField()))
    return Prepared(lambda: same.values_list("pk", "is_active", number))


def test_each_slot_has_its_value(ann: User) -> None:
    """When one query is asked with other values, then each goes into the slots of its name."""
    bob = make_user("bob@example.com", is_active=False)
    query = by_email()
    assert [*map(list, query.rows("default", email="bob@example.com", pk=0))] == [
        [bob.pk, False, 2]
    ]
    assert [*map(list, query.rows("default", email=ann.email, pk=ann.pk))] == [[ann.pk, True, 1]]
    assert query.rows("default", email="nobody", pk=0) == []


def test_sql_is_compiled_once(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a query was asked, then it is not compiled again."""
    compiled: list[object] = []
    as_sql: Callable[..., Any] = SQLCompiler.as_sql

    def counted(*args: Any, **kwargs: Any) -> Any:
        compiled.append(args[0])
        return as_sql(*args, **kwargs)

    monkeypatch.setattr(SQLCompiler, "as_sql", counted)
    query = by_email()
    query.rows("default", email=ann.email, pk=0)
    assert compiled
    compiled.clear()
    query.rows("default", email=ann.email, pk=0)
    assert not compiled


def test_no_connection_is_kept(ann: User) -> None:
    """When a query was compiled, then it holds neither this thread's connection nor an open one."""
    query = by_email()
    query.rows("default", email=ann.email, pk=0)
    holders = [
        getattr(convert, "__self__", None)
        for _, converters, _ in query._compiled["default"].converters
        for convert in converters
    ]
    assert not any(getattr(one, "connection", None) is connection for one in holders)
