"""An API as users write it, with the mistakes that a type checker is to find."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, assert_type

from django.http import HttpRequest
from ninja import Schema

import di.security
from di import Depends, NinjaAPI, Router, Security, acall, call, dependable, inject, override
from di.security import HTTPBearer
from di.sessions import SessionDep


class User(Schema):
    name: str


def get_user() -> User:
    return User(name="a")


async def aget_user() -> User:
    return User(name="a")


@dependable(scope="function")
def opened() -> Iterator[User]:
    yield User(name="a")


async def aopened() -> AsyncIterator[User]:
    yield User(name="a")


api = NinjaAPI(title="x", docs_url=None, dependencies=[Depends(get_user)])
router = Router(tags=["x"], dependencies=[Security(get_user, scopes=["a"])])
api.add_router("/x", router, auth=None, url_name_prefix="x", dependencies=[Depends(HTTPBearer())])
router.add_router("/y", Router(), tags=["y"], dependencies=None)


@api.get("/a", response={200: User}, dependencies=[Depends(opened)], include_in_schema=False)
def view(
    request: HttpRequest,
    db: SessionDep,
    one: Annotated[User, Depends(get_user)],
    other: User = Depends(aopened),
) -> User:
    return one


@inject
def injected(request: HttpRequest, user: User = Depends(get_user)) -> User:
    return user


async def outside() -> None:
    assert_type(await acall(aget_user), User)
    assert_type(await acall(get_user), User)


assert_type(view(HttpRequest(), None, User(name="a")), User)  # type: ignore[arg-type]
assert_type(injected(HttpRequest()), User)
assert_type(call(get_user), User)
assert_type(call(aget_user), User)
assert_type(opened, Callable[[], Iterator[User]])
api.dependency_overrides[get_user] = lambda: User(name="b")
with override({get_user: lambda: User(name="b"), aget_user: aget_user}):
    pass

Depends(di.Dependz)  # type: ignore[attr-defined]
Depends(di.security.HTTPBearrer)  # type: ignore[attr-defined]
NinjaAPI(titel="x")  # type: ignore[call-arg]
NinjaAPI(docs_url=1)  # type: ignore[arg-type]
Router(tag=["x"])  # type: ignore[call-arg]
api.get("/a", respones=User)  # type: ignore[call-arg]
api.get("/a", dependenciez=[])  # type: ignore[call-arg]
api.get("/a", dependencies=Depends)  # type: ignore[arg-type]
router.post("/a", tags="x")  # type: ignore[arg-type]
router.api_operation(["GET"], "/a", url_nam="x")  # type: ignore[call-arg]
router.add_api_operation("/a", ["GET"], view, respones=User)  # type: ignore[call-arg]
api.add_router("/x", router, prefx="x")  # type: ignore[call-arg]
router.add_router("/x", router, url_name_prefix="x")  # type: ignore[call-arg]
dependable(get_user)  # type: ignore[arg-type]
dependable(scope="func")  # type: ignore[arg-type]
Depends(get_user, scope="func")  # type: ignore[arg-type]
