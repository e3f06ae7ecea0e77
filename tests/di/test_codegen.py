"""The function that a plan is written as: what is in it, and what is not."""

import functools
import gc
import inspect
import linecache
import re
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables
from ninja import Header

from di import Depends, NinjaAPI, acall, call, dependable
from di.codegen import Reading, compile_resolver
from di.exceptions import BlockingGeneratorError
from di.graph import analyze
from di.inspection import inspect_callable
from di.lifetimes import State
from di.plan import compile_plan
from tests.di.conftest import World


def function() -> str:
    return threading.current_thread().name


@dependable(blocking=False)
def quick() -> str:
    return threading.current_thread().name


@dependable(blocking=False)
class Quick:
    def __init__(self) -> None:
        self.thread = threading.current_thread().name


async def coroutine() -> str:
    return threading.current_thread().name


def generator() -> Iterator[str]:
    yield threading.current_thread().name


async def async_generator() -> AsyncIterator[str]:
    yield threading.current_thread().name


def compiled(*markers: Any, is_async: bool = False) -> Callable[..., Any]:
    """Return the function for a view that depends on *markers*."""
    plan = compile_plan(analyze(lambda: None, markers))
    readings = [Reading() for _ in range(len(plan.steps) + 1)]
    view_call: Any = "await" if is_async else "call"
    return compile_resolver(plan, readings, is_async=is_async, view_call=view_call)


def source(resolve: Callable[..., Any]) -> str:
    return "".join(linecache.getlines(resolve.__code__.co_filename))


function_scope = functools.partial(Depends, scope="function")


@pytest.mark.parametrize(
    ("markers", "hops"),
    [
        ([], 0),
        ([Depends(coroutine), Depends(coroutine)], 0),
        ([Depends(function), Depends(generator), Depends(function, use_cache=False)], 1),
        ([Depends(function), Depends(coroutine), Depends(generator)], 2),
        ([Depends(quick), Depends(Quick), Depends(coroutine)], 0),
        ([Depends(function), Depends(quick), Depends(generator)], 2),
        ([Depends(function, max_concurrency=1), Depends(generator)], 2),
        ([Depends(quick, max_concurrency=1)], 0),
        ([Depends(function, scope="app"), Depends(function)], 1),
        ([Depends(coroutine, scope="app")], 0),
    ],
)
def test_neighbors_share_a_hop(markers: list[Any], hops: int) -> None:
    """An async view goes to its thread once for sync dependables in a row; a sync view never."""
    assert source(compiled(*markers, is_async=True)).count("await hop(") == hops
    assert "hop" not in source(compiled(*markers))


@pytest.mark.parametrize(
    ("markers", "is_async", "absent"),
    [
        ([Depends(function)], False, "try opened bridge slots BAD frame.left"),
        ([Depends(coroutine)], True, "try opened Hop slots BAD frame.left"),
        ([function_scope(generator)], False, "bridge slots BAD frame.left opened_request leave"),
        ([function_scope(async_generator)], True, "Hop slots BAD frame.left opened_request leave"),
        ([Depends(generator)], False, "bridge slots BAD opened_function"),
    ],
)
def test_nothing_is_there_that_the_plan_does_not_need(
    markers: list[Any], is_async: bool, absent: str
) -> None:
    """No stacks where nothing is opened, nothing async where nothing is awaited."""
    text = source(compiled(*markers, is_async=is_async)).replace("opened_function, []", "")
    assert [word for word in absent.split() if word in text] == []


def test_what_does_not_block_is_called_on_the_loop(world: World, api: NinjaAPI) -> None:
    """Functions and classes that say so; all else in the request's thread."""

    @api.get("/x")
    @world.view
    def view(
        request: Any,
        q: str = Depends(quick),
        cls: Quick = Depends(),
        c: str = Depends(coroutine),
        f: str = Depends(function),
    ) -> Any:
        return [q, cls.thread, c, f]

    world.serve(api)
    q, cls, c, f = world.get("/x").json()  # type: ignore[attr-defined]
    if world.is_async:
        assert q == cls == c != f
    else:
        assert q == cls == f


def test_a_generator_always_has_its_thread() -> None:
    """It is closed where it was entered: to say that it does not block changes nothing."""
    with pytest.raises(BlockingGeneratorError, match=r"this is a generator\. \(di\.E016\)"):
        inspect_callable(dependable(blocking=False)(generator))
    del generator.__di_defaults__  # type: ignore[attr-defined]


def fails() -> None:
    raise ValueError("it")


def test_a_traceback_shows_the_line() -> None:
    """With the name of what was called, and the parameter that it was to fill."""

    def above(needed: None = Depends(fails)) -> None: ...

    with pytest.raises(ValueError, match="it") as caught:
        compiled(Depends(above))(State(), lambda: None, lambda _, result: result)
    text = "".join(traceback.format_exception(caught.value))
    assert "needed = call_0_fails()" in text
    assert "above = call_1_above(needed=needed)" in source(compiled(Depends(above)))


def test_its_source_goes_with_it() -> None:
    """When the last function with a source is gone, then linecache has forgotten the source."""
    resolve, same = compiled(Depends(function)), compiled(Depends(function))
    filename = resolve.__code__.co_filename
    assert same.__code__.co_filename == filename
    del resolve
    gc.collect()
    assert filename in linecache.cache
    del same
    gc.collect()
    assert filename not in linecache.cache


def test_a_source_that_was_replaced_is_left_alone() -> None:
    """When something else is in linecache under a file name, then it stays there."""
    resolve = compiled(Depends(function))
    filename = resolve.__code__.co_filename
    linecache.cache[filename] = other = (0, None, [], filename)
    del resolve
    gc.collect()
    assert linecache.cache.pop(filename) is other


def test_names_are_stable_and_say_what_it_is() -> None:
    """File, module, and qualified name tell the view and `di`, without a running number."""

    def named_view() -> None: ...

    def resolver(dependency: Any) -> Any:
        plan = compile_plan(analyze(named_view, [Depends(dependency)]))
        return compile_resolver(plan, [Reading()] * 2, is_async=False, view_call="call")

    view = f"{__name__}.{named_view.__qualname__}"
    for _ in range(2):
        resolve = resolver(function)
        assert resolve.__code__.co_filename == f"<di {view}>"
        assert resolve.__module__ == "di.codegen"
        assert resolve.__globals__["__name__"] == "di.codegen"
        assert resolve.__qualname__ == resolve.__code__.co_qualname == f"resolve[{view}]"
    other = resolver(coroutine)
    assert other.__code__.co_filename == f"<di {view} 2>"
    assert source(other) != source(resolve)


def test_locals_are_called_as_parameters() -> None:
    """A value or an input has its parameter's name; a second one of the name has a suffix."""

    def get_token(token: str) -> str:
        return token

    def get_user(token: str = Depends(get_token), next: str = Depends(function)) -> str:  # noqa: A002 - a name of the writer
        return token

    def refresh(token: str = Depends(generator), frame: str = Depends(get_user)) -> None: ...

    plan = compile_plan(analyze(refresh, [Depends(quick)]))
    readings = [Reading() for _ in range(len(plan.steps) + 1)]
    (number,) = (one.index for one in plan.steps if one.inputs)
    readings[number] = Reading(read=lambda _: {"token": "x"}, names=("token",))
    resolve = compile_resolver(plan, readings, is_async=False, view_call="call")
    names = resolve.__code__.co_varnames
    assert set(names) >= {"quick", "token", "token_2", "token_3", "next_2", "frame_2"}
    assert not [name for name in names if name.startswith("value")]
    resolve(State(), refresh, lambda _, result: result)


SECRET = "correct horse battery staple"


def get_password(password: str = Header()) -> str:
    return password


async def aget_password(password: str = Header()) -> str:
    return password


@pytest.mark.parametrize("get", [get_password, aget_password])
def test_a_secret_is_under_its_own_name_only(world: World, api: NinjaAPI, get: Any) -> None:
    """When a request fails, then generated frames hold a password where scrubbers look for it."""
    frames: list[dict[str, Any]] = []

    def check(password: str = Depends(get), other: str = Depends(get_password)) -> None:
        raise ValueError("exploded")

    @api.get("/x")
    @world.view
    def view(request: Any, checked: None = Depends(check)) -> None: ...

    def collect(request: Any, error: Exception) -> HttpResponse:
        frames.extend(
            dict(frame.f_locals)
            for frame, _ in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename.startswith("<di ")
        )
        return HttpResponse()

    api.add_exception_handler(ValueError, collect)
    world.serve(api)
    assert world.get("/x", headers={"password": SECRET}).status_code == 200
    assert frames
    for variables in frames:
        shown = {name for name, value in variables.items() if SECRET in str(value)}
        assert shown <= {"password", "password_2", "password_3", "other"}
    assert "password" in {name for variables in frames for name in variables}


@pytest.mark.parametrize("resolve", [call, async_to_sync(acall)])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_secret_given_to_call_is_under_its_own_name_only(resolve: Any, *, is_async: bool) -> None:
    """When a function fails outside a request, then no frame of ours has the value elsewhere."""

    def check(password: str = Depends(aget_password)) -> None:
        raise ValueError("exploded")

    async def acheck(password: str = Depends(get_password)) -> None:
        raise ValueError("exploded")

    with pytest.raises(ValueError, match="exploded") as caught:
        resolve(acheck if is_async else check, password=SECRET)
    for frame, _ in traceback.walk_tb(caught.value.__traceback__):
        is_ours = frame.f_globals["__name__"].startswith("di.")
        if is_ours:
            shown = {name for name, value in frame.f_locals.items() if SECRET in str(value)}
            assert shown <= {"password", "password_2"}


def reported(world: World, api: NinjaAPI, password: str) -> str:
    """Return Django's error report of a failing request."""
    reports: list[str] = []

    def collect(request: Any, error: Exception) -> HttpResponse:
        reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
        reports.append(reporter.get_traceback_html())
        return HttpResponse()

    api.add_exception_handler(ValueError, collect)
    world.serve(api)
    assert world.get("/x", headers={"password": password}).status_code == 200
    return reports[0]


@sensitive_variables("password")
def raise_inside(password: str = Depends(get_password)) -> None:
    raise ValueError("exploded")


def use_password(request: Any, password: str = Depends(get_password)) -> None:
    raise ValueError("exploded")


async def ause_password(request: Any, password: str = Depends(get_password)) -> None:
    raise ValueError("exploded")


def use_dependable(request: Any, done: None = Depends(raise_inside)) -> None: ...


async def ause_dependable(request: Any, done: None = Depends(raise_inside)) -> None: ...


@pytest.mark.parametrize(
    ("view", "is_hidden"),
    [
        (use_password, False),
        (ause_password, False),
        (sensitive_variables("password")(use_password), True),
        (sensitive_variables()(use_password), True),
        (use_dependable, True),
        (ause_dependable, True),
    ],
)
def test_sensitive_variables_are_hidden_in_generated_frames(
    world: World, api: NinjaAPI, view: Any, *, is_hidden: bool
) -> None:
    """When user code has @sensitive_variables, then Django's report hides its values in ours."""
    api.get("/x")(view)
    report = reported(world, api, SECRET)
    assert "exploded" in report
    assert (SECRET in report) is not is_hidden
    assert ("&lt;di tests" in report) is not is_hidden


def test_sensitive_variables_of_a_coroutine_function(world: World, api: NinjaAPI) -> None:
    """When the decorated function is async, then its values are hidden as well."""

    async def check(password: str = Depends(get_password)) -> None:
        raise ValueError("exploded")

    hidden = sensitive_variables("password")(check)

    @api.get("/x")
    @world.view
    def view(request: Any, checked: None = Depends(hidden)) -> None: ...

    assert SECRET not in reported(world, api, SECRET)


def test_sensitive_variables_below_an_app_scope(world: World, api: NinjaAPI) -> None:
    """When a dependable of scope "app" has sensitive variables, then the view's frame is hidden."""

    @dependable(scope="app")
    @sensitive_variables()
    def get_client() -> str:
        return SECRET

    def use(client: str) -> None:
        raise ValueError("exploded")

    @api.get("/x")
    @sensitive_variables()
    @world.view
    def view(request: Any, client: str = Depends(get_client)) -> None:
        use(client)

    report = reported(world, api, "")
    assert "&lt;di tests" not in report


def test_djangos_report_shows_the_generated_lines(world: World, api: NinjaAPI) -> None:
    """When a dependable fails, then Django's debug page has the line that called it."""

    def check() -> None:
        raise ValueError("exploded")

    @api.get("/x", dependencies=[Depends(check)])
    @world.view
    def view(request: Any) -> None: ...

    report = reported(world, api, "")
    assert re.search(r"<pre>\s*check = call_0_check\(\)", report)


def named(name: str) -> Callable[..., Any]:
    def call() -> str:
        return name

    call.__name__ = name
    return call


@pytest.mark.parametrize(
    "name",
    [
        *("value", "generator", "read", "class", "1; import os", "a b", "", "é", "'\"\n"),
        *("frame", "next", "BAD", "call_0_", "__debug__", "None", "NEVER", "resolve", "view"),
    ],
)
def test_a_callable_may_be_called_anything(name: str) -> None:
    """Its name is a comment in all but form: nothing but ASCII letters gets into the source."""
    resolve = compiled(Depends(named(name)))
    assert resolve(State(), lambda: "view", lambda _, result: result) == "view"
    assert source(resolve).isascii()
    assert "import" not in source(resolve).replace("importos", "")


def test_an_async_function_is_one() -> None:
    """And the sync one is not."""
    assert not inspect.iscoroutinefunction(compiled(Depends(function)))
    assert inspect.iscoroutinefunction(compiled(Depends(function), is_async=True))
