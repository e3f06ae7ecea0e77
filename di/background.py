"""What is done after the response was sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec

from di.bridge import bridged
from di.contexts import Hop
from di.inspection import kind_of
from di.rendering import describe

_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class BackgroundTask:
    """A function and what it is called with."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def is_async(self) -> bool:
        """Whether it has to be awaited."""
        return kind_of(self.func).is_async


class BackgroundTasks:
    """Functions to be called when the response has been sent, one after the other.

    A view or a dependable gets it by declaring a parameter of this type; a request has one
    for all. Nothing is called if the request ends in an exception. Dependables of scope
    "request" are still open, and see the exception of a task that fails: it is logged, and
    the tasks after it are not called.

    Attributes:
        tasks: in the order of their calls.
        is_over: whether the tasks have run, so that no other is called.
    """

    def __init__(self) -> None:
        self.tasks: list[BackgroundTask] = []
        self.is_over = False

    def add_task(self, func: Callable[_P, object], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Call *func*, which may be async, with these arguments after the response.

        Raises:
            RuntimeError: the tasks have run already. A request-scope generator is closed
                after them.
        """
        if self.is_over:
            message = (
                f"The background task {describe(func)} was added after the background tasks of"
                " its request had run, so nothing will call it. Add it before the yield."
            )
            raise RuntimeError(message)
        self.tasks.append(BackgroundTask(func, args, kwargs))

    def run(self) -> BaseException | None:
        """Call all from a sync caller; return what one has raised, which ends the row."""
        for number, task in enumerate(self.tasks, 1):
            call = bridged(task.func) if task.is_async else task.func
            try:
                call(*task.args, **task.kwargs)
            except BaseException as error:  # noqa: BLE001 - what is open sees it first
                return self._told(error, number, task)
        return None

    async def arun(self, hop: Hop) -> BaseException | None:
        """See `run`. What is sync is called where the request's sync code runs."""
        for number, task in enumerate(self.tasks, 1):
            try:
                if task.is_async:
                    await task.func(*task.args, **task.kwargs)
                else:
                    await hop(task.func, *task.args, **task.kwargs)
            except BaseException as error:  # noqa: BLE001 - what is open sees it first
                return self._told(error, number, task)
        return None

    def _told(self, error: BaseException, number: int, task: BackgroundTask) -> BaseException:
        left = len(self.tasks) - number
        also = f"; {left} after it were not called" if left else ""
        error.add_note(f"Raised by the background task {describe(task.func)}{also}.")
        return error
