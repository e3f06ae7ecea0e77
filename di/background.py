"""What is done after the response was sent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
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
    """

    def __init__(self) -> None:
        self.tasks: list[BackgroundTask] = []

    def add_task(self, func: Callable[_P, object], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Call *func*, which may be async, with these arguments after the response."""
        self.tasks.append(BackgroundTask(func, args, kwargs))

    def run(self) -> None:
        """Call all from a sync caller."""
        for number, task in enumerate(self.tasks, 1):
            with self._named(number, task):
                call = bridged(task.func) if task.is_async else task.func
                call(*task.args, **task.kwargs)

    async def arun(self, hop: Hop) -> None:
        """See `run`. What is sync is called where the request's sync code runs."""
        for number, task in enumerate(self.tasks, 1):
            with self._named(number, task):
                if task.is_async:
                    await task.func(*task.args, **task.kwargs)
                else:
                    await hop(task.func, *task.args, **task.kwargs)

    @contextlib.contextmanager
    def _named(self, number: int, task: BackgroundTask) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            left = len(self.tasks) - number
            also = f"; {left} after it were not called" if left else ""
            error.add_note(f"Raised by the background task {describe(task.func)}{also}.")
            raise
