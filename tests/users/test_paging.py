"""Walking through any number of users."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.users.conftest import Api, make_user
from users import crud
from users.models import User

pytestmark = pytest.mark.django_db

MANY = 20_000


@pytest.fixture
def people(root: User) -> list[User]:
    """Ten users, one of whom may list them."""
    return [root, *(make_user(f"u{n}@example.com", name=f"User {n}") for n in range(9))]


def next_page(response: Any) -> str | None:
    """Return the address in the header ``Link``, as a client reads it."""
    if "Link" not in response.headers:
        return None
    found = re.fullmatch(r'<(/api/users\?[^<>"]*)>; rel="next"', response.headers["Link"])
    assert found, response.headers["Link"]
    return found[1].removeprefix("/api")


def walk(api: Api, address: str) -> list[list[int]]:
    """Return the ids on each page from *address* on."""
    pages = []
    following: str | None = address
    while following is not None:
        response: Any = api.get(following)
        assert response.status_code == 200
        pages.append([user["id"] for user in response.json()])
        following = next_page(response)
    return pages


@pytest.mark.rfc("8288", "3")
@pytest.mark.parametrize("limit", [1, 3, 5, 9, 10, 11])
def test_a_walk_sees_each_user_once(limit: int, people: list[User]) -> None:
    """When a client follows the links, then it sees all users by id, and no empty page."""
    ids = [user.pk for user in people]
    expected = [ids[start : start + limit] for start in range(0, len(ids), limit)]
    assert walk(Api(people[0]), f"/users?limit={limit}") == expected


def test_a_walk_keeps_the_search(people: list[User]) -> None:
    """When the walk began with a search, then each page has it; a page to skip is skipped once."""
    make_user("other@example.com", name="Other & more")
    ids = [user.pk for user in people[1:]]
    api = Api(people[0])
    assert walk(api, "/users?q=user&skip=1&limit=4") == [ids[1:5], ids[5:]]
    found = [user["name"] for user in api.get("/users?q=r%20%26%20m").json()]  # type: ignore[attr-defined]
    assert found == ["Other & more"]


def test_a_link_has_what_the_list_reads_and_no_more(people: list[User]) -> None:
    """When a client sends other parameters, then the link has none of them, nor a count."""
    link = next_page(
        Api(people[0]).get("/users/?q=a%26b%3Du&limit=1&count=true&x=%0d%0aSet-Cookie:a")
    )
    assert link is None
    link = next_page(Api(people[0]).get("/users/?limit=1&count=true&skip=2&x=%0d%0aA:b"))
    assert link is not None
    assert parse_qs(urlsplit(link).query) == {"limit": ["1"], "after": [str(people[2].pk)]}


def test_a_walk_is_not_disturbed_by_others(people: list[User]) -> None:
    """When users come and go during a walk, then no other user is missed or seen twice."""
    api = Api(people[0])
    ids = [user.pk for user in people]
    first: Any = api.get("/users?limit=4")
    people[1].delete()  # with skip=4, the next page would leave somebody out
    people[3].delete()
    late = make_user("late@example.com", name="Late")
    address = next_page(first)
    assert address is not None
    seen = [one["id"] for one in first.json()] + [pk for page in walk(api, address) for pk in page]
    assert seen == [*ids, late.pk]


@pytest.mark.hostile("H51")
@pytest.mark.parametrize(
    "query",
    [
        *("after=", "after=x", "after=-1", "after=1.5", "after=9223372036854775808"),
        *("after=1&after=2", "after=null", "after=%D9%A1x", "count=maybe", "count=1&count=1"),
        "after=" + "9" * 5_000,
    ],
)
def test_a_bad_place_is_refused(query: str, people: list[User]) -> None:
    """When `after` is no id, or given twice, then the answer is 422 and names it."""
    response: Any = Api(people[0]).get(f"/users?{query}")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


@pytest.mark.parametrize("after", [0, 9223372036854775807])
def test_a_place_that_nobody_has(after: int, people: list[User]) -> None:
    """When no user has the id `after`, then the page begins where such a user would be."""
    response: Any = Api(people[0]).get(f"/users?after={after}")
    assert len(response.json()) == (0 if after else len(people))
    assert "X-Total-Count" not in response.headers


def test_only_so_many_are_counted(people: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are more users than are cheap to count, then they are counted on request."""
    monkeypatch.setattr(crud.accounts, "MOST_COUNTED", 9)
    api = Api(people[0])
    assert "X-Total-Count" not in api.get("/users?limit=2").headers
    assert api.get("/users?limit=2&count=true").headers["X-Total-Count"] == "10"
    assert "X-Total-Count" not in api.get("/users?q=user&limit=2").headers
    assert api.get("/users?q=user&limit=2&count=1").headers["X-Total-Count"] == "9"
    monkeypatch.setattr(crud.accounts, "MOST_COUNTED", 10)
    assert api.get("/users?limit=2").headers["X-Total-Count"] == "10"


@pytest.fixture
def many(root: User) -> Api:
    """A superuser's client, and twenty thousand users, of whom the planner knows."""
    User.objects.bulk_create(
        User(name=f"Person {number:07}", email=f"p{number:07}@example.com", password="!")
        for number in range(MANY)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":  # else autovacuum does this, a moment later
            for column in ("name", "email"):
                cursor.execute(f"SELECT gin_clean_pending_list('users_user_{column}_trgm')")
    return Api(root)


def plans(api: Api, address: str) -> list[str]:
    """Return the plan of each query of users that an answer took, but that of the token."""
    with CaptureQueriesContext(connection) as queries:
        response: Any = api.get(address)
    assert response.status_code == 200
    asked = [
        one["sql"] for one in queries if "LIMIT" in one["sql"] and "LIMIT 21" not in one["sql"]
    ]
    assert asked
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    found = []
    with connection.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"{explain} {sql}")
            found.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
    return found


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("limit=100", "users_user_pkey"),
        ("after={middle}", "users_user_pkey"),
        ("after={last}", "users_user_pkey"),
        ("skip=10000", "users_user_pkey"),
        ("q=0012345", "users_user_name_trgm"),
        ("q=p0012345%40", "users_user_email_trgm"),
        ("q=person", "users_user_pkey"),
        ("q=0012345&after={middle}", ""),
    ],
)
def test_the_plan_of_each_query_is_an_index(query: str, index: str, many: Api) -> None:
    """When a page is read, then the database finds it by an index and sorts few rows."""
    ids = list(User.objects.order_by("pk").values_list("pk", flat=True))
    address = "/users?" + query.format(middle=ids[MANY // 2], last=ids[-5])
    for plan in plans(many, address):
        if connection.vendor == "postgresql":
            assert "Seq Scan" not in plan
            assert index in plan
        elif "after" in query:
            assert "SEARCH users_user USING INTEGER PRIMARY KEY (rowid>?)" in plan
        else:
            assert "USE TEMP B-TREE" not in plan


def test_a_late_page_costs_no_more_than_the_first(many: Api) -> None:
    """When a page is far behind, then the database reads as few rows for it as for the first."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite does not count the rows that it reads")
    last = User.objects.order_by("pk").values_list("pk", flat=True)[MANY - 200]
    buffers = []
    for after in (0, last):
        rows = User.objects.filter(id__gt=after).order_by("id")[:100]
        plan = rows.explain(analyze=True, buffers=True, timing=False)
        (hit,) = re.findall(r"Buffers: shared hit=(\d+)", plan)[:1]
        buffers.append(int(hit))
    assert buffers[1] <= buffers[0] + 5


class Cursor:
    """A cursor of a PostgreSQL server with these *answers* to questions; it keeps the rest."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.done: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def execute(self, sql: str) -> None:
        if "SELECT" not in sql:
            self.done.append(" ".join(sql.split()[:3]))

    def fetchone(self) -> tuple[bool]:
        return (self.answers.pop(0),)


SET, RESET = "SET statement_timeout =", "RESET statement_timeout"
EXTENSION, DROP, CREATE = (
    "CREATE EXTENSION IF",
    "DROP INDEX CONCURRENTLY",
    "CREATE INDEX CONCURRENTLY",
)


@pytest.mark.parametrize(
    ("may_create", "is_there", "done"),
    [
        (False, False, []),
        (True, False, [EXTENSION]),  # into a schema that is not searched
        (False, True, [SET, DROP, CREATE, DROP, CREATE, RESET]),
        (True, True, [EXTENSION, SET, DROP, CREATE, DROP, CREATE, RESET]),
    ],
)
def test_the_indexes_are_made_where_they_can_be(
    may_create: bool, is_there: bool, done: list[str]
) -> None:
    """When the role may not create the extension, then the migration goes on without indexes."""
    migration = import_module("users.migrations.0007_search_indexes")
    cursor = Cursor(may_create, is_there)
    fake = SimpleNamespace(vendor="postgresql", cursor=lambda: cursor)
    migration.create_indexes(None, SimpleNamespace(connection=fake))
    assert cursor.done == done
    cursor.done.clear()
    migration.drop_indexes(None, SimpleNamespace(connection=fake))
    assert cursor.done == [DROP, DROP]


@pytest.mark.django_db(transaction=True)
def test_the_indexes_can_be_taken_back() -> None:
    """When the migration is reversed and applied again, then the indexes are gone and back."""

    def indexes() -> set[str]:
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, "users_user")
        return {name for name in found if name.endswith("_trgm")}

    before = indexes()
    assert len(before) == (2 if connection.vendor == "postgresql" else 0)
    call_command("migrate", "users", "0006", verbosity=0)
    assert indexes() == set()
    call_command("migrate", "users", verbosity=0)
    assert indexes() == before
