"""`di` as a contender: what an operation does between its checks and its answer."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any, Literal, cast

import ninja
from django.http import HttpRequest, HttpResponse
from ninja.operation import Operation

import di
from di.frame import Frame
from di.guard import AsyncGuard, Guard
from di.signature import Compiled, InjectedSignature
from tests.benchmarks.contender import Contender, Resolve, View
from tests.benchmarks.graphs import REQUEST, Graph, copied

_namespaces = (f"benchmark-{number}" for number in itertools.count())


class Request(HttpRequest):
    """A request that has a token."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.method = "GET"
        self.path = self.path_info = "/"


def build(graph: Graph, view: View) -> Resolve:
    """Return the function that the operation of *view* has compiled."""
    return compiled_of(operation_of(graph, view)).resolve


def arguments(token: str, view: View) -> tuple[Frame, View, Callable[..., Any]]:
    """Return what the guard of an operation calls that function with."""
    return Frame(Request(token), HttpResponse(), ninja.NinjaAPI(), {}), view, _respond


def build_entered(graph: Graph, view: View) -> Resolve:
    """Return what does what the guard does: it looks up overrides and makes a frame, too."""
    operation = operation_of(graph, view)
    guard = (AsyncGuard if graph.is_awaited else Guard)(operation)
    prepare, response = guard.prepare, HttpResponse()

    def run(request):
        compiled, frame = prepare(request, {}, response)
        return compiled.resolve(frame, view, _respond)

    return run


def operation_of(graph: Graph, view: View) -> Operation:
    """Return the operation of *view* in an API of its own."""
    api = di.NinjaAPI(urls_namespace=next(_namespaces))
    root = dependables(graph)[-1]
    api.get("/")(copied(view, {"root": Annotated[graph.node_types[-1], di.Depends(root)]}))
    return mounted_operation(api)


def mounted_operation(api: ninja.NinjaAPI) -> Operation:
    """Return the one operation of *api*, as requests find it."""
    (operation,) = mounted_operations(api)
    return operation


def mounted_operations(api: ninja.NinjaAPI) -> list[Operation]:
    """Return the operations of *api*, as requests find them."""
    assert api.urls
    return [
        operation
        for router in api._bound_routers_cache
        for path_view in router.path_operations.values()
        for operation in path_view.operations
    ]


def compiled_of(operation: Operation) -> Compiled:
    """Return what *operation* resolves while nothing is overridden."""
    return cast("InjectedSignature", operation.signature).compiled


@functools.cache
def dependables(graph: Graph) -> list[Callable[..., Any]]:
    """Return the factories of *graph* with our markers."""
    return graph.annotated(
        lambda number, factory: (
            HttpRequest
            if number == REQUEST
            else Annotated[
                graph.node_types[number], di.Depends(factory, scope=_scope(graph, number))
            ]
        )
    )


def _scope(graph: Graph, number: int) -> Literal["function"] | None:
    """Close a session right after the view, as code by hand does."""
    return "function" if graph.has_session and number == 0 else None


def overriding(graph: Graph) -> AbstractContextManager[Any]:
    """Put one factory of *graph* in the place of its like."""
    return di.override({dependables(graph)[0]: _stand_in(graph)})


@functools.cache
def _stand_in(graph: Graph) -> Callable[..., Any]:
    original = dependables(graph)[0]
    return copied(original, original.__annotations__)


def _respond(frame: Frame, result: Any) -> Any:
    """Stand for Ninja, which would build a response here."""
    return result


def _only_request(token: str, _: View) -> tuple[Request]:
    return (Request(token),)


OURS = Contender("ours", None, build, arguments, delivers=True)
ENTERED = Contender("ours, with its entry", None, build_entered, _only_request, delivers=True)
OVERRIDDEN = Contender(
    "ours, with its entry, one overridden", None, build_entered, _only_request, around=overriding
)
