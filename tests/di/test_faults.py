"""Sessions when the database is busy, refuses to commit, or is gone."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpRequest
from pytest_django import Settings

from di import NinjaAPI
from di.sessions import ReadSessionDep, Session, SessionDep
from tests.di.conftest import World
from tests.di.test_closing import Visitor, until

pytestmark = pytest.mark.django_db(transaction=True)

IS_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
SECONDS = 10  # for what takes milliseconds

has_pool = pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has no pool")
has_server = pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has no server that could go")
has_writers = pytest.mark.skipif(
    not IS_POSTGRES, reason="SQLite has one writer at a time, who contradicts nobody"
)

BUSY = (503, {"detail": "The database is busy, try again"}, "1")


@pytest.fixture(autouse=True)
def _no_groups(transactional_db: None) -> None:
    Group.objects.all().delete()  # those that a migration made


def names() -> list[str]:
    return sorted(Group.objects.values_list("name", flat=True))


def serve(world: World, work: Callable[[Session, str], Any]) -> None:
    """Serve POST /x?name=, a view of the world's kind that calls *work*, and GET /x: all names."""
    api = NinjaAPI(urls_namespace="api")
    if world.is_async:

        @api.post("/x")
        async def aview(request: HttpRequest, session: SessionDep, name: str = "kept") -> None:
            await sync_to_async(work)(session, name)
    else:

        @api.post("/x")
        def view(request: HttpRequest, session: SessionDep, name: str = "kept") -> None:
            work(session, name)

    @api.get("/x")
    def read(request: HttpRequest, session: ReadSessionDep) -> list[str]:
        return [group.name for group in session.query(Group)]

    world.serve(api)


def add(session: Session, name: str) -> None:
    session.add(Group(name=name))


def answer(response: Any) -> tuple[int, Any, str | None]:
    return response.status_code, response.json(), response.headers.get("Retry-After")


def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call *function* in a thread that leaves no connection behind."""
    try:
        return function(*args)
    finally:
        connection.close()


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def lock() -> Iterator[None]:
    """Let somebody else write for a while."""
    other = connection.copy()
    statements = ["BEGIN", "LOCK auth_group"] if IS_POSTGRES else ["BEGIN IMMEDIATE"]
    with other.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        yield
        cursor.execute("ROLLBACK")
    other.close()


@pytest.fixture
def _impatient(transactional_db: None) -> Iterator[None]:
    """Wait for a lock for a moment only."""
    before, after = (
        ("SET lock_timeout = 50", "RESET lock_timeout")
        if IS_POSTGRES
        else ("PRAGMA busy_timeout = 50", "PRAGMA busy_timeout = 20000")
    )
    execute(before)
    yield
    execute(after)


@pytest.mark.usefixtures("_impatient")
def test_a_lock_that_is_held_too_long(world: World) -> None:
    """503 and nothing is written (F51); when it is free, the same request works."""
    serve(world, add)
    with lock():
        assert answer(world.post("/x")) == BUSY
    assert names() == []
    assert world.post("/x").status_code == 200
    assert names() == ["kept"]


def test_reads_go_on_beside_a_session(world: World) -> None:
    """However long it is held (F54), they see what was there before."""
    is_held, goes_on = Event(), Event()

    def work(session: Session, name: str) -> None:
        add(session, name)
        is_held.set()
        assert goes_on.wait(SECONDS)

    serve(world, work)
    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(in_thread, world.post, "/x")
        try:
            assert is_held.wait(SECONDS)
            assert world.get("/x").json() == []  # type: ignore[attr-defined]
            assert not writing.done()
        finally:
            goes_on.set()
        assert writing.result().status_code == 200
    assert world.get("/x").json() == ["kept"]  # type: ignore[attr-defined]


@has_writers
def test_of_two_that_contradict_each_other_one_commits(world: World) -> None:
    """The other is told at its COMMIT, and can try again (F15)."""
    both = Barrier(2)

    def work(session: Session, name: str) -> None:
        execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        assert names() == []
        both.wait(SECONDS)
        add(session, name)
        both.wait(SECONDS)

    serve(world, work)
    with ThreadPoolExecutor(2) as threads:
        urls = ["/x?name=a", "/x?name=b"]
        found = list(threads.map(lambda url: answer(in_thread(world.post, url)), urls))
    (kept,) = names()
    refused = found.pop("ba".index(kept))
    assert (found[0][0], refused) == (200, BUSY)


@has_server
def test_a_backend_that_ends_before_the_commit(world: World) -> None:
    """503, never a 200 (F17); the next request works."""

    def work(session: Session, name: str) -> None:
        add(session, name)
        if name == "lost":
            other = connection.copy()
            with other.cursor() as cursor:
                pid = connection.connection.info.backend_pid
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
                assert cursor.fetchone() == (True,)
            other.close()

    serve(world, work)
    assert answer(world.post("/x?name=lost")) == BUSY
    assert world.post("/x").status_code == 200
    assert names() == ["kept"]


@pytest.fixture
def pool(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A pool of two connections, for which nobody waits for long."""
    connection.close()
    connection.close_pool()
    small = {"min_size": 2, "max_size": 2, "timeout": 0.2}
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", small)
    connection.ensure_connection()  # which opens the pool
    connection.close()
    yield connection.pool
    connection.close()
    connection.close_pool()


def free(pool: Any) -> tuple[int, int]:
    """Return how many connections are free, and how many wait for one."""
    stats = pool.get_stats()
    return stats["pool_available"], stats.get("requests_waiting", 0)


@has_pool
def test_a_pool_that_is_empty(pool: Any, world: World) -> None:
    """Of five, two are served; three hear 503 after the timeout (F50). Then all is well again."""
    goes_on = Event()

    def work(session: Session, name: str) -> None:
        add(session, name)
        assert goes_on.wait(SECONDS)

    serve(world, work)
    with ThreadPoolExecutor(5) as threads:
        running = [threads.submit(in_thread, world.post, f"/x?name={n}") for n in range(5)]
        try:
            first = list(itertools.islice(as_completed(running, SECONDS), 3))
        finally:
            goes_on.set()
        assert [answer(one.result()) for one in first] == [BUSY] * 3
        assert Counter(one.result().status_code for one in running) == {503: 3, 200: 2}
    assert len(names()) == 2
    assert world.post("/x").status_code == 200
    connection.close()
    assert free(pool) == (2, 0)


@has_pool
def test_a_client_that_leaves_while_its_session_waits_for_the_pool(
    pool: Any, api: NinjaAPI, settings: Settings
) -> None:
    """The view is not called, and every connection is free again, out of a transaction (F29)."""
    called: list[str] = []

    @api.get("/x")
    async def view(request: HttpRequest, session: SessionDep) -> None:
        called.append("view")

    World("asgi-async", settings).serve(api)
    pool.timeout = SECONDS
    held = [pool.getconn(), pool.getconn()]

    async def visit() -> None:
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        await until(lambda: free(pool) == (0, 1))
        visitor.leaves.set()
        await asyncio.sleep(0.05)
        for one in held:
            pool.putconn(one)
        await visit

    asyncio.run(visit())
    assert (called, free(pool)) == ([], (2, 0))
    held = [pool.getconn(), pool.getconn()]
    assert [one.info.transaction_status.name for one in held] == ["IDLE", "IDLE"]
    for one in held:
        pool.putconn(one)
