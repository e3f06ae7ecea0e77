"""The errors that `di` raises."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from di.rendering import Path, draw_path


class DependencyError(Exception):
    """A mistake in how dependencies are declared or in how a dependable behaves.

    Attributes:
        problem: one sentence that says what is wrong.
        path: from the view to the culprit, pairs of parameter name and callable.
        other: the path to what the culprit contradicts, if that is somewhere else.
        hint: one imperative sentence that says what to do.
        check_id: the id under which the README explains it.
    """

    check_id: ClassVar[str] = "di.E000"

    def __init__(
        self,
        problem: str,
        *,
        path: Path = (),
        other: Path = (),
        hint: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = tuple(path)
        self.other = tuple(other)
        self.hint = hint

    def __str__(self) -> str:
        parts = [f"{self.problem} ({self.check_id})"]
        parts += [textwrap.indent(draw_path(one), "    ") for one in (self.path, self.other) if one]
        if self.hint:
            parts.append(f"Hint: {self.hint}")
        return "\n\n".join(parts)


class DependencyCycleError(DependencyError):
    """A dependable depends on itself."""

    check_id = "di.E001"


class DependencyScopeError(DependencyError):
    """A dependable uses another that is closed before it."""

    check_id = "di.E002"


class UnreadableAnnotationError(DependencyError):
    """An annotation names something that does not exist at run time."""

    check_id = "di.E003"


class NotCallableError(DependencyError):
    """`Depends` was given something that cannot be called."""

    check_id = "di.E004"


class NotInjectedError(DependencyError):
    """A view declares dependencies, but nothing would resolve them."""

    check_id = "di.E005"


class MarkerConflictError(DependencyError):
    """One parameter has two markers that contradict each other."""

    check_id = "di.E006"


class UnknownScopeError(DependencyError):
    """`scope=` names a life that does not exist."""

    check_id = "di.E007"


class InvalidScopesError(DependencyError):
    """`scopes=` is not a sequence of OAuth2 scopes."""

    check_id = "di.E008"


class BodyConflictError(DependencyError):
    """Two callables declare different bodies under one name."""

    check_id = "di.E009"


class UnsupportedParameterError(DependencyError):
    """A parameter of a dependable cannot be filled."""

    check_id = "di.E010"


class StreamingSessionError(DependencyError):
    """A streaming operation uses a session, which is closed before the first byte is sent."""

    check_id = "di.E011"


class SecuritySchemeConflictError(DependencyError):
    """Two security schemes have one name."""

    check_id = "di.E012"


class PathParameterError(DependencyError):
    """A callable reads a name from the path, and no path of it has that name."""

    check_id = "di.E013"


class InvalidLimitError(DependencyError, ValueError):
    """`max_concurrency=` is not a positive integer, or limits a value that exists once."""

    check_id = "di.E014"


class DependencyDepthError(DependencyError):
    """Dependables are nested deeper than any reader could follow."""

    check_id = "di.E015"


class BlockingGeneratorError(DependencyError):
    """A generator is marked with `blocking=False`."""

    check_id = "di.E016"


class UnknownMarkerError(DependencyError):
    """Something in the place of a marker is not one of `di`, so nothing would call it."""

    check_id = "di.E017"


class UnsupportedArgumentError(DependencyError, TypeError):
    """A function of `di` was called with an argument that it does not take."""

    check_id = "di.E018"


class NotInstalledError(DependencyError):
    """The app `di` is not installed, so nothing runs its checks."""

    check_id = "di.E019"


class GeneratorProtocolError(DependencyError):
    """A generator dependable did not yield exactly once."""

    check_id = "di.E100"


class LostWrite(DependencyError):  # noqa: N818 - the name says what happened
    """A successful answer would have been sent for a transaction that cannot commit."""

    check_id = "di.E101"


class MissingValueError(DependencyError):
    """Outside a request, an input has neither a value nor a default."""

    check_id = "di.E102"


class GreenThreadsError(DependencyError):
    """Async code was needed where threads are greenlets, none of which can run its loop."""

    check_id = "di.E103"
