"""The other libraries as contenders, each used as its own documentation does."""

from __future__ import annotations

import contextvars
from contextlib import AsyncExitStack, contextmanager
from typing import Annotated, Any

from tests.benchmarks.contender import Contender, Request, Resolve, View
from tests.benchmarks.graphs import REQUEST, Graph, copied


def _not_in_scope() -> Request:
    raise LookupError("Whoever enters the scope puts it there.")


def _fastapi(graph: Graph, view: View) -> Resolve:
    """`solve_dependencies`, as a route calls it: with a request and its two exit stacks."""
    import fastapi
    from fastapi.dependencies.utils import get_dependant, solve_dependencies

    factories = graph.annotated(
        lambda number, factory: (
            fastapi.Request
            if number == REQUEST
            else Annotated[graph.node_types[number], fastapi.Depends(factory)]
        )
    )
    root = Annotated[graph.node_types[-1], fastapi.Depends(factories[-1])]
    dependant = get_dependant(
        path="/", call=copied(view, {"request": fastapi.Request, "root": root})
    )
    app = fastapi.FastAPI()

    async def run(request):
        scope = request.scope
        async with AsyncExitStack() as request_stack:
            scope["fastapi_inner_astack"] = request_stack
            async with AsyncExitStack() as function_stack:
                scope["fastapi_function_astack"] = function_stack
                solved = await solve_dependencies(
                    request=request,
                    dependant=dependant,
                    dependency_overrides_provider=app,
                    async_exit_stack=request_stack,
                    embed_body_fields=False,
                )
                return await dependant.call(**solved.values)

    return run


def _fastapi_request(token: str, _: View) -> tuple[Any]:
    import fastapi

    class TokenRequest(fastapi.Request):
        @property
        def token(self):
            return token

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    return (TokenRequest(scope),)


def _dishka(graph: Graph, view: View) -> Resolve:
    from dishka import Provider, Scope, make_async_container, make_container

    provider = Provider(scope=Scope.REQUEST)
    for factory in graph.typed(Request):
        provider.provide(factory)
    provider.from_context(Request)
    wanted = graph.node_types[-1]
    if graph.is_awaited:
        async_container = make_async_container(provider, lock_factory=None)

        async def arun(request):
            async with async_container(context={Request: request}) as scope:
                return await view(request, await scope.get(wanted))

        return arun
    container = make_container(provider, lock_factory=None)

    def run(request):
        with container(context={Request: request}) as scope:
            return view(request, scope.get(wanted))

    return run


def _wireup(graph: Graph, view: View) -> Resolve:
    import wireup

    known = [
        wireup.injectable(one, lifetime="scoped") for one in (*graph.typed(Request), _not_in_scope)
    ]
    wanted = graph.node_types[-1]
    if graph.is_awaited:
        async_container = wireup.create_async_container(injectables=known)

        async def arun(request):
            async with async_container.enter_scope({Request: request}) as scope:
                return await view(request, await scope.get(wanted))

        return arun
    container = wireup.create_sync_container(injectables=known)

    def run(request):
        with container.enter_scope({Request: request}) as scope:
            return view(request, scope.get(wanted))

    return run


def _svcs(graph: Graph, view: View) -> Resolve:
    import svcs

    registry = svcs.Registry()
    make = _svcs_async_factory if graph.kind == "async" else _svcs_factory
    for number, (node_type, factory) in enumerate(
        zip(graph.node_types, graph.factories, strict=True)
    ):
        wanted = [
            Request if one == REQUEST else graph.node_types[one] for one in graph.edges[number]
        ]
        is_session = graph.has_session and number == 0
        registry.register_factory(node_type, factory if is_session else make(factory, wanted))
    root = graph.node_types[-1]
    if graph.is_awaited:

        async def arun(request):
            async with svcs.Container(registry) as container:
                container.register_local_value(Request, request)
                return await view(request, await container.aget(root))

        return arun

    def run(request):
        with svcs.Container(registry) as container:
            container.register_local_value(Request, request)
            return view(request, container.get(root))

    return run


def _svcs_factory(factory, wanted):
    if not wanted:
        return factory
    return lambda svcs_container: factory(*[svcs_container.get(one) for one in wanted])


def _svcs_async_factory(factory, wanted):
    if not wanted:
        return factory

    async def make(svcs_container):
        return await factory(*[await svcs_container.aget(one) for one in wanted])

    return make


def _fast_depends(graph: Graph, view: View) -> Resolve:
    from fast_depends import Depends, inject

    factories = graph.annotated(
        lambda number, factory: (
            Any if number == REQUEST else Annotated[Any, Depends(factory, cast=False)]
        )
    )
    root = Annotated[Any, Depends(factories[-1], cast=False)]
    injected = inject(copied(view, {"request": Any, "root": root}), cast=False, cast_result=False)
    if graph.is_awaited:

        async def arun(request):
            return await injected(request=request)

        return arun

    def run(request):
        return injected(request=request)

    return run


_injected: contextvars.ContextVar[dict[Any, Any]] = contextvars.ContextVar("injected")


def _injector(graph: Graph, view: View) -> Resolve:
    """Injector has no generators and no requests: a scope of our own stands for both."""
    import injector

    class RequestScope(injector.Scope):
        def get(self, key, provider):
            values = _injected.get()
            if key not in values:
                values[key] = injector.InstanceProvider(provider.get(self.injector))
            return values[key]

    request_scope = injector.ScopeDecorator(RequestScope)

    def configure(binder):
        binder.bind(Request, to=_not_in_scope, scope=request_scope)
        for number, factory in enumerate(graph.typed(Request)):
            is_session = graph.has_session and number == 0
            make = _not_in_scope if is_session else injector.inject(factory)
            binder.bind(graph.node_types[number], to=make, scope=request_scope)

    container = injector.Injector(configure)
    wanted = graph.node_types[-1]
    sessions = graph.factories[:1] if graph.has_session else []
    scoped = contextmanager(_scoped)

    def run(request):
        with scoped(injector.InstanceProvider, graph, sessions, request):
            return view(request, container.get(wanted))

    async def arun(request):
        with scoped(injector.InstanceProvider, graph, sessions, request):
            return await view(request, container.get(wanted))

    return arun if graph.is_awaited else run


def _scoped(provider, graph, sessions, request):
    values = {Request: provider(request)}
    opened = [session() for session in sessions]
    for generator in opened:
        values[graph.node_types[0]] = provider(next(generator))
    reset = _injected.set(values)
    try:
        yield
    finally:
        _injected.reset(reset)
        for generator in opened:
            next(generator, None)


PEERS = (
    Contender(
        "FastAPI solve_dependencies", "fastapi", _fastapi, _fastapi_request, ("async", "mixed")
    ),
    Contender("dishka", "dishka", _dishka),
    Contender("wireup", "wireup", _wireup),
    Contender("svcs", "svcs", _svcs),
    Contender("fast-depends, cast off", "fast-depends", _fast_depends),
    Contender("injector", "injector", _injector, kinds=("sync", "mixed")),
)
