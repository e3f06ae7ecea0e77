"""What type checkers are told of Ninja's parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import ninja
import pytest
from django.http import HttpRequest

from di import NinjaAPI, Router, options


def view(request: HttpRequest) -> None: ...


@pytest.mark.parametrize(
    ("told", "theirs"),
    [
        (options.RouteOptions, ninja.Router.get),
        (options.RouteOptions, ninja.NinjaAPI.get),
        (options.RouteOptions, ninja.NinjaAPI.api_operation),
        (options.OperationOptions, ninja.Router.add_api_operation),
        (options.RouterOptions, ninja.Router.__init__),
        (options.MountOptions, ninja.Router.add_router),
        (options.APIMountOptions, ninja.NinjaAPI.add_router),
        (options.APIOptions, ninja.NinjaAPI.__init__),
    ],
)
def test_they_are_those_of_the_installed_ninja(told: Any, theirs: Callable[..., Any]) -> None:
    """Each by its name; what a new Ninja adds or drops is seen here."""
    parameters = inspect.signature(theirs).parameters.values()
    positional = {"self", "path", "methods", "view_func", "prefix", "router"}
    names = {one.name for one in parameters} - positional
    assert set(told.__annotations__) - {"dependencies"} == names


@pytest.mark.parametrize(
    "make",
    [
        lambda: NinjaAPI(nobody=1),  # type: ignore[call-arg]
        lambda: Router(nobody=1),  # type: ignore[call-arg]
        lambda: NinjaAPI().get("/x", nobody=1)(view),  # type: ignore[call-arg]
        lambda: Router().get("/x", nobody=1)(view),  # type: ignore[call-arg]
        lambda: NinjaAPI().add_router("/x", Router(), nobody=1),  # type: ignore[call-arg]
        lambda: Router().add_router("/x", Router(), nobody=1),  # type: ignore[call-arg]
    ],
)
def test_what_ninja_does_not_know_it_refuses_itself(make: Any) -> None:
    """At run time nothing of theirs is filtered, or added to."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'nobody'"):
        make()
