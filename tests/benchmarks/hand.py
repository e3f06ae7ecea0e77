"""The graphs as one would write them by hand, without any framework."""

from __future__ import annotations

from collections.abc import Callable

from asgiref.sync import sync_to_async

from tests.benchmarks.contender import Resolve, View
from tests.benchmarks.graphs import Graph


def build(graph: Graph, view: View) -> Resolve:
    """Return the code that resolves *graph* and calls *view*."""
    return _WRITTEN[graph.name, graph.kind](view, *graph.factories)


def build_hopping(graph: Graph, view: View) -> Resolve:
    """See `build`, for sync factories that may wait: in a thread, all in one hop."""
    if graph.has_session:
        return _a_hopping(view, *graph.factories)
    resolve = _WRITTEN[graph.name, "sync"](_nothing_more, *graph.factories)

    async def run(request):
        return await view(request, await sync_to_async(resolve)(request))

    return run


def _nothing_more(request, root):
    return root


def _a_sync(view, session, token, user, service):
    def run(request):
        generator = session()
        opened = next(generator)
        try:
            result = view(request, service(opened, user(opened, token(request))))
        except BaseException as error:
            generator.throw(error)
            raise
        next(generator, None)
        return result

    return run


def _a_async(view, session, token, user, service):
    async def run(request):
        generator = session()
        opened = await anext(generator)
        try:
            made = await service(opened, await user(opened, await token(request)))
            result = await view(request, made)
        except BaseException as error:
            await generator.athrow(error)
            raise
        await anext(generator, None)
        return result

    return run


def _a_mixed(view, session, token, user, service):
    async def run(request):
        generator = session()
        opened = next(generator)
        try:
            result = await view(request, service(opened, user(opened, token(request))))
        except BaseException as error:
            generator.throw(error)
            raise
        next(generator, None)
        return result

    return run


def _a_hopping(view, session, token, user, service):
    def enter(request):
        generator = session()
        opened = next(generator)
        return generator, service(opened, user(opened, token(request)))

    async def run(request):
        generator, made = await sync_to_async(enter)(request)
        try:
            result = await view(request, made)
        except BaseException as error:
            await sync_to_async(generator.throw)(error)
            raise
        await sync_to_async(next)(generator, None)
        return result

    return run


def _b_sync(view, f0, f1, f2, f3, f4):
    def run(request):
        return view(request, f4(f3(f2(f1(f0())))))

    return run


def _b_async(view, f0, f1, f2, f3, f4):
    async def run(request):
        return await view(request, await f4(await f3(await f2(await f1(await f0())))))

    return run


def _b_mixed(view, f0, f1, f2, f3, f4):
    async def run(request):
        return await view(request, f4(f3(f2(f1(f0())))))

    return run


def _c_sync(
    view, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19
):
    def run(request):
        v0 = f0()
        v1 = f1()
        v2 = f2()
        v3 = f3()
        v4 = f4()
        v5 = f5(v0, v1)
        v6 = f6(v1, v2)
        v7 = f7(v2, v3)
        v8 = f8(v3, v4)
        v9 = f9(v0, v4)
        v10 = f10(v5, v6)
        v11 = f11(v6, v7)
        v12 = f12(v7, v8)
        v13 = f13(v8, v9)
        v14 = f14(v10, v11)
        v15 = f15(v12, v13)
        v16 = f16(v0, v10, v12)
        v17 = f17(v1, v11, v13)
        v18 = f18(v14, v15, v9)
        return view(request, f19(v16, v17, v18))

    return run


def _c_async(
    view, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19
):
    async def run(request):
        v0 = await f0()
        v1 = await f1()
        v2 = await f2()
        v3 = await f3()
        v4 = await f4()
        v5 = await f5(v0, v1)
        v6 = await f6(v1, v2)
        v7 = await f7(v2, v3)
        v8 = await f8(v3, v4)
        v9 = await f9(v0, v4)
        v10 = await f10(v5, v6)
        v11 = await f11(v6, v7)
        v12 = await f12(v7, v8)
        v13 = await f13(v8, v9)
        v14 = await f14(v10, v11)
        v15 = await f15(v12, v13)
        v16 = await f16(v0, v10, v12)
        v17 = await f17(v1, v11, v13)
        v18 = await f18(v14, v15, v9)
        return await view(request, await f19(v16, v17, v18))

    return run


def _c_mixed(view, *factories):
    resolve = _c_sync(_nothing_more, *factories)

    async def run(request):
        return await view(request, resolve(request))

    return run


_WRITTEN: dict[tuple[str, str], Callable[..., Resolve]] = {
    ("A", "sync"): _a_sync,
    ("A", "async"): _a_async,
    ("A", "mixed"): _a_mixed,
    ("B", "sync"): _b_sync,
    ("B", "async"): _b_async,
    ("B", "mixed"): _b_mixed,
    ("C", "sync"): _c_sync,
    ("C", "async"): _c_async,
    ("C", "mixed"): _c_mixed,
}
