"""How many requests may use a dependable at once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from concurrent.futures import Future, InvalidStateError
from weakref import WeakSet

from di.exceptions import InvalidLimitError


class Limiter:
    """A number of slots, first come first served, for threads and event loops alike.

    Who waits in a coroutine holds no thread. Each process has slots of its own.

    Args:
        number: of slots, at least one.

    Raises:
        InvalidLimitError: *number* is anything else.
    """

    __slots__ = ("__weakref__", "free", "lock", "number", "waiting")

    def __init__(self, number: int) -> None:
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            problem = f"max_concurrency={number!r} is not a positive integer."
            hint = "Write max_concurrency=10, the number of calls at a time, or leave it out."
            raise InvalidLimitError(problem, hint=hint)
        self.number = number
        self.reset()
        _limiters.add(self)

    def reset(self) -> None:
        """Free all slots and forget who waits: they stayed in the parent of a fork."""
        self.lock = threading.Lock()
        self.free = self.number
        self.waiting: deque[Future[None]] = deque()

    def acquire(self) -> None:
        """Take a slot; wait in this thread until there is one."""
        ticket = self._draw_ticket()
        try:
            ticket.result()
        except BaseException:
            self._give_up(ticket)
            raise

    async def aacquire(self) -> None:
        """See `acquire`."""
        ticket = self._draw_ticket()
        if ticket.done():
            return
        try:
            await asyncio.wrap_future(ticket)
        except BaseException:
            self._give_up(ticket)
            raise

    def release(self) -> None:
        """Pass a slot on to who has waited longest, or keep it free."""
        with self.lock:
            while self.waiting:
                try:
                    self.waiting.popleft().set_result(None)
                except InvalidStateError:  # that one has given up
                    continue
                return
            self.free += 1

    def _draw_ticket(self) -> Future[None]:
        """Return what is done as soon as its holder has a slot."""
        ticket: Future[None] = Future()
        with self.lock:
            if self.free:
                self.free -= 1
                ticket.set_result(None)
            else:
                self.waiting.append(ticket)
        return ticket

    def _give_up(self, ticket: Future[None]) -> None:
        if not ticket.cancel():  # the slot came in the same moment
            self.release()


_limiters: WeakSet[Limiter] = WeakSet()


def _reset_all() -> None:  # pragma: no cover - in the child of a fork
    for limiter in list(_limiters):
        limiter.reset()


os.register_at_fork(after_in_child=_reset_all)
