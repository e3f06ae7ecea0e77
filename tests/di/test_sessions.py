"""Sessions: what is committed, what is rolled back, in sync and async views."""

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, models, transaction
from django.http import HttpRequest, HttpResponse
from ninja import Schema, Status

from di import Depends, HTTPException, NinjaAPI, override
from di.exceptions import DependencyScopeError
from di.lifetimes import Outcome
from di.sessions import (
    ReadSessionDep,
    Session,
    SessionDep,
    get_read_session,
    get_session,
    read_session_on,
    session_on,
)
from tests.di.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)


class Payload(Schema):
    n: int


@pytest.fixture(autouse=True)
def _no_groups(transactional_db: None) -> None:
    Group.objects.all().delete()  # those that a migration made


def names() -> list[str]:
    return sorted(Group.objects.values_list("name", flat=True))


def route(world: World, work: Any, *, response: Any = None) -> None:
    """Serve POST /x, a view of the world's kind that writes "kept" and then calls *work*."""
    api = NinjaAPI(urls_namespace="api")
    options = {} if response is None else {"response": response}
    if world.is_async:

        @api.post("/x", **options)
        async def aview(request: HttpRequest, db: SessionDep) -> Any:
            await db.aadd(Group(name="kept"))
            await Group.objects.acreate(name="plain")
            from asgiref.sync import sync_to_async

            return await sync_to_async(work)(db)

    else:

        @api.post("/x", **options)
        def view(request: HttpRequest, db: SessionDep) -> Any:
            db.add(Group(name="kept"))
            Group.objects.create(name="plain")
            return work(db)

    world.serve(api)


def raising(error: Exception) -> Any:
    def work(_: Session) -> None:
        raise error

    return work


def test_success_commits(world: World) -> None:
    """Below 400 everything is there, plain ORM calls included."""
    route(world, lambda _: 1)
    assert world.post("/x").status_code == 200
    assert names() == ["kept", "plain"]


@pytest.mark.parametrize(
    ("work", "status"),
    [
        (raising(HTTPException(409)), 409),
        (raising(ValueError()), 500),
        (lambda _: HttpResponse(status=404), 404),
        (lambda _: Status(400, 1), 400),
        (lambda _: Status(299, 1), 500),
    ],
    ids=["HTTPException", "bug", "HttpResponse", "Status", "unknown status"],
)
def test_an_error_keeps_nothing(work: Any, status: int, world: World) -> None:
    """Raised or returned: who reads an error may assume that nothing changed."""
    for debug in (False, True):
        world.settings.DEBUG = debug
        route(world, work, response={200: int, 400: int})
        assert world.post("/x").status_code == status
        assert names() == []


@pytest.mark.row("F7")
def test_a_response_that_does_not_validate_keeps_nothing(world: World) -> None:
    """Serialization is part of the work."""
    route(world, lambda _: "text", response=int)
    assert world.post("/x").status_code == 500
    assert names() == []


def test_a_session_that_is_not_used_is_a_success(world: World) -> None:
    """PostgreSQL's driver begins with the first query: without one there is nothing to lose."""
    api = NinjaAPI(urls_namespace="api")

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, db: SessionDep) -> str:
        return db.using

    world.serve(api)
    assert world.post("/x").status_code == 200


def test_a_failing_savepoint_undoes_itself_only(world: World) -> None:
    """Catch outside `with session.atomic():` and go on."""

    def work(db: Session) -> int:
        with pytest.raises(IntegrityError), db.atomic():
            db.add(Group(name="kept"))
        return 1

    route(world, work)
    assert world.post("/x").status_code == 200
    assert names() == ["kept", "plain"]


def mark_lost(db: Session) -> int:
    """Catch a database error inside an atomic block, as one should not."""
    with pytest.raises(IntegrityError), transaction.atomic(using=db.using, savepoint=False):
        Group.objects.create(name="kept")
    return 1


def abort(db: Session) -> int:
    """Let the database itself give up the transaction behind Django's back."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with pytest.raises(Exception, match="nowhere"):
                cursor.execute("SELECT * FROM nowhere")
        else:
            cursor.execute("ROLLBACK")
    return 1


@pytest.mark.parametrize("work", [mark_lost, abort])
def test_a_lost_write_is_never_a_success(
    work: Any, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Plain Django would answer 200 here and have written nothing."""
    route(world, work)
    with caplog.at_level(logging.ERROR, "django.request"):
        assert world.post("/x").status_code == 500
    assert names() == []
    assert "LostWrite" in caplog.text or "no transaction is active" in caplog.text


def test_rollback_says_that_nothing_is_to_be_kept(world: World) -> None:
    """The answer stays a success, because the view asked for it."""

    def work(db: Session) -> int:
        db.rollback()
        return 1

    route(world, work)
    assert world.post("/x").status_code == 200
    assert names() == []


def test_on_commit_runs_after_the_commit(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A hook that fails is logged and cannot undo the answer; rolled back, none runs."""
    seen: list[Any] = []

    def work(db: Session) -> int:
        db.on_commit(lambda: seen.append((names(), connection.in_atomic_block)))
        db.on_commit(lambda: 1 / 0)
        return 1

    route(world, work)
    with caplog.at_level(logging.ERROR, "django.db.backends.base"):
        assert world.post("/x").status_code == 200
    assert seen == [(["kept", "plain"], False)]
    assert "division by zero" in caplog.text
    route(world, lambda db: (db.on_commit(lambda: seen.append("no")), HttpResponse(status=404))[1])
    Group.objects.all().delete()
    world.post("/x")
    assert len(seen) == 1


def test_a_commit_that_fails_is_an_error(world: World) -> None:
    """Foreign keys are checked at COMMIT: the client is never told 200 before that."""

    def work(db: Session) -> int:
        db.query(Group).get(name="kept").permissions.through.objects.create(
            group_id=db.query(Group).get(name="kept").pk, permission_id=10**6
        )
        return 1

    route(world, work)
    assert world.post("/x").status_code == 409
    assert names() == []


def test_a_unique_constraint_is_a_conflict_that_names_the_column(world: World) -> None:
    """A view need not catch what the database refuses."""
    route(world, lambda db: db.add(Group(name="plain")))
    response = world.post("/x")
    assert response.status_code == 409
    assert response.json() == {"detail": "Already exists: name"}  # type: ignore[attr-defined]
    assert names() == []


@pytest.mark.parametrize("on_delete", [models.PROTECT, models.RESTRICT])
def test_a_row_that_is_still_in_use_is_a_conflict_that_names_the_model(
    world: World, monkeypatch: pytest.MonkeyPatch, on_delete: Any
) -> None:
    """When PROTECT or RESTRICT forbids a deletion, then the answer is 409, not 500."""
    relation = Permission._meta.get_field("content_type").remote_field
    monkeypatch.setattr(relation, "on_delete", on_delete)
    route(world, lambda db: db.delete(ContentType.objects.get_for_model(Group)))
    response = world.post("/x")
    assert response.status_code == 409
    assert response.json() == {  # type: ignore[attr-defined]
        "detail": "Cannot be deleted, still in use by: Permission"
    }
    assert names() == []


def test_a_missing_value_is_a_bug_of_the_view(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """When a view leaves a column empty that needs a value, then 500 and the column is logged."""
    route(world, lambda db: db.add(Group(name=None)))
    assert world.post("/x").status_code == 500
    assert names() == []
    (record,) = (one for one in caplog.records if one.levelno >= logging.ERROR)
    assert record.exc_info
    assert isinstance(record.exc_info[1], IntegrityError)
    assert "name" in str(record.exc_info[1])


def test_a_reference_to_nothing_is_logged_with_its_traceback(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The client is told 409, and the log tells the developers where it came from."""

    def work(_: Session) -> None:
        through = Group.permissions.through
        through.objects.create(group_id=Group.objects.get(name="kept").pk, permission_id=10**6)

    route(world, work)
    assert world.post("/x").status_code == 409
    (record,) = (one for one in caplog.records if one.name == "di")
    assert record.levelno == logging.WARNING
    assert record.exc_info
    assert isinstance(record.exc_info[1], IntegrityError)


HALF = "a\ud800"

UNSTORABLE: dict[str, Any] = {
    "half a surrogate pair": lambda _: Group.objects.create(name=HALF),
    "half a surrogate pair, bulk": lambda _: Group.objects.bulk_create([Group(name=HALF)]),
    "half a surrogate pair, compared": lambda _: Group.objects.filter(name=HALF).exists(),
    "a number that is too large": lambda _: Group.objects.create(id=2**80, name="n"),
    "an offset that is too large": lambda _: list(Group.objects.all()[2**80 : 2**80 + 1]),
}
if connection.vendor == "postgresql":
    UNSTORABLE |= {
        "NUL": lambda _: Group.objects.create(name="a\0"),
        "NUL, compared": lambda _: Group.objects.filter(name="a\0").exists(),
        "text that is too long": lambda _: Group.objects.create(name="n" * 200),
    }


@pytest.mark.parametrize("name", UNSTORABLE)
def test_a_value_that_cannot_be_stored_is_422(
    name: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """When the database cannot store a value, then the answer is 422 and nothing is kept."""
    route(world, UNSTORABLE[name])
    response = world.post("/x")
    assert (response.status_code, response.json()) == (  # type: ignore[attr-defined]
        422,
        {"detail": "The database refused a value"},
    )
    assert names() == []
    records = [record for record in caplog.records if record.name == "di"]
    assert [record.levelname for record in records] == ["WARNING"]
    assert records[0].exc_info


def test_a_value_error_of_the_view_stays_a_bug(world: World) -> None:
    """When the view itself raises a ValueError, then it is a 500 as before."""
    route(world, lambda _: int("a"))
    assert world.post("/x").status_code == 500
    route(world, lambda _: Group.objects.filter(id="a").exists())
    assert world.post("/x").status_code == 500
    assert names() == []


def test_a_bug_in_a_query_stays_a_bug(world: World) -> None:
    """What the database cannot understand is a 500, and nothing is kept."""

    def work(_: Session) -> None:
        connection.cursor().execute("SELEKT")

    route(world, work)
    assert world.post("/x").status_code == 500
    assert names() == []


def test_a_view_that_closes_the_connection_fails_alone(world: World) -> None:
    """500, nothing is kept, and the next request works."""
    route(world, lambda _: connection.close())
    assert world.post("/x").status_code == 500
    route(world, lambda _: 1)
    assert world.post("/x").status_code == 200
    assert names() == ["kept", "plain"]


def test_the_methods(world: World) -> None:
    """query, add, delete, refresh, using, and their async twins."""
    api = NinjaAPI(urls_namespace="api")
    if world.is_async:

        @api.post("/x")
        async def aview(request: HttpRequest, db: SessionDep) -> Any:
            one, two = Group(name="one"), Group(name="two")
            await db.aadd(one)
            await db.aadd(two)
            await db.adelete(two)
            await db.query(Group).filter(pk=one.pk).aupdate(name="other")
            await db.arefresh(one)
            async with db.aatomic():
                await db.aadd(Group(name="in a savepoint"))
            with pytest.raises(ZeroDivisionError):
                async with db.aatomic():
                    await db.aadd(Group(name="undone"))
                    raise ZeroDivisionError
            return [one.name, db.using]

        @api.post("/back")
        async def aback(request: HttpRequest, db: SessionDep) -> None:
            await db.aadd(Group(name="back"))
            await db.arollback()

    else:

        @api.post("/x")
        def view(request: HttpRequest, db: SessionDep) -> Any:
            one, two = Group(name="one"), Group(name="two")
            db.add(one)
            db.add(two)
            db.delete(two)
            db.query(Group).filter(pk=one.pk).update(name="other")
            db.refresh(one)
            with db.atomic():
                db.add(Group(name="in a savepoint"))
            with pytest.raises(ZeroDivisionError), db.atomic():
                db.add(Group(name="undone"))
                raise ZeroDivisionError
            return [one.name, db.using]

        @api.post("/back")
        def back(request: HttpRequest, db: SessionDep) -> None:
            db.add(Group(name="back"))
            db.rollback()

    world.serve(api)
    assert world.post("/x").json() == ["other", "default"]  # type: ignore[attr-defined]
    assert world.post("/back").status_code == 200
    assert names() == ["in a savepoint", "other"]


@pytest.mark.row("G3")
def test_gathered_writes_are_one_transaction(world: World) -> None:
    """Five concurrent creates in an async view share the session; one fails, none stays."""
    if not world.is_async:
        return
    import asyncio

    api = NinjaAPI(urls_namespace="api")

    @api.post("/x")
    async def view(request: HttpRequest, db: SessionDep, n: int) -> None:
        await asyncio.gather(*(Group.objects.acreate(name=str(i % n)) for i in range(5)))

    world.serve(api)
    assert world.post("/x?n=4").status_code == 409
    assert names() == []
    assert world.post("/x?n=5").status_code == 200
    assert names() == ["0", "1", "2", "3", "4"]


def test_reading_opens_no_transaction(world: World) -> None:
    """A ReadSession is for queries, outside any transaction."""
    Group.objects.create(name="there")
    api = NinjaAPI(urls_namespace="api")

    def found(db: ReadSessionDep) -> Any:
        return [group.name for group in db.query(Group)], connection.in_atomic_block

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, read: Annotated[Any, Depends(found)]) -> Any:
        return list(read)

    world.serve(api)
    assert world.get("/x").json() == [["there"], False]  # type: ignore[attr-defined]


def test_the_router_names_the_reader(settings: Any) -> None:
    """When no alias is given, then the router decides, and knows that a session asks."""

    class Reader:
        def db_for_read(self, model: Any, **hints: Any) -> str:
            return "replica" if "session" in hints else "default"

    settings.DATABASE_ROUTERS = [Reader()]
    assert get_read_session().query(Group).db == "replica"
    assert Group.objects.all().db == "default"
    assert read_session_on("default")().query(Group).db == "default"


def test_the_same_alias_is_the_same_dependable() -> None:
    """So sharing and overrides work."""
    assert session_on("other") is session_on("other")
    assert session_on("default") is get_session
    assert read_session_on("other") is read_session_on("other")
    assert get_session.__qualname__ == "get_session[default]"


def test_a_session_is_never_request_scoped(api: NinjaAPI) -> None:
    """It would commit after the answer was sent."""
    with pytest.raises(DependencyScopeError, match="get_session"):

        @api.get("/x")
        def view(
            request: HttpRequest, db: Session = Depends(get_session, scope="request")
        ) -> None: ...


def test_a_session_can_be_overridden(world: World) -> None:
    """A test may hand over one of its own."""
    route(world, lambda db: db.using)
    fake = Session("default")
    with override({get_session: lambda: fake}):
        assert world.post("/x").json() == "default"  # type: ignore[attr-defined]
    assert names() == ["kept", "plain"]


@pytest.mark.row("F10", "F11")
def test_a_dependable_that_swallows_cannot_commit(world: World) -> None:
    """An inner dependable that erases the exception does not make a success of it."""

    def swallow() -> Iterator[None]:
        with contextlib.suppress(HTTPException):
            yield

    api = NinjaAPI(urls_namespace="api")

    def write(db: SessionDep) -> None:
        db.add(Group(name="kept"))

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, w: None = Depends(write), s: None = Depends(swallow)) -> None:
        raise HTTPException(404)

    world.serve(api)
    assert world.post("/x").status_code == 404
    assert names() == []


@pytest.mark.row("F7")
def test_a_bad_body_writes_nothing(world: World) -> None:
    """A session opened before the body is read ends with a rollback."""
    api = NinjaAPI(urls_namespace="api")

    def write(db: SessionDep) -> None:
        db.add(Group(name="kept"))

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, body: Payload, w: None = Depends(write)) -> None: ...

    world.serve(api)
    assert world.post("/x", json.dumps({"n": "x"})).status_code == 422
    assert names() == []


def test_all_who_ask_are_told_of_one_outcome(api: NinjaAPI, world: World) -> None:
    """Two sessions of one request decide by the same status."""
    seen: list[Outcome] = []

    def asking(outcome: Outcome) -> Iterator[None]:
        yield
        seen.append(outcome)

    @api.get("/x", response={202: None})
    @world.view
    def view(
        request: HttpRequest,
        a: None = Depends(asking, scope="function"),
        b: None = Depends(asking, scope="function", use_cache=False),
    ) -> None: ...

    world.serve(api)
    assert world.get("/x").status_code == 202
    assert seen[0] is seen[1]
    assert seen[0].status_code == 202
