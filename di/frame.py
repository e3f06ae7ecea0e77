"""One request, while its dependables are resolved."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext

from di.background import BackgroundTasks
from di.lifetimes import Outcome, State


class Frame(State):
    """One request, as readers see it, and the errors that they found in it."""

    __slots__ = ("_outcome", "api", "errors", "path_params", "request", "response", "tasks")

    def __init__(
        self,
        request: HttpRequest,
        response: HttpResponse,
        api: NinjaAPI,
        path_params: dict[str, Any],
    ) -> None:
        super().__init__()
        self.request = request
        self.response = response
        self.api = api
        self.path_params = path_params
        self.errors: list[ValidationErrorContext[Any]] = []
        self._outcome: Outcome | None = None
        self.tasks: BackgroundTasks | None = None

    @property
    def outcome(self) -> Outcome:
        """How the view ends, for who asks."""
        if self._outcome is None:
            self._outcome = Outcome()
        return self._outcome

    @property
    def background(self) -> BackgroundTasks:
        """What is to be done after the response, for who asks."""
        if self.tasks is None:
            self.tasks = BackgroundTasks()
        return self.tasks

    def settle(self, status_code: int) -> None:
        """Tell who asked how the view has ended."""
        if self._outcome is not None:
            self._outcome.status_code = status_code

    def invalid(self) -> ValidationError:
        """Return the one error that tells all, each once, in the API's own format."""
        error = self.api.validation_error_from_error_contexts(self.errors)
        # By their texts: to compare each with each takes minutes for a body of 1 MiB.
        error.errors = list({repr(one): one for one in error.errors}.values())
        return error
