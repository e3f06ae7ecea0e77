"""`di` as a contender: what an operation does between its checks and its answer."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.operation import Operation

import di
from di.contexts import Hop
from di.guard import AsyncGuard, Guard
from di.lifetimes import Lifetimes
from tests.benchmarks.contender import Contender, Resolve
from tests.benchmarks.graphs import REQUEST, Graph, copied

_namespaces = (f"benchmark-{number}" for number in itertools.count())


class Request(HttpRequest):
    """A request that has a token."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.method = "GET"
        self.path = self.path_info = "/"


def build(graph: Graph, view: Callable[..., Any]) -> Resolve:
    """Return what the operation of *view* does to resolve *graph*, without HTTP."""
    operation = operation_of(graph, view)
    if graph.is_awaited:
        return _async_resolve(AsyncGuard(operation))
    return _resolve(Guard(operation))


def operation_of(graph: Graph, view: Callable[..., Any]) -> Operation:
    """Return the operation of *view* in an API of its own."""
    api = di.NinjaAPI(urls_namespace=next(_namespaces))
    root = dependables(graph)[-1]
    api.get("/")(copied(view, {"root": Annotated[graph.node_types[-1], di.Depends(root)]}))
    return mounted_operation(api)


def mounted_operation(api: NinjaAPI) -> Operation:
    """Return the one operation of *api*, as requests find it."""
    assert api.urls
    (router,) = (one for one in api._bound_routers_cache if one.path_operations)
    ((operation,),) = (one.operations for one in router.path_operations.values())
    return operation


@functools.cache
def dependables(graph: Graph) -> list[Callable[..., Any]]:
    """Return the factories of *graph* with our markers."""
    return graph.annotated(
        lambda number, factory: (
            HttpRequest
            if number == REQUEST
            else Annotated[graph.node_types[number], di.Depends(factory)]
        )
    )


def overriding(graph: Graph) -> AbstractContextManager[Any]:
    """Put one factory of *graph* in the place of its like."""
    return di.override({dependables(graph)[0]: _stand_in(graph)})


@functools.cache
def _stand_in(graph: Graph) -> Callable[..., Any]:
    original = dependables(graph)[0]
    return copied(original, original.__annotations__)


# These two are all that knows how an operation resolves; see `Guard`.


def _resolve(guard: Guard) -> Resolve:
    response = HttpResponse()

    def run(request):
        lifetimes = Lifetimes()
        resolution = guard.prepare(request, {}, response, lifetimes)
        try:
            result = guard.view(request, **resolution.resolve())
            lifetimes.leave_function()
        except BaseException as error:
            final = lifetimes.unwind(error)
            if final is error:
                raise
            raise final from None
        lifetimes.request.close()
        return result

    return run


def _async_resolve(guard: AsyncGuard) -> Resolve:
    response = HttpResponse()

    async def run(request):
        lifetimes = Lifetimes()
        hop = Hop()
        resolution = guard.prepare(request, {}, response, lifetimes)
        try:
            result = await guard.view(request, **await resolution.aresolve(hop))
            await lifetimes.aleave_function(hop)
        except BaseException as error:
            final = await lifetimes.aunwind(hop, error)
            if final is error:
                raise
            raise final from None
        await lifetimes.request.aclose(hop)
        return result

    return run


OURS = Contender("ours", None, build, Request, delivers=True)
OVERRIDDEN = Contender("ours, one overridden", None, build, Request, around=overriding)
