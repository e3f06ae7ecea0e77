"""The system checks."""

import types
from dataclasses import dataclass, field
from typing import Annotated, Any

import ninja
import pytest
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from ninja import Body, Path, Query, Schema
from ninja.signature import ViewSignature
from pytest_django import Settings

from di import Depends, NinjaAPI, Router, inject
from tests.di import samples


def found(tag: str = "di") -> list[tuple[str | None, str]]:
    return [(message.id, message.msg) for message in checks.run_checks(tags=[tag])]


def serve(settings: Settings, api: ninja.NinjaAPI) -> None:
    site = types.ModuleType("site")
    site.urlpatterns = [path("", api.urls)]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = site


def test_atomic_requests_is_an_error(settings: Settings) -> None:
    """It would commit what a view wrote before it refused."""
    assert [one for one in found() if one[0] == "di.E201"] == []
    settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True
    try:
        assert ("di.E201", "ATOMIC_REQUESTS is on for the database 'default'.") in found()
    finally:
        settings.DATABASES["default"]["ATOMIC_REQUESTS"] = False


def test_async_dependables_of_sync_views_are_pointed_out(settings: Settings, api: NinjaAPI) -> None:
    """The warning names the view and all that it waits for; async views get none."""

    @api.get("/sync")
    def waiting(request: HttpRequest, n: Any = Depends(samples.coroutine)) -> None: ...

    @api.get("/async")
    async def fine(request: HttpRequest, n: Any = Depends(samples.coroutine)) -> None: ...

    @api.get("/plain")
    def plain(request: HttpRequest, n: Any = Depends(samples.function)) -> None: ...

    serve(settings, api)
    (warning,) = [text for id_, text in found() if id_ == "di.W001" and "<locals>.waiting" in text]
    assert "tests.di.samples.coroutine (tests/di/samples.py:" in warning
    assert not [text for _, text in found() if "<locals>.fine" in text or "<locals>.plain" in text]


def test_markers_in_views_registered_early_are_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before `di` was ready, Ninja let pass what it never looks at: the check tells."""
    monkeypatch.setattr("ninja.operation.ViewSignature", ViewSignature)
    plain = ninja.NinjaAPI(urls_namespace="plain")

    @plain.get("/one")
    def one(request: HttpRequest, response: HttpResponse = Depends(samples.function)) -> None: ...

    @plain.get("/two")
    async def two(r: int, request: Any = Depends(samples.coroutine)) -> None: ...

    @plain.get("/fine")
    @inject
    def fine(request: HttpRequest, response: HttpResponse = Depends(samples.function)) -> None: ...

    @plain.get("/plain")
    def nothing(request: HttpRequest) -> None: ...

    site = types.ModuleType("site")
    nested = ([path("", plain.urls)], "nested")
    site.urlpatterns = [path("x/", include(nested)), path("y", lambda request: None)]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = site
    texts = [text for id_, text in found() if id_ == "di.E202"]
    assert ["<locals>.one" in text for text in texts] == [True, False]
    assert "declares Depends(function), but nothing would ever call it." in texts[0]
    assert "<locals>.two" in texts[1]


def test_plain_views_are_none_of_our_business(settings: Settings) -> None:
    """An annotation that only type checkers can read is fine where nothing is injected."""
    plain = ninja.NinjaAPI(urls_namespace="plain")

    @plain.get("/x")
    def view(request: "OnlyForTypeCheckers") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - as under TYPE_CHECKING

    serve(settings, plain)
    assert "di.E202" not in [id_ for id_, _ in found()]


def test_a_project_without_urls_can_be_checked(settings: Settings) -> None:
    """A settings module may have no ROOT_URLCONF, in a command's, say."""
    del settings.ROOT_URLCONF
    assert isinstance(found(), list)


@pytest.mark.row("C4", "J13")
def test_a_path_parameter_that_no_path_has_is_an_error(settings: Settings, api: NinjaAPI) -> None:
    """When no path has a name, then `check` draws the way to it and lists the names there are."""

    class Day(Schema):
        year: int
        month: int = 1

    def read(slug: Annotated[str, Path()]) -> str:
        return slug

    def read_day(day: Annotated[Day, Path()], pk: int = 1) -> Any:
        return day, pk

    router = Router()

    @api.get("/wrong/{pk}")
    @router.get("/x")
    def view(request: HttpRequest, found: str = Depends(read), d: Any = Depends(read_day)) -> None:
        """Read what only some of its paths have."""

    api.add_router("/{slug}/{int:year}", router)
    serve(settings, api)
    first, second = [text for id_, text in found() if id_ == "di.E013"]
    assert first.startswith("Parameter 'slug' is read from the path, which does not hold it.\n\n")
    assert "<locals>.view (tests/di/test_checks.py:" in first
    assert "└─ found: tests.di.test_checks" in first
    assert second.startswith("Parameter 'year' ")
    (hint,) = {one.hint for one in checks.run_checks(tags=["di"]) if one.id == "di.E013"}
    assert hint == ("Give it a name that the path holds ('pk'), or read it elsewhere: Query(...).")
    site = types.ModuleType("site")
    inner = types.ModuleType("inner")
    inner.urlpatterns = [path("", api.urls)]  # type: ignore[attr-defined]
    site.urlpatterns = [re_path("^(?P<slug>.+)/", include(inner), {"year": 2020})]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = site
    assert not [text for id_, text in found() if id_ == "di.E013"]


@dataclass
class WithFactory:
    made: dict[str, int] = field(default_factory=dict)


def test_mappings_that_nothing_fills_are_pointed_out(settings: Settings, api: NinjaAPI) -> None:
    """When a mapping has a default and is not a body, then one warning has the line to write."""

    def options(nested: dict[str, int] = {"a": 1}) -> Any: ...  # noqa: B006 - as users write

    @api.post("/x")
    def lost(
        request: HttpRequest,
        extra: dict = None,  # type: ignore[assignment,type-arg]  # noqa: RUF013 - as users write
        body: dict = Body(None),  # type: ignore[type-arg]
        items: list[int] = Query([]),
        nested: Any = Depends(options),
    ) -> None: ...

    @api.post("/y")
    def again(request: HttpRequest, nested: Any = Depends(options)) -> None: ...

    @api.post("/z")
    def made(request: HttpRequest, made: Any = Depends(WithFactory)) -> None: ...

    serve(settings, api)
    warnings = [one for one in checks.run_checks(tags=["di"]) if one.id == "di.W003"]
    assert [one.msg.partition(",")[0] for one in warnings] == [
        "Ninja reads 'nested' from the query",
        "Ninja reads 'extra' from the query",
    ]
    first, second = [str(one.hint) for one in warnings]
    assert first == "Write nested: dict[str, int] = Body({'a': 1}), with Body from ninja."
    assert second.endswith("= Body(None), with Body from ninja.")
    assert "extra" not in warnings[0].msg
    assert "options" in warnings[0].msg
