"""SQL (Relational) Databases: the page's heroes, with `di.sessions` for SQLModel's session."""

from typing import Annotated, Any

import pytest
from ninja import Query, Schema

from di import HTTPException, NinjaAPI
from di.sessions import SessionDep
from tests.di.conftest import World
from tests.fastapi_docs.models import Hero

pytestmark = [
    pytest.mark.django_db(transaction=True, reset_sequences=True),
    # The page's views are sync.
    pytest.mark.parametrize("world", ["wsgi-sync", "asgi-sync"], indirect=True),
]


class HeroBase(Schema):
    name: str
    age: int | None = None


class HeroPublic(HeroBase):
    id: int


class HeroCreate(HeroBase):
    secret_name: str


class HeroUpdate(Schema):
    name: str | None = None
    age: int | None = None
    secret_name: str | None = None


def get(session: SessionDep, hero_id: int) -> Hero:
    hero = session.query(Hero).filter(pk=hero_id).first()
    if not hero:
        raise HTTPException(status_code=404, detail="Hero not found")
    return hero


@pytest.fixture
def heroes(world: World) -> World:
    """The page's application."""
    app = NinjaAPI(urls_namespace="api")

    @app.post("/heroes/", response=HeroPublic)
    def create_hero(request, hero: HeroCreate, session: SessionDep):
        db_hero = Hero(**hero.model_dump())
        session.add(db_hero)
        session.refresh(db_hero)
        return db_hero

    @app.get("/heroes/", response=list[HeroPublic])
    def read_heroes(
        request,
        session: SessionDep,
        offset: int = 0,
        limit: Annotated[int, Query(le=100)] = 100,
    ):
        return session.query(Hero)[offset : offset + limit]

    @app.get("/heroes/{hero_id}", response=HeroPublic)
    def read_hero(request, hero_id: int, session: SessionDep):
        return get(session, hero_id)

    @app.patch("/heroes/{hero_id}", response=HeroPublic)
    def update_hero(request, hero_id: int, hero: HeroUpdate, session: SessionDep):
        hero_db = get(session, hero_id)
        for name, value in hero.model_dump(exclude_unset=True).items():
            setattr(hero_db, name, value)
        session.add(hero_db)
        session.refresh(hero_db)
        return hero_db

    @app.delete("/heroes/{hero_id}")
    def delete_hero(request, hero_id: int, session: SessionDep):
        session.delete(get(session, hero_id))
        return {"ok": True}

    world.serve(app)
    return world


DEADPOND = {"name": "Deadpond", "secret_name": "Dive Wilson"}
SPIDER = {"name": "Spider-Boy", "age": 16, "secret_name": "Pedro Parqueador"}


def asked(world: World, method: str, url: str, data: Any = "") -> tuple[int, Any]:
    response = world.request(method, url, data=data, content_type="application/json")
    return response.status_code, response.json()


def test_create_and_read(heroes) -> None:
    """A hero's secret name goes in and stays in."""
    deadpond = {"id": 1, "name": "Deadpond", "age": None}
    spider = {"id": 2, "name": "Spider-Boy", "age": 16}
    assert asked(heroes, "post", "/heroes/", DEADPOND) == (200, deadpond)
    assert asked(heroes, "post", "/heroes/", SPIDER) == (200, spider)
    assert asked(heroes, "get", "/heroes/") == (200, [deadpond, spider])
    assert asked(heroes, "get", "/heroes/?offset=1&limit=1") == (200, [spider])
    assert asked(heroes, "get", "/heroes/2") == (200, spider)
    assert list(Hero.objects.values_list("secret_name", flat=True)) == [
        "Dive Wilson",
        "Pedro Parqueador",
    ]


def test_the_limit_has_a_limit(heroes) -> None:
    """More than 100 at a time is an error."""
    status, answer = asked(heroes, "get", "/heroes/?limit=101")
    assert status == 422
    assert [(one["type"], one["loc"][-1]) for one in answer["detail"]] == [
        ("less_than_equal", "limit")
    ]


def test_update_changes_what_was_sent(heroes) -> None:
    """What is not in the body stays, and null is something that is in it."""
    asked(heroes, "post", "/heroes/", SPIDER)
    changed = asked(heroes, "patch", "/heroes/1", {"name": "Spider-Man"})
    assert changed == (200, {"id": 1, "name": "Spider-Man", "age": 16})
    changed = asked(heroes, "patch", "/heroes/1", {"age": None, "secret_name": "Peter"})
    assert changed == (200, {"id": 1, "name": "Spider-Man", "age": None})
    assert Hero.objects.get().secret_name == "Peter"


def test_delete(heroes) -> None:
    """What is deleted is gone."""
    asked(heroes, "post", "/heroes/", DEADPOND)
    assert asked(heroes, "delete", "/heroes/1") == (200, {"ok": True})
    assert asked(heroes, "get", "/heroes/") == (200, [])


@pytest.mark.row("D6")
@pytest.mark.parametrize(("method", "data"), [("get", ""), ("patch", {}), ("delete", "")])
def test_nobody_there(heroes, method, data) -> None:
    """A hero who is not there is a 404 of the view's."""
    assert asked(heroes, method, "/heroes/7", data) == (404, {"detail": "Hero not found"})
