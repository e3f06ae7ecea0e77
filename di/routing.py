"""Ninja's API and router, injecting by themselves and with dependencies of their own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar, Unpack

import ninja
from django.http import HttpRequest, HttpResponse
from ninja.errors import ConfigError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.router import RouterMount

from di.exceptions import DependencyError, NotCallableError, NotInjectedError
from di.foreign import (
    OF_APIS,
    OF_MOUNTS,
    OF_OPERATIONS,
    OF_ROUTERS,
    explained,
    missing_attribute,
    translating,
)
from di.graph import analyze
from di.host_calls import refuse_in_options
from di.http import ensure_handled
from di.markers import Marker
from di.openapi import secured_schema
from di.operation import inherit, inject_with, injection_of
from di.options import (
    APIMountOptions,
    APIOptions,
    Dependencies,
    MountOptions,
    OperationOptions,
    RouteOptions,
    RouterOptions,
)
from di.overrides import LiveStandIns
from di.rendering import describe, name_of

_MOUNTING = 'Write add_router("/prefix", router): the prefix comes first.'

_View = TypeVar("_View", bound=Callable[..., Any])


_NO_ATTRIBUTE = "The dependencies of a {kind} are given when it is made, and cannot be set later."


class _Routes:
    """The route decorators of Ninja, with ``dependencies=``.

    Ninja's own carry out everything else, so that its defaults hold, and a subclass that
    overrides one of them is called as it is in Ninja.
    """

    @property
    def dependencies(self) -> NoReturn:
        """Refuse to show the dependencies, or to take others, because views have them already."""
        kind = type(self).__name__
        raise AttributeError(_NO_ATTRIBUTE.format(kind=kind), name="dependencies", obj=self)

    @dependencies.setter
    def dependencies(self, _: object) -> NoReturn:
        kind = type(self).__name__
        raise NotInjectedError(
            _NO_ATTRIBUTE.format(kind=kind), hint=f"Write {kind}(dependencies=[...])."
        )

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[_View], _View]:
        """Route GET on *path*; *options* are Ninja's, and ``dependencies``."""
        return self._route(super().get, path, options)  # type: ignore[misc]

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[_View], _View]:
        """See `get`."""
        return self._route(super().post, path, options)  # type: ignore[misc]

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[_View], _View]:
        """See `get`."""
        return self._route(super().put, path, options)  # type: ignore[misc]

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[_View], _View]:
        """See `get`."""
        return self._route(super().patch, path, options)  # type: ignore[misc]

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[_View], _View]:
        """See `get`."""
        return self._route(super().delete, path, options)  # type: ignore[misc]

    def api_operation(
        self, methods: list[str], path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[_View], _View]:
        """Route *methods* on *path*; see `get`."""
        original = functools.partial(super().api_operation, methods)  # type: ignore[misc]
        return self._route(original, path, options)

    def __getattr__(self, name: str) -> Any:
        raise missing_attribute(self, name)

    def _route(
        self, original: Callable[..., Any], path: str, options: RouteOptions
    ) -> Callable[[_View], _View]:
        markers = _listed(options.pop("dependencies", ()))
        with translating("A route", options, OF_OPERATIONS):
            register = original(path, **options)

        def register_view(view: _View) -> _View:
            is_injected = not markers and self._injects(view)
            injected = view if is_injected else inject_with(view, markers)
            register(injected)
            _share_operation(injected, view)
            return view

        return register_view

    def _injects(self, view: Callable[..., Any]) -> bool:
        """Return True if *view* is injected without this decorator."""
        raise NotImplementedError


class Router(_Routes, ninja.Router):
    """Ninja's router, whose views may declare dependencies.

    Args:
        dependencies: resolved before those of each of its views, and of the routers
            mounted in it; their values are dropped.
        **kwargs: as Ninja's.
    """

    def __init__(self, *, dependencies: Dependencies = (), **kwargs: Unpack[RouterOptions]) -> None:
        with translating("Router", kwargs, OF_ROUTERS):
            refuse_in_options(kwargs)
            super().__init__(**kwargs)
        if listed := _listed(dependencies):
            self.add_decorator(_Inherited(listed), mode="view")

    def add_api_operation(
        self,
        path: str,
        methods: list[str],
        view_func: Callable[..., Any],
        *,
        dependencies: Dependencies = (),
        **kwargs: Unpack[OperationOptions],
    ) -> None:
        """Register *view_func*; *dependencies* come before those of its parameters."""
        view, markers = view_func, _listed(dependencies)
        if markers or not injection_of(view_func):
            view = inject_with(view_func, markers)
        with translating("A route", kwargs, OF_OPERATIONS):
            refuse_in_options(kwargs)
            super().add_api_operation(path, methods, view, **kwargs)
        _share_operation(view, view_func)

    def _injects(self, view: Callable[..., Any]) -> bool:
        del view
        return True  # add_api_operation does

    @explained(_MOUNTING)
    def add_router(
        self,
        prefix: str,
        router: ninja.Router | str,
        *,
        dependencies: Dependencies = (),
        **kwargs: Unpack[MountOptions],
    ) -> None:
        """Mount *router*, with *dependencies* for this place only."""
        with translating("add_router()", kwargs, OF_MOUNTS):
            refuse_in_options(kwargs)
            super().add_router(prefix, router, **kwargs)
        if listed := _listed(dependencies):
            prefix, mounted, tags = self._routers[-1]
            self._routers[-1] = (prefix, _Mount(mounted, listed), tags)  # type: ignore[assignment]


class NinjaAPI(_Routes, ninja.NinjaAPI):
    """Ninja's API, whose views may declare dependencies.

    Args:
        dependencies: resolved first, for every operation; their values are dropped.
        **kwargs: as Ninja's.

    Attributes:
        dependency_overrides: stand-ins by what they stand in for, as in FastAPI. They
            hold in every thread; `di.override` holds in one.
    """

    def __init__(self, *, dependencies: Dependencies = (), **kwargs: Unpack[APIOptions]) -> None:
        self.dependency_overrides: dict[Callable[..., Any], Callable[..., Any]] = LiveStandIns()
        kwargs["default_router"] = kwargs.get("default_router") or Router()
        with translating("NinjaAPI", kwargs, OF_APIS):
            refuse_in_options(kwargs)
            super().__init__(**kwargs)
        ensure_handled(self)
        if listed := _listed(dependencies):
            self.add_decorator(_Inherited(listed, self), mode="view")

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Return what dependables and views may set headers and cookies on; see Ninja's."""
        del request
        # Of text Django would look up the charset, which takes longer than all the rest.
        return HttpResponse(b"", content_type=self.get_content_type())

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the document, with the security that dependables enforce."""
        return secured_schema(self, path_prefix=path_prefix, path_params=path_params)

    @explained(_MOUNTING)
    def add_router(
        self,
        prefix: str,
        router: ninja.Router | str,
        *,
        dependencies: Dependencies = (),
        **kwargs: Unpack[APIMountOptions],
    ) -> None:
        """Mount *router*, with *dependencies* for this place only."""
        with translating("add_router()", kwargs, OF_MOUNTS):
            refuse_in_options(kwargs)
            super().add_router(prefix, router, **kwargs)
        if listed := _listed(dependencies):
            prefix, mounted, *rest = self._router_registrations[-1]
            entry = (prefix, _Mount(mounted, listed), *rest)
            self._router_registrations[-1] = entry

    def _injects(self, view: Callable[..., Any]) -> bool:
        return isinstance(self.default_router, Router) or injection_of(view) is not None


class _Inherited:
    """A decorator of Ninja's that adds dependencies to each operation it is put on.

    Ninja hands decorators down from API to routers in the order in which dependencies are
    resolved, and applies them to the copy of an operation that one mount owns.

    Args:
        dependencies: as `Router` has them.
        api: the only API whose operations have them. Ninja keeps the decorators of an API
            on its default router, which another API may share.
    """

    def __init__(self, dependencies: Dependencies, api: NinjaAPI | None = None) -> None:
        self.dependencies = _listed(dependencies)
        self.api = api
        try:
            analyze(_nothing, self.dependencies)  # a mistake surfaces where it was written
        except DependencyError as error:
            error.path = error.path[1:]  # there is no view yet
            raise

    def __call__(self, run: Callable[..., Any]) -> Callable[..., Any]:
        operation = _operation_of(run)
        if self.api is None or operation.api is self.api:
            inherit(operation, self.dependencies)
        return run


class _Mount:
    """A router, with the dependencies of one of the places where it is mounted."""

    def __init__(self, router: ninja.Router, dependencies: Dependencies) -> None:
        self.router = router
        self.inherited = _Inherited(dependencies)

    def __eq__(self, other: object) -> bool:
        return self.router == other

    def __hash__(self) -> int:
        return hash(self.router)

    def build_routers(
        self, prefix: str, inherited_decorators: list[Any], *args: Any, **kwargs: Any
    ) -> list[RouterMount]:
        """Hand the dependencies down as the innermost of what is inherited."""
        decorators = [*inherited_decorators, (self.inherited, "view")]
        return self.router.build_routers(prefix, decorators, *args, **kwargs)

    def _freeze(self) -> None:
        self.router._freeze()  # noqa: SLF001 - Ninja calls it on what it mounts


def _listed(dependencies: Dependencies) -> tuple[Any, ...]:
    if dependencies is None or isinstance(dependencies, Iterable):
        return tuple(dependencies or ())
    problem = f"dependencies={name_of(dependencies)} is not a list."
    marker = repr(dependencies) if isinstance(dependencies, Marker) else "Depends(f)"
    raise NotCallableError(problem, hint=f"Write dependencies=[{marker}].")


def _share_operation(registered: Callable[..., Any], view: Callable[..., Any]) -> None:
    """Let ``@decorate_view`` above the route decorator find the operation on *view* itself."""
    operation = getattr(registered, "_ninja_operation", None)
    if operation is not None:
        view._ninja_operation = operation  # type: ignore[attr-defined]  # noqa: SLF001 - Ninja's name


def _operation_of(run: Callable[..., Any]) -> Operation:
    """Return the operation whose ``run`` is somewhere inside *run*."""
    waiting = [run]
    while waiting:
        function = inspect.unwrap(waiting.pop())
        owner = getattr(function, "__self__", None)
        if isinstance(owner, Operation):
            return owner
        # A decorator without functools.wraps still holds what it calls.
        cells = getattr(function, "__closure__", None) or ()
        waiting.extend(cell.cell_contents for cell in cells if callable(cell.cell_contents))
    message = (
        f"A decorator hides the operation that it decorates: {describe(run)}."
        " Write @functools.wraps(run) above its inner function."
    )
    raise ConfigError(message)


def _nothing() -> None:
    """Stand as the view where there is none yet."""
