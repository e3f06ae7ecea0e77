"""Custom Request and APIRoute class: code around a view and its dependencies."""

from typing import Annotated, Any

import pytest
from asgiref.sync import iscoroutinefunction
from ninja.decorators import decorate_view

from di import Depends, NinjaAPI


def timed(events: list[str]) -> Any:
    """Return what the page's TimedRoute is here: a decorator of the whole operation."""

    def decorate(operation: Any) -> Any:
        def finished(response: Any) -> Any:
            response.headers["X-Response-Time"] = str(len(events))
            events.append("timed")
            return response

        if iscoroutinefunction(operation):

            async def acall(*args: Any, **kwargs: Any) -> Any:
                events.append("started")
                return finished(await operation(*args, **kwargs))

            return acall

        def call(*args: Any, **kwargs: Any) -> Any:
            events.append("started")
            return finished(operation(*args, **kwargs))

        return call

    return decorate


@pytest.mark.row("K2")
def test_decorate_view_wraps_the_dependencies_too(world) -> None:
    """Its own code runs before the first of them and after the response was built."""
    events = world.events
    api = NinjaAPI(urls_namespace="api")

    def dependency():
        events.append("opened")
        yield "value"
        events.append("closed")

    @api.get("/timed")
    @decorate_view(timed(events))
    @world.view
    def read(request, value: Annotated[str, Depends(dependency, scope="function")]):
        events.append("view")
        return value

    world.serve(api)
    response = world.get("/timed")
    assert (response.json(), response.headers["X-Response-Time"]) == ("value", "4")
    assert events == ["started", "opened", "view", "closed", "timed"]
