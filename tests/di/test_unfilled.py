"""A dependency is never silently absent: a view that nothing injects does not start."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Annotated, Any, ForwardRef, TypeAlias, TypeVar

import ninja
import pytest
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import Query
from ninja.signature import ViewSignature
from pytest_django import Settings
from typing_extensions import TypeAliasType

from di import Depends, NinjaAPI, Router, Security, call, inject
from di.declared import markers_of
from di.exceptions import NotInjectedError
from tests.di import losing
from tests.di.conftest import World

T = TypeVar("T")


def verify() -> str:
    return "verified"


class Verified:
    pass


Plain: TypeAlias = Annotated[str, Depends(verify)]
Generic = Annotated[T, Depends()]
Alias = TypeAliasType("Alias", Annotated[str, Depends(verify)])
AliasOfAlias = TypeAliasType("AliasOfAlias", Alias)
GenericAlias = TypeAliasType("GenericAlias", Annotated[T, Depends()], type_params=(T,))


def default(request: HttpRequest, x: str = Depends(verify)) -> None: ...
def security(request: HttpRequest, x: str = Security(verify, scopes=["me"])) -> None: ...
def untyped(request, x=Depends(verify)) -> None: ...  # type: ignore[no-untyped-def]
def listed(request: HttpRequest, x: list[int] = Depends(verify)) -> None: ...
def uploaded(request: HttpRequest, x: ninja.UploadedFile = Depends(verify)) -> None: ...
def in_the_path(request: HttpRequest, pk: int = Depends(verify)) -> None: ...
def shortcut(request: HttpRequest, x: Verified = Depends()) -> None: ...
def annotated(request: HttpRequest, x: Annotated[str, Depends(verify)]) -> None: ...
def with_default(request: HttpRequest, x: Annotated[str, Depends(verify)] = "") -> None: ...
def after_param(request: HttpRequest, x: Annotated[str, Query(), Depends(verify)]) -> None: ...
def before_param(request: HttpRequest, x: Annotated[str, Depends(verify), Query()]) -> None: ...
def optional(request: HttpRequest, x: Annotated[str, Depends(verify)] | None = None) -> None: ...
def in_a_list(request: HttpRequest, x: list[Annotated[str, Depends(verify)]]) -> None: ...
def aliased(request: HttpRequest, x: Plain) -> None: ...
def nested(request: HttpRequest, x: Annotated[Plain, "a note"]) -> None: ...
def generic(request: HttpRequest, x: Generic[Verified]) -> None: ...
def new_alias(request: HttpRequest, x: Alias) -> None: ...
def twice_aliased(request: HttpRequest, x: AliasOfAlias) -> None: ...
def generic_alias(request: HttpRequest, x: GenericAlias[Verified]) -> None: ...
def type_checkers_only(request: HttpRequest, x: Annotated[Absent, Depends(verify)]) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def partly(request: HttpRequest, x: Annotated[a.B[c] | None, Depends(verify)]) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def called(request: HttpRequest, x: Annotated[Absent(1).a, Depends(verify)]) -> None: ...  # type: ignore[valid-type]  # noqa: F821
def the_request(request: Annotated[HttpRequest, Depends(verify)]) -> None: ...
def the_request_too(r: HttpRequest, request: Any = Depends(verify)) -> None: ...
def the_response(request: HttpRequest, x: HttpResponse = Depends(verify)) -> None: ...
def positional(request: HttpRequest, *args: Annotated[str, Depends(verify)]) -> None: ...
def keywords(request: HttpRequest, **kwargs: Annotated[str, Depends(verify)]) -> None: ...
def after_fine_ones(
    request: HttpRequest, a: int, b: str = "", x: str = Depends(verify)
) -> None: ...


SHAPES = [
    *(default, security, untyped, listed, uploaded, in_the_path, shortcut, annotated),
    *(with_default, after_param, before_param, optional, in_a_list, aliased, nested, generic),
    *(new_alias, twice_aliased, generic_alias, type_checkers_only, partly, called, the_request),
    *(the_request_too, the_response, positional, keywords, after_fine_ones),
]

NEVER_LOOKED_AT = [the_request, the_request_too, the_response, positional, keywords]
"""By Ninja: only `CheckedSignature` refuses these."""


def as_async(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return *view* as a coroutine function with the same signature."""

    @functools.wraps(view)
    async def aview(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return aview


def on_the_api(view: Callable[..., Any]) -> None:
    ninja.NinjaAPI(urls_namespace="none").post("/x/{pk}")(view)


def on_a_router(view: Callable[..., Any]) -> None:
    ninja.Router().post("/x/{pk}")(view)


def by_add_api_operation(view: Callable[..., Any]) -> None:
    ninja.Router().add_api_operation("/x/{pk}", ["GET", "POST"], view)


@pytest.mark.row("A4", "A5", "A6", "A7", "A8", "A9", "J11")
@pytest.mark.parametrize("register", [on_the_api, on_a_router, by_add_api_operation])
@pytest.mark.parametrize("kind", [lambda view: view, as_async], ids=["sync", "async"])
@pytest.mark.parametrize("view", SHAPES, ids=lambda view: view.__name__)
def test_a_view_that_nothing_injects_is_refused_when_it_is_registered(
    view: Any, kind: Any, register: Any
) -> None:
    """Whatever the marker looks like and wherever it stands: the app does not start."""
    with pytest.raises(NotInjectedError) as refusal:
        register(kind(view))
    text = str(refusal.value)
    assert "nothing would ever call it. (di.E005)" in text
    assert f"tests.di.test_unfilled.{view.__name__} (tests/di/test_unfilled.py:" in text
    assert "Hint: Put @inject from di directly above the view" in text


@pytest.mark.parametrize(
    "view",
    [
        one
        for one in SHAPES
        if one not in NEVER_LOOKED_AT and one not in (type_checkers_only, partly, called)
    ],
    ids=lambda view: view.__name__,
)
def test_the_marker_itself_refuses_where_the_app_is_not_installed(
    view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without "di" in INSTALLED_APPS, or before it is ready, Ninja meets the marker itself."""
    monkeypatch.setattr("ninja.operation.ViewSignature", ViewSignature)
    with pytest.raises(NotInjectedError, match=r"(Depends|Security)\((.|\n)*Hint: Put @inject"):
        on_the_api(view)


def test_views_without_dependencies_register() -> None:
    """Plain Ninja stays as it is, with annotations that only type checkers can read."""

    def view(request: OnlyForTypeCheckers, a: int, b: str = "", *c: Any, **d: Any) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    ninja.NinjaAPI(urls_namespace="none").get("/x")(lambda request, a: None)
    assert list(markers_of(view)) == []
    assert list(markers_of(int)) == []
    assert list(markers_of(type)) == []


def test_a_forward_reference_is_read() -> None:
    """When an annotation is a reference, as in Python 3.14, then its marker is found."""

    def view(request: HttpRequest, x: Any) -> None: ...

    view.__annotations__["x"] = ForwardRef("Annotated[Absent, Depends(verify)]")
    assert [name for name, _ in markers_of(view)] == ["x"]


def test_an_annotation_that_raises_has_no_marker() -> None:
    """What it is to mean is its host's question."""

    def view(request: HttpRequest, x: 1 / 0) -> None: ...  # type: ignore[valid-type]

    assert list(markers_of(view)) == []


def forwarding(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate as so many do: without functools.wraps."""
    times = 1

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for _ in range(times):
            result = view(*args, **kwargs)
        return result

    return wrapper


def twice_forwarding(view: Callable[..., Any]) -> Callable[..., Any]:
    return forwarding(forwarding(view))


def behind_a_wrapper(view: Callable[..., Any]) -> Callable[..., Any]:
    inner = forwarding(view)

    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    return outer


def only_by_name(view: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(request: HttpRequest, **kwargs: Any) -> Any:
        return [view(request, **kwargs)]

    return wrapper


def only_by_position(view: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(request: HttpRequest, *args: Any) -> Any:
        return [view(request, *args)]

    return wrapper


def one_by_one(view: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(request: HttpRequest) -> Any:
        return view(request)

    return wrapper


class Forwarding:
    """Decorates as a class does, which keeps what it decorates."""

    def __init__(self, view: Callable[..., Any]) -> None:
        self.view = view

    def __call__(self, request: HttpRequest, **kwargs: Any) -> Any:
        return self.view(request, **kwargs)


HIDING = [
    *(forwarding, twice_forwarding, behind_a_wrapper, only_by_name, only_by_position, one_by_one),
    *(Forwarding, lambda view: functools.partial(forwarding(view))),
]


@pytest.mark.parametrize("decorate", HIDING)
@pytest.mark.parametrize("view", [default, inject(default)], ids=["bare", "injected"])
@pytest.mark.parametrize("api", [ninja.NinjaAPI, NinjaAPI, ninja.Router, Router])
def test_a_decorator_that_hides_dependencies_is_refused(api: Any, view: Any, decorate: Any) -> None:
    """The view would be called without them, and take the marker for a value."""
    with pytest.raises(NotInjectedError) as refusal:
        api().get("/x")(decorate(view))
    text = str(refusal.value)
    assert "The view hides a dependency: nothing fills 'x', so its marker would be" in text
    assert "tests.di.test_unfilled.default" in text
    assert "Hint: " in text


def dependable_of(request: HttpRequest, x: str = Depends(verify)) -> str:
    return x


class Checked:
    def __init__(self, request: HttpRequest, x: str = Depends(verify)) -> None: ...


def make(*args: Any, **kwargs: Any) -> Checked:
    return Checked(*args, **kwargs)


def hand_on(request: HttpRequest, **kwargs: Any) -> str:
    return dependable_of(request, **kwargs)


@pytest.mark.parametrize(
    "dependable", [*(decorate(dependable_of) for decorate in HIDING), make, hand_on]
)
@pytest.mark.parametrize("use", ["parameter", "route", "router", "api", "call"])
def test_a_dependable_that_hides_dependencies_is_refused(dependable: Any, use: str) -> None:
    """A check below it would never run, with the marker for the value that it checks."""

    def view(request: HttpRequest, x: Any = Depends(dependable)) -> None: ...

    def bare(request: HttpRequest) -> None: ...

    uses = {
        "parameter": lambda: NinjaAPI().get("/x")(view),
        "route": lambda: NinjaAPI().get("/x", dependencies=[Depends(dependable)])(bare),
        "router": lambda: Router(dependencies=[Depends(dependable)]),
        "api": lambda: NinjaAPI(dependencies=[Depends(dependable)]),
        "call": lambda: call(view, request=HttpRequest()),
    }
    with pytest.raises(NotInjectedError) as refusal:
        uses[use]()
    text = str(refusal.value)
    assert "The dependable hides a dependency: nothing fills 'x', so its marker would be" in text
    hidden = "Checked.__init__" if dependable is make else "dependable_of"
    assert f"tests.di.test_unfilled.{hidden} (tests/di/test_unfilled.py:" in text


def shows(job: Callable[..., Any]) -> Callable[..., Any]:
    return lambda request, x=Depends(verify): job(request, x)


def uses(job: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(request: HttpRequest, y: str = Depends(job), *args: Any) -> Any:
        return [job.__name__, y]

    return wrapper


def calls(job: Callable[..., Any]) -> Callable[..., Any]:
    return lambda n=1: call(job, request=HttpRequest())


def again(job: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, times: int = 1) -> Any:
        return wrapper(times=times - 1) if times else None

    return wrapper


def counts(job: Callable[..., Any], most: Callable[..., Any] = max) -> Callable[..., Any]:
    return lambda n=1: most(n, id(most))


@pytest.mark.parametrize("decorate", [shows, uses, calls, counts, again, functools.partial])
def test_a_dependable_that_hides_nothing_is_fine(decorate: Any) -> None:
    """It has the same dependencies, or depends on what it holds, or has them resolved."""
    dependable = decorate(dependable_of)

    def view(request: HttpRequest, x: Any = Depends(dependable)) -> None: ...

    NinjaAPI().get("/x")(view)


def test_a_decorator_that_hides_nothing_is_fine() -> None:
    """Neither what it wraps nor what else it holds has dependencies."""
    api = ninja.NinjaAPI(urls_namespace="none")
    api.get("/a")(forwarding(lambda request: None))
    injected = inject(default)
    api.get("/b")(functools.wraps(injected)(forwarding(injected)))


@pytest.mark.parametrize("passed", [(), ("a",)])
def test_an_injected_view_called_by_hand_wants_its_dependencies(passed: tuple[Any, ...]) -> None:
    """It never takes the marker for a value; by position or by name, one has to be passed."""

    @inject
    def view(request: HttpRequest, a: str = "", x: str = Depends(verify)) -> list[str]:
        return [a, x]

    request = HttpRequest()
    assert view(request, "a", "b") == ["a", "b"]
    assert view(request, x="b") == ["", "b"]
    with pytest.raises(NotInjectedError, match=r"called without its dependency 'x'\. (.|\n)*Hint"):
        view(request, *passed)


@pytest.mark.parametrize("way", losing.LOSING)
@pytest.mark.parametrize("kind", [lambda view: view, as_async], ids=["sync", "async"])
@pytest.mark.parametrize("host", [ninja.NinjaAPI, NinjaAPI], ids=["plain", "di"])
def test_a_dependable_that_loses_a_check_does_not_start(host: Any, kind: Any, way: str) -> None:
    """When a call behind a dependable leaves a marker unfilled, then its route is refused."""

    def view(request: HttpRequest, x: Any = Depends(losing.LOSING[way])) -> None: ...

    with pytest.raises(NotInjectedError) as refusal:
        host(urls_namespace="none").get("/x")(inject(kind(view)))
    text = str(refusal.value)
    assert "The dependable hides a dependency: nothing fills '" in text
    assert "└─ x: " in text
    assert "Hint: " in text


@pytest.mark.parametrize("way", losing.RIGHT)
def test_a_dependable_that_is_right_starts_and_checks(world: World, way: str) -> None:
    """When each call passes a value for its dependencies, then the app starts and checks."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, x: Any = Depends(losing.RIGHT[way])) -> str:
        return str(x)

    world.serve(api)
    assert world.get("/x").status_code == 401
    assert world.get("/x", headers={"X-Name": "ada"}).json() == "ada"


def guesses(api: NinjaAPI, settings: Settings) -> list[tuple[str, str | None]]:
    """Return the texts and hints of the system check di.E203 for a site of *api*."""
    site = types.ModuleType("site")
    site.urlpatterns = [path("", api.urls)]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = site
    messages = checks.run_checks(tags=["di"])
    return [(one.msg, one.hint) for one in messages if one.id == "di.E203"]


def a_dependable() -> Any:
    """Return a new dependable with a dependency: each is told of once only."""

    def held(request: HttpRequest, name: str = Depends(verify)) -> str:
        return name

    return held


@pytest.mark.parametrize(
    ("way", "place"),
    [
        *((way, "dependable") for way in losing.UNCLEAR),
        *((way, "view") for way in ("named", "handing_over", "in_a_later_thread", "Holder")),
    ],
)
def test_code_that_holds_a_dependable_is_pointed_out(
    api: NinjaAPI,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    way: str,
    place: str,
) -> None:
    """When a source does not tell how it calls a function, then a log and a check do."""
    held = a_dependable()
    call = losing.UNCLEAR[way](held)
    view = call if place == "view" else lambda request, x=Depends(call): None
    for number in range(2):
        api.get(f"/{number}")(view)
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert caplog.records[0].name == "di"
    (text, hint), *others = guesses(api, settings)
    assert others == []
    assert "a_dependable.<locals>.held (tests/di/test_unfilled.py:" in text
    assert "its source does not tell whether it passes the dependency 'name'." in text
    assert hint
    assert hint.startswith("Write @functools.wraps(function) above the decorator's inner function")
    assert caplog.records[0].getMessage() == f"{text} (di.E203) Hint: {hint}"


@pytest.mark.parametrize("way", losing.UNCLEAR)
def test_who_follows_the_hint_hears_no_more(
    api: NinjaAPI, settings: Settings, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """When the decorator shows the dependencies of the function, then it is right."""
    held = a_dependable()
    call = losing.follow_the_hint(losing.UNCLEAR[way](held), held)
    api.get("/x")(lambda request, x=Depends(call): None)
    assert caplog.records == []
    assert guesses(api, settings) == []


def test_a_plain_view_is_pointed_out_too(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """When the decorator of a plain view holds one with dependencies, then both tell."""
    plain = ninja.NinjaAPI(urls_namespace="plain")
    plain.get("/x")(losing.renaming(a_dependable()))
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert len(guesses(plain, settings)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("decorate", [shows, uses, calls, counts, again, functools.partial])
def test_clear_code_is_not_pointed_out(
    api: NinjaAPI, settings: Settings, caplog: pytest.LogCaptureFixture, decorate: Any
) -> None:
    """When a source tells that a function is not called without its values, then all is well."""
    dependable = decorate(a_dependable())
    api.get("/x")(lambda request, x=Depends(dependable): None)
    assert caplog.records == []
    assert guesses(api, settings) == []
