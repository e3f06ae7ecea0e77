"""Path parameters that the prefix of a mount brings."""

from typing import Annotated, Any

import ninja
import pytest
from django.http import HttpRequest
from django.urls import include, path
from ninja import Path, Query

from di import Depends, NinjaAPI, Router, inject
from di.exceptions import PathParameterError
from tests.di.conftest import World


def team(team_id: int) -> int:
    return team_id


def routed(router: Any, world: World) -> None:
    """Put a view on *router* that asks for the team itself and through a dependable."""

    @router.get("/x")
    @inject
    @world.view
    def view(request: HttpRequest, team_id: int, found: int = Depends(team)) -> Any:
        return [team_id, found]


def parameters(api: Any, path: str) -> list[tuple[str, str]]:
    found = api.get_openapi_schema(path_prefix="")["paths"][path]["get"]["parameters"]
    return [(one["in"], one["name"]) for one in found]


def data(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.row("C2", "C3")
@pytest.mark.parametrize("prefix", ["/teams/{team_id}", "teams/{int:team_id}/"])
@pytest.mark.parametrize("router_class", [Router, ninja.Router])
@pytest.mark.parametrize("api_class", [NinjaAPI, ninja.NinjaAPI])
def test_a_prefix_names_path_parameters(
    api_class: Any, router_class: Any, prefix: str, world: World
) -> None:
    """View and dependable read them from the path, whoever's router and API it is."""
    api = api_class(urls_namespace="api")
    router = router_class()
    routed(router, world)
    api.add_router(prefix, router)
    world.serve(api)
    assert parameters(api, "/teams/{team_id}/x") == [("path", "team_id")]
    assert data(world.get("/teams/3/x?team_id=9")) == [3, 3]


@pytest.mark.row("C2", "C3")
@pytest.mark.parametrize("api_class", [NinjaAPI, ninja.NinjaAPI])
def test_one_router_under_two_prefixes(api_class: Any, world: World) -> None:
    """In the path of one mount, a query parameter of the other."""
    api = api_class(urls_namespace="api")
    router = Router()
    routed(router, world)
    api.add_router("/teams/{team_id}", router)
    api.add_router("/all", router, url_name_prefix="all")
    world.serve(api)
    assert data(world.get("/teams/3/x")) == [3, 3]
    assert data(world.get("/all/x?team_id=4")) == [4, 4]
    assert parameters(api, "/teams/{team_id}/x") == [("path", "team_id")]
    assert parameters(api, "/all/x") == [("query", "team_id")]


@pytest.mark.row("C3")
def test_prefixes_of_nested_routers_add_up(world: World) -> None:
    """Each of them may bring a name."""

    def member(team_id: int, member_id: int) -> list[int]:
        return [team_id, member_id]

    api = NinjaAPI(urls_namespace="api")
    outer, inner = Router(), ninja.Router()

    @inner.get("/x")
    @inject
    @world.view
    def view(request: HttpRequest, found: Any = Depends(member)) -> Any:
        return found

    outer.add_router("/members/{member_id}", inner)
    api.add_router("/teams/{team_id}", outer)
    world.serve(api)
    assert data(world.get("/teams/3/members/4/x")) == [3, 4]


@pytest.mark.row("C3")
@pytest.mark.parametrize("level", ["api", "mount", "router", "nested mount"])
def test_inherited_dependencies_read_the_prefix(level: str, world: World) -> None:
    """Whatever level they are declared at, also for a plain view of a plain router."""
    seen: list[int] = []

    def note(team_id: int) -> None:
        seen.append(team_id)

    def given(here: str) -> Any:
        return [Depends(note)] if here == level else []

    api = NinjaAPI(urls_namespace="api", dependencies=given("api"))
    outer, inner = Router(dependencies=given("router")), ninja.Router()

    @inner.get("/x")
    @world.view
    def view(request: HttpRequest) -> int:
        return 1

    outer.add_router("/in", inner, dependencies=given("nested mount"))
    api.add_router("/teams/{team_id}", outer, dependencies=given("mount"))
    world.serve(api)
    assert data(world.get("/teams/3/in/x")) == 1
    assert seen == [3]
    assert parameters(api, "/teams/{team_id}/in/x") == [("path", "team_id")]


@pytest.mark.row("C2")
def test_a_stand_in_reads_the_prefix_too(world: World) -> None:
    """An override is read for the place where it stands in."""
    api = NinjaAPI(urls_namespace="api")
    router = Router()
    routed(router, world)
    api.add_router("/teams/{team_id}", router)
    world.serve(api)
    api.dependency_overrides[team] = lambda team_id: f"stand-in for {team_id}"
    assert data(world.get("/teams/3/x")) == [3, "stand-in for 3"]


def elsewhere(slug: Annotated[str, Path()]) -> str:
    return slug


@pytest.mark.row("C4")
@pytest.mark.parametrize("api_class", [NinjaAPI, ninja.NinjaAPI])
def test_a_path_that_nobody_has_is_not_the_clients_mistake(api_class: Any, world: World) -> None:
    """When a path lacks the name that Path() reads, then a request is a 500 with the way to it."""
    api = api_class(urls_namespace="api")

    @api.get("/{pk}/x")
    @inject
    @world.view
    def view(request: HttpRequest, pk: int, found: str = Depends(elsewhere)) -> Any:
        return found

    caught: list[PathParameterError] = []

    @api.exception_handler(PathParameterError)
    def keep(request: HttpRequest, error: PathParameterError) -> Any:
        caught.append(error)
        return api.create_response(request, "no", status=500)

    world.serve(api)
    assert world.get("/3/x").status_code == 500
    (error,) = caught
    assert [name for name, _ in error.path] == [None, "found"]
    assert error.path[1][1] is elsewhere
    assert str(error).startswith("Parameter 'slug' is read from the path, which does not hold it.")
    assert error.hint.startswith("Give it a name that the path holds ('pk'), or")


@pytest.mark.row("C4")
def test_the_sites_own_prefix_may_bring_an_explicit_path(api: NinjaAPI, world: World) -> None:
    """When the site's own prefix has the name, then Path() reads it from there, as in Ninja."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: str = Depends(elsewhere)) -> str:
        return found

    world.serve(api)
    world.settings.ROOT_URLCONF.urlpatterns = [path("<slug:slug>/", include([path("", api.urls)]))]
    assert data(world.get("/abc/x")) == "abc"


@pytest.mark.row("C4")
def test_bad_values_in_the_path_are_the_clients_mistake(api: NinjaAPI, world: World) -> None:
    """When the path has the name and the value is not valid, then the answer is a 422."""

    @api.get("/{slug}/x")
    @world.view
    def view(request: HttpRequest, slug: Annotated[int, Path(ge=5)]) -> int:
        return slug

    world.serve(api)
    assert [world.get(f"/{slug}/x").status_code for slug in ("a", "4", "5")] == [422, 422, 200]


@pytest.mark.row("C2")
def test_an_explicit_source_is_stronger_than_the_path(api: NinjaAPI, world: World) -> None:
    """Query() reads the query, whatever the path is called."""

    def explicit(pk: Annotated[int, Query()]) -> int:
        return pk

    @api.get("/{pk}")
    @world.view
    def view(request: HttpRequest, pk: int, found: int = Depends(explicit)) -> Any:
        return [pk, found]

    world.serve(api)
    assert data(world.get("/3?pk=4")) == [3, 4]
