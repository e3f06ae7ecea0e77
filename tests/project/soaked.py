"""A site whose requests fail where they are told to, and that counts what it opens and closes."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import path
from ninja import Status

from di import Depends, HTTPException, NinjaAPI
from di.sessions import Session, SessionDep
from project import urls

SECONDS = 0.01


class Tally:
    """How often something has happened, in all threads together."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.count = 0

    def add(self) -> None:
        """Count it once more."""
        with self.lock:
            self.count += 1


entered, closed = Tally(), Tally()


class FaultError(Exception):
    """What fails on purpose."""


def fail(fault: str, at: str) -> None:
    if fault == at:
        raise FaultError(at)


def of_request(fault: str) -> Iterator[None]:
    entered.add()
    try:
        yield
        fail(fault, "late")
    finally:
        closed.add()


def of_function() -> Iterator[None]:
    entered.add()
    try:
        yield
    finally:
        closed.add()


async def aof_request() -> AsyncIterator[None]:
    entered.add()
    try:
        yield
    finally:
        closed.add()


def in_session(fault: str, session: SessionDep) -> Iterator[Session]:
    fail(fault, "opening")
    entered.add()
    try:
        yield session
        fail(fault, "closing")
    finally:
        closed.add()


REQUEST = Depends(of_request)
AREQUEST = Depends(aof_request)
FUNCTION = Depends(of_function, scope="function")
IN_SESSION = Depends(in_session, scope="function")


def work(session: Session, fault: str, name: str) -> Any:
    """Write a row, and go on to the fault."""
    session.add(Group(name=name))
    fail(fault, "bug")
    if fault == "refusal":
        raise HTTPException(409)
    if fault == "lost":
        with suppress(IntegrityError), transaction.atomic(savepoint=False):
            Group.objects.create(name=name)
    return {"status": Status(400, name), "response": object()}.get(fault, name)


api = NinjaAPI(urls_namespace="soaked")
responses = {200: str, 400: str}


@api.post("/sync", response=responses, dependencies=[REQUEST, FUNCTION])
def view(request: HttpRequest, fault: str, name: str, session: Session = IN_SESSION) -> Any:
    if fault == "leaving":
        time.sleep(SECONDS)
    return work(session, fault, name)


@api.post("/async", response=responses, dependencies=[REQUEST, AREQUEST, FUNCTION])
async def aview(request: HttpRequest, fault: str, name: str, session: Session = IN_SESSION) -> Any:
    if fault == "leaving":
        await asyncio.sleep(SECONDS)
    return await sync_to_async(work)(session, fault, name)


@api.get("/state")
def state(request: HttpRequest) -> dict[str, int]:
    """Say what this process has, and has had."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "open": entered.count - closed.count,
        "entered": entered.count,
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "memory": pages * resource.getpagesize(),
    }


urlpatterns = [path("soaked/", api.urls), *urls.urlpatterns]
