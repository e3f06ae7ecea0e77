"""The same routes twice: as plain Ninja views written by hand, and with injection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated

import ninja
from django.db import transaction
from django.http import HttpRequest

import di
from di.sessions import SessionDep
from tests.fastapi_docs.ported.user_crud.models import User


class UserIn(ninja.Schema):
    name: str
    email: str


class UserOut(UserIn):
    id: int


class Opened:
    """A session without a database."""

    __slots__ = ("is_closed",)


def open_session() -> Iterator[Opened]:
    session = Opened()
    try:
        yield session
    finally:
        session.is_closed = True


def page(skip: int = 0, limit: int = 100) -> tuple[int, int]:
    return skip, limit


def current_user(request: HttpRequest) -> str:
    if request.headers.get("Authorization") != "Bearer secret":
        raise di.HTTPException(401)
    return "ann"


PageDep = Annotated[tuple[int, int], di.Depends(page)]
OpenedDep = Annotated[Opened, di.Depends(open_session, scope="function")]
UserDep = Annotated[str, di.Depends(current_user)]

by_hand = ninja.NinjaAPI(urls_namespace="by-hand")
injected = di.NinjaAPI(urls_namespace="ours")


@by_hand.get("/session")
def session_by_hand(request, skip: int = 0, limit: int = 100):
    generator = open_session()
    next(generator)
    try:
        first, count = page(skip, limit)
        result = {"skip": first, "limit": count}
    except BaseException as error:
        generator.throw(error)
        raise
    next(generator, None)
    return result


@injected.get("/session")
def session(request, page: PageDep, session: OpenedDep):
    return {"skip": page[0], "limit": page[1]}


@by_hand.get("/inputs")
def inputs_by_hand(request, skip: int = 0, limit: int = 100):
    return {"skip": skip, "limit": limit}


@injected.get("/inputs")
def inputs(request, page: PageDep):
    return {"skip": page[0], "limit": page[1]}


@by_hand.post("/users", response=UserOut)
def create_by_hand(request, user: UserIn):
    current_user(request)
    generator = open_session()
    next(generator)
    try:
        result = {"id": 1, "name": user.name, "email": user.email}
    except BaseException as error:
        generator.throw(error)
        raise
    next(generator, None)
    return result


@injected.post("/users", response=UserOut)
def create(request, user: UserIn, by: UserDep, session: OpenedDep):
    return {"id": 1, "name": user.name, "email": user.email}


@by_hand.post("/rows", response=UserOut)
def create_row_by_hand(request, user: UserIn):
    current_user(request)
    with transaction.atomic():
        return User.objects.create(name=user.name, email=f"{time.perf_counter_ns()}")


@injected.post("/rows", response=UserOut)
def create_row(request, user: UserIn, by: UserDep, session: SessionDep):
    created = User(name=user.name, email=f"{time.perf_counter_ns()}")
    session.add(created)
    return created
