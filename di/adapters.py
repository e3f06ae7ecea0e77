"""Objects of Django and Ninja in ``Depends(...)``: adapted so that they check, or refused.

None of them refuses a request by being called, so as a dependable each would let everybody in.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.errors import AuthenticationError
from ninja.security.base import AuthBase
from ninja.throttling import BaseThrottle
from ninja.utils import is_async_callable

from di.background import BackgroundTasks
from di.exceptions import NotCallableError
from di.graph import adapter
from di.host_calls import refuse_in_auth
from di.markers import SecurityScopes
from di.rendering import name_of
from di.security.base import SecurityBase
from di.sessions import ReadSession, Session


class NinjaAuth(SecurityBase):
    """One of Ninja's security objects as a dependable.

    It answers as ``auth=`` does: a falsy result is Ninja's `AuthenticationError`, a truthy
    one becomes ``request.auth`` and the dependable's value.

    Args:
        auth: the object, which Ninja would call with the request.
    """

    def __init__(self, auth: Any) -> None:
        super().__init__(
            dict(auth.openapi_security_schema),
            scheme_name=type(auth).__name__,
            description=None,
            auto_error=True,
        )
        self.auth = auth
        self.__di_original__ = auth

    def __call__(self, request: HttpRequest) -> Any:
        """Return what the object makes of *request*.

        Raises:
            AuthenticationError: that is falsy.
        """
        result = self.auth(request)
        if inspect.iscoroutine(result):  # of an object that does not say that it is async
            result = async_to_sync(_wait_for)(result)
        return _accept(request, result)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NinjaAuth) and other.auth is self.auth

    def __hash__(self) -> int:
        return id(self.auth)


class AsyncNinjaAuth(NinjaAuth):
    """See `NinjaAuth`."""

    async def __call__(self, request: HttpRequest) -> Any:
        """See `NinjaAuth.__call__`."""
        result = self.auth(request)
        return _accept(request, await result if inspect.isawaitable(result) else result)


@adapter
def adapt(call: Any) -> Any:
    """Return *call* as a dependable that checks.

    Raises:
        NotCallableError: it is a class, or an object, whose making checks nothing.
        NotInjectedError: it is a security object that declares dependencies.
    """
    if not issubclass(type(call), type):
        if _is_decorator(call):
            problem = f"{name_of(call)} decorates views, and checks nothing when it is depended on."
            hint = "Write a dependable that reads request.user and raises HTTPException(401)."
            raise NotCallableError(problem, hint=hint)
        if issubclass(type(call), BaseThrottle):
            _refuse_class(
                call, "is a throttle, which nothing would ask", f"throttle=[{_short(call)}(...)]"
            )
        return _adapted(call)
    for known, (problem, line) in _REFUSED.items():
        if issubclass(call, known):
            _refuse_class(call, problem, line.format(name=_short(call), lower=_short(call).lower()))
    frameworks = {base.__module__.partition(".")[0] for base in call.__mro__}
    if hasattr(call, "has_permission") and not frameworks.isdisjoint(_PERMISSIONS):
        line = "dependencies=[Depends(f)], with a function that raises HTTPException(403)"
        _refuse_class(call, "is a kind of permission, which nothing would ask", line)
    return call


def _adapted(call: Any) -> Any:
    if not issubclass(type(call), AuthBase) and not _is_like_auth(call):
        return call
    refuse_in_auth(call)
    is_async = (
        is_async_callable(call)
        or getattr(call, "is_async", False) is True
        or inspect.iscoroutinefunction(getattr(call, "authenticate", None))
    )
    return (AsyncNinjaAuth if is_async else NinjaAuth)(call)


def _is_like_auth(call: Any) -> bool:
    """Return True for an object that Ninja documents as a security scheme."""
    return isinstance(inspect.getattr_static(call, "openapi_security_schema", None), dict)


def _accept(request: HttpRequest, result: Any) -> Any:
    if not result:
        raise AuthenticationError
    request.auth = result  # type: ignore[attr-defined]
    return result


async def _wait_for(coroutine: Any) -> Any:
    return await coroutine


def _is_decorator(call: Any) -> bool:
    module = getattr(call, "__module__", None) or ""
    return inspect.isfunction(call) and module.startswith(_DECORATING)


def _refuse_class(call: Any, problem: str, line: str) -> None:
    raise NotCallableError(f"{name_of(call)} {problem}.", hint=f"Write {line}.")


def _short(call: Any) -> str:
    return (call if inspect.isclass(call) else type(call)).__name__


_DECORATING = (
    "django.contrib.auth.decorators",
    "django.utils.decorators",
    "django.views.decorators",
)

_PERMISSIONS = ("ninja_extra", "rest_framework")

_GIVEN = "is handed over by the host, and calling it would make another, empty one"

_REFUSED: Mapping[type, tuple[str, str]] = {
    AuthBase: ("is a kind of security object, and making one checks nothing", "Depends({name}())"),
    BaseThrottle: ("is a kind of throttle, and making one asks nothing", "throttle=[{name}(...)]"),
    Model: (
        "is a model, and calling it makes an empty, unsaved one, whoever asks",
        "a dependable that reads one, and depend on that: Depends(get_{lower})",
    ),
    QuerySet: ("is no query", "a dependable that returns one: Depends(f)"),
    BaseManager: ("is no query", "a dependable that returns one: Depends(f)"),
    Session: ("made by hand has no transaction", "session: SessionDep, or Depends(get_session)"),
    ReadSession: (
        "made by hand reads the database that the client names",
        "session: ReadSessionDep, or Depends(get_read_session)",
    ),
    HttpRequest: (_GIVEN, "request: {name}, without Depends"),
    HttpResponseBase: (_GIVEN, "response: {name}, without Depends"),
    BackgroundTasks: (_GIVEN, "tasks: {name}, without Depends"),
    SecurityScopes: (_GIVEN, "scopes: {name}, without Depends"),
}
"""Classes that cannot be depended on: what is wrong with each, and the line to write."""
