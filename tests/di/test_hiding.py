"""Operations that another view at the same place hides: `check` names both."""

import types
from collections.abc import Callable
from datetime import date
from typing import Any

import ninja
import pytest
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, re_path, register_converter
from django.urls.converters import get_converters
from pytest_django import Settings

from di import Depends, NinjaAPI, Router


def read(request: HttpRequest) -> str:
    return "read"


def write(request: HttpRequest) -> str:
    return "write"


def catch_all(request: HttpRequest, anything: str) -> HttpResponse:
    return HttpResponse(anything)


def serve(settings: Settings, *urlpatterns: Any) -> None:
    site = types.ModuleType("site")
    site.urlpatterns = urlpatterns  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = site


def api_of(*routes: tuple[str, str, Callable[..., Any]]) -> NinjaAPI:
    """Return an API with *routes*, each a method, a path, and a view, each on its own router."""
    api = NinjaAPI(urls_namespace="hiding", docs_url=None, openapi_url=None)
    for method, url, view in routes:
        router = Router()
        router.api_operation([method], url)(view)
        api.add_router("/items", router)
    return api


def warnings() -> list[checks.CheckMessage]:
    return [one for one in checks.run_checks(tags=["di"]) if one.id == "di.W002"]


@pytest.mark.filterwarnings("ignore:Field.s. .* are in the view path")
@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ("/{x}", "/{x}", "answers 405 for all of its paths, such as /items/7:"),
        ("/{x}", "/{y}", "answers 405 for all of its paths, such as /items/7:"),
        ("/{x}", "/{int:x}", "answers 405 for all of its paths, such as /items/7:"),
        ("/{int:x}", "/{x}", "answers 405 for some of its paths, such as /items/7:"),
        ("/{slug:x}", "/{str:x}", "answers 405 for some of its paths, such as /items/7:"),
        ("/{path:x}", "/{a}/{b}", "answers 405 for all of its paths, such as /items/7/7:"),
        ("/{x}", "/me", "answers 405 for all of its paths, such as /items/me:"),
        ("/same", "/same", "answers 405 for all of its paths, such as /items/same:"),
    ],
)
def test_an_operation_behind_another_method(
    settings: Settings, first: str, second: str, what: str
) -> None:
    """When Django asks a view that does not know the method, then the warning names both."""
    serve(settings, path("", api_of(("GET", first, read), ("PUT", second, write)).urls))
    (warning,) = warnings()
    assert f"PUT /items{_shown(second)} tests.di.test_hiding.write (tests/di/" in warning.msg
    assert f" {what} Django asks GET /items{_shown(first)} tests.di.test_hiding.read" in warning.msg
    assert "on one router and with one path" in str(warning.hint)
    example = warning.msg.partition("such as ")[2].partition(":")[0]
    assert Client().put(example).status_code == 405


def _shown(path: str) -> str:
    return path.replace("{", "<").replace("}", ">")


@pytest.mark.filterwarnings("ignore:Field.s. .* are in the view path")
@pytest.mark.parametrize(
    ("first", "second", "is_hidden"),
    [
        ("/{x}", "/me", True),
        ("/{x}", "/{y}", True),
        ("/{int:x}", "/{x}", False),
        ("/{int:x}", "/me", False),
        ("/me", "/{x}", False),
    ],
)
def test_an_operation_behind_the_same_method(
    settings: Settings, first: str, second: str, *, is_hidden: bool
) -> None:
    """When another view gets all requests of an operation, then the warning names both."""
    serve(settings, path("", api_of(("GET", first, read), ("GET", second, write)).urls))
    found = warnings()
    assert bool(found) is is_hidden
    if found:
        assert "gets no request for any of its paths, such as /items/" in found[0].msg
        assert found[0].hint == (
            "Declare it before the other one, or give one of them another path."
        )


@pytest.mark.filterwarnings("ignore:Field.s. .* are in the view path")
@pytest.mark.parametrize(
    ("first", "second"),
    [("/me", "/{x}"), ("/{int:x}", "/me"), ("/{int:x}", "/{uuid:x}"), ("/a", "/b")],
)
def test_paths_that_differ(settings: Settings, first: str, second: str) -> None:
    """When no path, or only one that is written out, is in both, then nobody is warned."""
    serve(settings, path("", api_of(("GET", first, read), ("PUT", second, write)).urls))
    assert warnings() == []


def test_the_hint_works(settings: Settings) -> None:
    """When both operations are on one router with one path, then each gets its requests."""
    api, router = NinjaAPI(urls_namespace="hiding"), Router()

    @router.get("/{x}")
    def get(request: HttpRequest, x: str) -> str:
        return x

    @router.put("/{x}")
    def put(request: HttpRequest, x: str, same: None = Depends(lambda: None)) -> str:
        return x * 2

    api.add_router("/items", router)
    serve(settings, path("", api.urls))
    assert warnings() == []
    assert Client().put("/items/a").json() == "aa"


@pytest.mark.parametrize("api_class", [NinjaAPI, ninja.NinjaAPI])
def test_two_apis_on_one_prefix(settings: Settings, api_class: Any) -> None:
    """When two APIs are mounted at one place, then their operations are compared, too."""
    first, second = (api_class(urls_namespace=name, docs_url=None) for name in ("first", "second"))
    first.get("/x")(read)
    second.post("/x")(write)
    serve(settings, path("api/", first.urls), path("api/", second.urls))
    (warning,) = warnings()
    assert warning.msg.startswith("POST /api/x tests.di.test_hiding.write")
    assert "Django asks GET /api/x tests.di.test_hiding.read" in warning.msg


def test_an_api_behind_a_view_of_djangos(settings: Settings) -> None:
    """When a view that is not Ninja's catches the path, then the warning names it."""
    api = api_of(("GET", "/x", read))
    serve(settings, re_path(r"^(?P<anything>.*)$", catch_all), path("", api.urls))
    (warning,) = warnings()
    assert "GET /items/x tests.di.test_hiding.read" in warning.msg
    assert "gets no request for any of its paths" in warning.msg
    assert "Django asks tests.di.test_hiding.catch_all (tests/di/" in warning.msg


class Never:
    """A converter that refuses what its expression allows."""

    regex = "[0-9]+"

    def to_python(self, value: str) -> int:
        raise ValueError

    def to_url(self, value: int) -> str:
        return str(value)


class Odd:
    """A converter that takes nothing that anybody would think of."""

    regex = "odd-[0-9]{9}"

    def to_python(self, value: str) -> date:
        raise ValueError

    def to_url(self, value: date) -> str:
        return str(value)


@pytest.fixture
def _converters() -> Any:
    known = dict(get_converters())
    register_converter(Never, "never")
    register_converter(Odd, "odd")
    yield
    from django.urls import converters

    for name in get_converters().keys() - known.keys():
        del converters.REGISTERED_CONVERTERS[name]
    get_converters.cache_clear()


@pytest.mark.usefixtures("_converters")
@pytest.mark.filterwarnings("ignore:Field.s. .* are in the view path")
def test_paths_that_nobody_can_guess(settings: Settings) -> None:
    """When a path has a regular expression or an unknown converter, then nothing is said of it."""
    api = api_of(
        *(("GET", "/{never:x}", read), ("PUT", "/{never:y}", write)),
        *(("GET", "/{odd:x}", read), ("PUT", "/{odd:y}", write)),
    )
    serve(settings, path("", api.urls))
    assert warnings() == []
    same = api_of(("GET", "/{x}", read), ("PUT", "/{y}", write))
    serve(settings, re_path(r"^v[0-9]/", include(([path("", same.urls)], "nested"))))
    assert warnings() == []
