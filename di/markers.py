"""What a signature says: `Depends`, `Security`, `SecurityScopes`, `dependable`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeVar, get_args

from di.exceptions import InvalidScopesError, NotInjectedError, UnknownScopeError
from di.foreign import explained
from di.limits import Limiter
from di.rendering import describe

Scope = Literal["function", "request", "app"]
"""The life of a dependable's value: until the response is built, until it is sent, or until
the process ends."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Shortest life first."""

INJECTING_HINT = (
    "Put @inject from di directly above the view, below its route decorator,"
    " or create the API and its routers with di.NinjaAPI and di.Router."
)

_Call = TypeVar("_Call", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, repr=False)
class Marker:
    """A parameter is filled by calling *dependency*.

    A marker that reaches Ninja belongs to a view that nothing injects: Ninja would take
    its parameter for a query parameter and never call the dependency. The two methods
    that Ninja and pydantic use on the way refuse it instead.

    One with a *limiter* equals itself only: the caches of `typing` must not merge two.
    """

    dependency: Callable[..., Any] | None = None
    use_cache: bool = True
    scope: Scope | None = None
    limiter: Limiter | None = None

    def __repr__(self) -> str:
        return f"Depends({', '.join(self._arguments())})"

    def __eq__(self, other: object) -> bool:
        if other is inspect.Parameter.empty:
            self._refuse()
        return type(self) is type(other) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __bool__(self) -> NoReturn:
        """Refuse to pass for a user that is there: the marker was taken for its value."""
        problem = f"{self!r} was taken for the value that it stands for: nothing has called it."
        hint = "Pass the value on, or let the caller show its dependencies by functools.wraps."
        raise NotInjectedError(problem, hint=hint)

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> NoReturn:
        self._refuse()

    def _fields(self) -> tuple[object, ...]:
        name = type(self).__name__
        return (name, self.dependency, self.use_cache, self.scope, self.limiter)

    def _arguments(self) -> list[str]:
        arguments = []
        if self.dependency is not None:
            arguments.append(getattr(self.dependency, "__name__", repr(self.dependency)))
        if not self.use_cache:
            arguments.append("use_cache=False")
        if self.scope is not None:
            arguments.append(f"scope={self.scope!r}")
        if self.limiter is not None:
            arguments.append(f"max_concurrency={self.limiter.number}")
        return arguments

    def _refuse(self) -> NoReturn:
        problem = f"A view declares {self!r}, but nothing would ever call it."
        raise NotInjectedError(problem, hint=INJECTING_HINT)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SecurityMarker(Marker):
    """A `Marker` that requires OAuth2 scopes of all that it leads to."""

    oauth_scopes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        arguments = self._arguments()
        if self.oauth_scopes:
            arguments.append(f"scopes={list(self.oauth_scopes)!r}")
        return f"Security({', '.join(arguments)})"

    def _fields(self) -> tuple[object, ...]:
        # Zero-argument super() does not survive the class that slots=True makes anew.
        return (*Marker._fields(self), self.oauth_scopes)


@explained(
    "Write Depends(f, use_cache=..., scope=..., max_concurrency=...); OAuth2 scopes go into"
    " Security(f, scopes=[...])."
)
def Depends(  # noqa: N802 - the name that FastAPI gave it
    dependency: Callable[..., Any] | None = None,
    *,
    use_cache: bool = True,
    scope: Scope | None = None,
    max_concurrency: int | None = None,
) -> Any:
    """Fill a parameter with what *dependency* returns or yields.

    Args:
        dependency: any callable; without it the parameter's own annotation is called.
        use_cache: share the value with every other use in the same request.
        scope: when a generator is closed: "function" before the response is sent,
            "request" (its default) after. "app": called once in this process, for all
            requests, and closed when the process ends.
        max_concurrency: how many requests may be inside *dependency* at once, a generator
            until it is closed. Others wait, in a coroutine without holding a thread. The
            slots belong to this marker, wherever it is used.

    Raises:
        UnknownScopeError: *scope* is none of these.
        InvalidLimitError: *max_concurrency* is not a positive integer.
    """
    return Marker(dependency, use_cache, _known(scope), _limiter(max_concurrency))


@explained("Write Security(f, scopes=[...], use_cache=..., scope=..., max_concurrency=...).")
def Security(  # noqa: N802 - the name that FastAPI gave it
    dependency: Callable[..., Any] | None = None,
    *,
    scopes: Sequence[str] | None = None,
    use_cache: bool = True,
    scope: Scope | None = None,
    max_concurrency: int | None = None,
) -> Any:
    """Like `Depends`, and require OAuth2 *scopes* of *dependency* and all below it.

    Raises:
        InvalidScopesError: *scopes* is one string, not a sequence of them.
    """
    limiter = _limiter(max_concurrency)
    return SecurityMarker(dependency, use_cache, _known(scope), limiter, _oauth_scopes(scopes))


class SecurityScopes:
    """The OAuth2 scopes required where a dependable is used, outermost first.

    A dependable gets one by declaring a parameter of this type.

    Attributes:
        scopes: each required scope once.
        scope_str: the same, separated by spaces, as RFC 6750 writes them.
    """

    def __init__(self, scopes: Sequence[str] | None = None) -> None:
        self.scopes: list[str] = list(scopes or ())
        self.scope_str: str = " ".join(self.scopes)

    def __repr__(self) -> str:
        return f"SecurityScopes({self.scopes!r})"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What `dependable` noted on a callable."""

    scope: Scope | None = None
    is_fixed: bool = False
    is_blocking: bool = True


def dependable(
    _given: None = None, /, *, scope: Scope | None = None, blocking: bool = True
) -> Callable[[_Call], _Call]:
    """Note on a dependable what its markers need not say.

    Args:
        scope: its default, used where its markers name none.
        blocking: False promises of a sync function or class that it neither waits nor
            queries: an async view calls it on its event loop, which saves the way to a
            thread. Django refuses queries there.

    Raises:
        TypeError: it was given the dependable itself, or anything else without its name.
    """
    if _given is not None:
        message = (
            f"dependable() was given {describe(_given)}."
            ' Write @dependable(...), with parentheses and names: @dependable(scope="app").'
        )
        raise TypeError(message)
    return _note(Defaults(_known(scope), is_blocking=blocking))


def always(scope: Scope) -> Callable[[_Call], _Call]:
    """Give a dependable a *scope* that no marker may change."""
    return _note(Defaults(_known(scope), is_fixed=True))


def defaults_of(call: Callable[..., Any]) -> Defaults:
    """Return what `dependable` noted on *call*, or nothing in particular.

    What is noted on a class is true of the class as a dependable, and neither of its
    instances nor of its subclasses.
    """
    noted = getattr(call, "__dict__", {}).get("__di_defaults__")
    return noted if isinstance(noted, Defaults) else Defaults()


def _note(defaults: Defaults) -> Callable[[_Call], _Call]:
    def decorate(call: _Call) -> _Call:
        call.__di_defaults__ = defaults  # type: ignore[attr-defined]
        return call

    return decorate


def _oauth_scopes(scopes: Iterable[str] | None) -> tuple[str, ...]:
    problem = f"Security(scopes={scopes!r}) is not a list of scopes."
    hint = 'Write scopes=["items"], one string a scope.'
    if isinstance(scopes, str) or not isinstance(scopes, Iterable | None):
        raise InvalidScopesError(problem, hint=hint)
    names = tuple(scopes or ())  # once: an iterator would be empty the second time
    if not all(isinstance(one, str) for one in names):
        raise InvalidScopesError(problem, hint=hint)
    return names


def _limiter(number: int | None) -> Limiter | None:
    return None if number is None else Limiter(number)


def _known(scope: Scope | None) -> Scope | None:
    if scope is None or scope in SCOPES:
        return scope
    problem = f"There is no scope {scope!r}."
    names = " or ".join(f'"{one}"' for one in SCOPES)
    hint = f"Use {names}; OAuth2 scopes go into Security(..., scopes=[...])."
    raise UnknownScopeError(problem, hint=hint)
