"""A unit of work on Django's ORM, as a dependable."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Annotated, Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.db.models import Model, QuerySet

from di.database_errors import ANSWERED, answer_to
from di.exceptions import LostWrite
from di.lifetimes import Outcome
from di.markers import Depends, always

_Model = TypeVar("_Model", bound=Model)

_Call = TypeVar("_Call", bound=Callable[..., Any])

_FIRST_ERROR_STATUS = 400
_POSTGRES_IN_ERROR = 3  # libpq's PQTRANS_INERROR; above it is only PQTRANS_UNKNOWN


class ReadSession:
    """Queries without a transaction, on the database that the router reads from.

    The router gets the session as the hint ``session``. By it, a router can send the queries
    of sessions to a replica, and leave the other queries where they are.

    Attributes:
        using: the alias of the database; None leaves it to the router.
    """

    def __init__(self, using: str | None = None) -> None:
        self.using = using

    def query(self, model: type[_Model]) -> QuerySet[_Model]:
        """Return all rows of *model*, to be filtered."""
        using = self.using or router.db_for_read(model, session=self)
        return model._default_manager.using(using)  # noqa: SLF001 - Django's documented name


class Session:
    """A transaction on one database, committed if and only if the request succeeds.

    It is committed after the response was built and before it is sent, if its status is
    below 400; otherwise, and on every exception, it is rolled back. Plain ORM calls on
    the same alias belong to it.

    Attributes:
        using: the alias of its database.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using
        self.is_rolled_back = False

    def query(self, model: type[_Model]) -> QuerySet[_Model]:
        """Return all rows of *model*, to be filtered."""
        return model._default_manager.using(self.using)  # noqa: SLF001 - Django's documented name

    def add(self, instance: Model) -> None:
        """Write *instance*: insert it, or update its row."""
        instance.save(using=self.using)

    async def aadd(self, instance: Model) -> None:
        """See `add`."""
        await sync_to_async(self.add)(instance)

    def delete(self, instance: Model) -> None:
        """Delete the row of *instance*."""
        instance.delete(using=self.using)

    async def adelete(self, instance: Model) -> None:
        """See `delete`."""
        await sync_to_async(self.delete)(instance)

    def refresh(self, instance: Model) -> None:
        """Read *instance* again from its row."""
        instance.refresh_from_db(using=self.using)

    async def arefresh(self, instance: Model) -> None:
        """See `refresh`."""
        await sync_to_async(self.refresh)(instance)

    def atomic(self) -> AbstractContextManager[None]:
        """Return a savepoint: what fails inside it is undone, the rest is kept."""
        return transaction.atomic(using=self.using)

    @asynccontextmanager
    async def aatomic(self) -> AsyncIterator[None]:
        """See `atomic`."""
        savepoint = transaction.atomic(using=self.using)
        await sync_to_async(savepoint.__enter__)()
        try:
            yield
        except BaseException as error:
            await sync_to_async(savepoint.__exit__)(type(error), error, error.__traceback__)
            raise
        await sync_to_async(savepoint.__exit__)(None, None, None)

    def on_commit(self, function: Callable[[], object]) -> None:
        """Call *function* after the commit; what it raises is logged, not answered."""
        transaction.on_commit(function, using=self.using, robust=True)

    def rollback(self) -> None:
        """Undo everything, and nothing more will be written; the answer stays as it is."""
        self.is_rolled_back = True
        transaction.set_rollback(True, using=self.using)

    async def arollback(self) -> None:
        """See `rollback`."""
        await sync_to_async(self.rollback)()


def _named(call: _Call, using: str) -> _Call:
    call.__qualname__ = f"{call.__name__}[{using}]"
    return call


@functools.cache
def session_on(using: str) -> Callable[[Outcome], Iterator[Session]]:
    """Return the dependable that yields a `Session` on *using*, the same one each time."""

    @always("function")
    def get_session(outcome: Outcome) -> Iterator[Session]:
        session = Session(using)
        try:
            with transaction.atomic(using=using):
                yield session
                _settle(session, outcome)
        except ANSWERED as error:
            if (answer := answer_to(error)) is not None:
                raise answer from error
            raise

    return _named(get_session, using)


@functools.cache
def read_session_on(using: str) -> Callable[[], ReadSession]:
    """Return the dependable that returns a `ReadSession` on *using*."""

    def get_read_session() -> ReadSession:
        return ReadSession(using)

    return _named(get_read_session, using)


get_session = session_on(DEFAULT_DB_ALIAS)


def get_read_session() -> ReadSession:
    """Return a `ReadSession` on whatever database the router reads from."""
    return ReadSession()


SessionDep = Annotated[Session, Depends(get_session)]
ReadSessionDep = Annotated[ReadSession, Depends(get_read_session)]


def _settle(session: Session, outcome: Outcome) -> None:
    """Decide at a successful end whether the transaction may commit.

    Raises:
        LostWrite: it cannot, and the answer would have said that it did.
    """
    failed = outcome.status_code is not None and outcome.status_code >= _FIRST_ERROR_STATUS
    if failed or session.is_rolled_back:
        transaction.set_rollback(True, using=session.using)
    elif is_lost(session.using):
        problem = f"The transaction on {session.using!r} was already marked for rollback."
        hint = (
            "Catch database errors outside `with session.atomic():`; if nothing is to be"
            " kept, call session.rollback()."
        )
        raise LostWrite(problem, hint=hint)


def is_lost(using: str) -> bool:
    """Whether the ORM or the database will not commit the open transaction."""
    connection = connections[using]
    if connection.needs_rollback:
        return True
    is_open = _IS_OPEN.get(connection.vendor)
    return is_open is not None and not is_open(connection.connection)


_IS_OPEN: dict[str, Callable[[Any], bool]] = {
    # Idle is fine: the driver begins with the first query, and there may be none.
    "postgresql": lambda raw: int(raw.info.transaction_status) < _POSTGRES_IN_ERROR,
    "sqlite": lambda raw: bool(raw.in_transaction),
}
"""Whether the driver still has the transaction that Django began."""
