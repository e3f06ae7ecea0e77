"""Callables that Ninja calls by itself, with nothing but the request: none may declare a marker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

from ninja import NinjaAPI
from ninja.constants import NOT_SET
from ninja.operation import Operation
from ninja.router import BoundRouter

from di.declared import own_markers
from di.exceptions import NotInjectedError
from di.markers import Marker
from di.unfilled import refuse_markers_of_host, refuse_unfilled

_HINT = (
    "Declare it where it is resolved: dependencies=[Depends(f)], with a function that raises"
    " HTTPException(401) instead of returning None. Or resolve it there:"
    " di.call(f, request=request)."
)


def refuse_in_auth(auth: Any) -> None:
    """Refuse dependencies in the object or the objects of an ``auth=``.

    Raises:
        NotInjectedError: one of them declares some, or a method that it calls does.
    """
    _refuse_marker(_listed(auth), "auth")
    for one in filter(callable, _listed(auth)):
        refuse_markers_of_host(one, "An object of auth=", 1, _HINT)


def refuse_in_throttle(throttle: Any) -> None:
    """Refuse dependencies in the throttle or the throttles of a ``throttle=``.

    Raises:
        NotInjectedError: a method of one of them declares some.
    """
    _refuse_marker(_listed(throttle), "throttle")
    for one in _listed(throttle):
        refuse_markers_of_host(one.allow_request, "A throttle", 1, _HINT)
        refuse_markers_of_host(one.wait, "A throttle", 0, _HINT)


def refuse_in_handler(handler: Callable[..., Any]) -> None:
    """Refuse dependencies in an exception handler.

    Raises:
        NotInjectedError: *handler* declares some, or a function that it calls does.
    """
    hint = "Resolve it there: di.call(f, request=request)."
    refuse_markers_of_host(handler, "An exception handler", 2, hint)


def refuse_in_controller(controller: Any) -> None:
    """Refuse dependencies in the constructor of a controller, which ninja_extra calls.

    Raises:
        NotInjectedError: the constructor declares some.
    """
    hint = "Resolve it in the method of the route: di.call(f, request=self.context.request)."
    refuse_markers_of_host(controller, "The constructor of a controller", 0, hint)


def refuse_in_options(options: Mapping[str, Any]) -> None:
    """Refuse dependencies in ``auth=`` and ``throttle=`` where they are written."""
    refuse_in_auth(options.get("auth"))
    refuse_in_throttle(options.get("throttle"))


def refuse_in_api(api: NinjaAPI) -> None:
    """Refuse dependencies in the parser and the renderer of *api*.

    Raises:
        NotInjectedError: a method that Ninja calls declares some.
    """
    hint = "Leave it out: Ninja calls this method by itself, for each request."
    refuse_markers_of_host(api.parser.parse_body, "A parser", 1, hint)
    refuse_markers_of_host(api.parser.parse_querydict, "A parser", 3, hint)
    refuse_markers_of_host(api.renderer.render, "A renderer", 2, hint)


def refuse_in_operations(routers: Iterable[BoundRouter]) -> None:
    """Refuse dependencies in all that the operations of *routers* are guarded with.

    Raises:
        NotInjectedError: an object of ``auth=`` or ``throttle=``, at any level, or a decorator
            of the operation declares some.
    """
    path_views = [one for router in routers for one in router.path_operations.values()]
    operations = [operation for path_view in path_views for operation in path_view.operations]
    # Operations share these objects.
    guards = {id(one): one for operation in operations for one in operation.auth_callbacks}
    throttles = {id(one): one for operation in operations for one in operation.throttle_objects}
    refuse_in_auth(list(guards.values()))
    refuse_in_throttle(list(throttles.values()))
    for operation in operations:
        _refuse_in_decorators(operation)


def _refuse_in_decorators(operation: Operation) -> None:
    """Refuse dependencies of functions that decorators put around *operation* or its view."""
    if operation.view_func is not operation.signature.view_func:
        refuse_unfilled(operation.view_func)
    decorated = vars(operation).get("run")
    while isinstance(decorated, FunctionType):  # until Ninja's own method
        for name in own_markers(decorated):
            problem = (
                f"A decorator of an operation declares a dependency, {name!r}, but nothing"
                " would ever fill it."
            )
            hint = "Declare it where it is resolved: dependencies=[Depends(f)]."
            raise NotInjectedError(problem, path=[(None, decorated)], hint=hint)
        decorated = vars(decorated).get("__wrapped__")


def _refuse_marker(values: Iterable[Any], option: str) -> None:
    for one in values:
        if isinstance(one, Marker):
            problem = f"{option}= has {one!r}, which Ninja cannot call."
            raise NotInjectedError(problem, hint=f"Write dependencies=[{one!r}] instead.")


def _listed(value: Any) -> Iterable[Any]:
    if value is None or value is NOT_SET:
        return ()
    return value if isinstance(value, list | tuple) else (value,)
