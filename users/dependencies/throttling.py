"""How often somebody may ask.

All counting is in the database and in transactions of its own: it holds for all processes
together, and a request that fails has been counted all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from users import audit, conf, crud
from users.clients import client_of
from users.exceptions import ThrottledError
from users.text import fold_login, normalize_email

_A_CLIENT_IS_KNOWN_FOR = 90 * 24 * 60 * 60


def throttle_anonymous(request: HttpRequest) -> None:
    """Count a request that anybody may send, by its client.

    Raises:
        ThrottledError: there were too many.
    """
    _limit("anonymous", client_of(request))


def throttle_user(user_id: int) -> None:
    """Count a request of a user.

    Raises:
        ThrottledError: there were too many.
    """
    _limit("user", str(user_id))


def throttle_address(user_id: int) -> None:
    """Count an e-mail address that a user asks for: the answer tells if it is taken.

    Raises:
        ThrottledError: there were too many.
    """
    _limit("address", str(user_id))


def lift(*, login: str | None, client: str | None) -> None:
    """Forget the failures of a login, of a client, or of that login from that client."""
    if login is not None:
        crud.forget("login", spell(login))
    if client is not None:
        crud.forget("client", client)
        crud.forget("anonymous", client)
    if login is not None and client is not None:
        for name in ("login_client", "suspect"):
            crud.forget(name, spell(login), client)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries to log in.

    Attributes:
        login: in its one spelling: others do not buy more attempts.
        client: from where.
    """

    login: str
    client: str

    def count(self) -> None:
        """Count the attempt as a failure, before anything is hashed.

        No login is ever locked: after too many failures of one login, from wherever, each
        client from which it never succeeded has a small budget of its own. The owner can
        log in from a new address, however many others try to.

        Raises:
            ThrottledError: there were too many.
        """
        _limit("login_client", self.login, self.client)
        _limit("client", self.client)
        try:
            _limit("login", self.login)
        except ThrottledError:
            if not crud.is_remembered("known", self.login, self.client):
                _limit("suspect", self.login, self.client)

    def withdraw(self) -> None:
        """Undo `count`: nobody looked whether it is a failure."""
        crud.take_back("login_client", self.login, self.client)
        crud.take_back("client", self.client)
        crud.take_back("login", self.login)
        crud.take_back("suspect", self.login, self.client)

    def succeed(self) -> None:
        """Note that the attempt was no failure."""
        self.withdraw()
        crud.forget("login_client", self.login, self.client)
        crud.remember("known", self.login, self.client, seconds=_A_CLIENT_IS_KNOWN_FOR)


def attempt_of(request: HttpRequest, login: str) -> Attempt:
    """Return the attempt that *request* makes with *login*, whatever that is."""
    return Attempt(spell(login), client_of(request))


def spell(login: str) -> str:
    """Return the one spelling of *login*, whatever it is."""
    try:
        return normalize_email(login)
    except ValueError:
        return fold_login(login)


def _limit(name: str, *subject: str) -> None:
    limit = conf.throttle(name)
    if limit is None:
        return
    most, seconds = limit
    hit = crud.count(name, *subject, seconds=seconds)
    if name == "login" and hit.count == most + 1:
        login = audit.pseudonym(subject[0])
        audit.record("login_under_attack", outcome="failure", login=login)
    if hit.count > most:
        raise ThrottledError(hit.retry_after)
