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

        No login is ever locked for everybody: too many failures of one login, from
        wherever, shut out only clients from which it never succeeded.

        Raises:
            ThrottledError: there were too many.
        """
        _limit("login_client", self.login, self.client)
        _limit("client", self.client)
        try:
            _limit("login", self.login)
        except ThrottledError:
            if not crud.is_remembered("known", self.login, self.client):
                raise

    def withdraw(self) -> None:
        """Undo `count`: nobody looked whether it is a failure."""
        crud.take_back("login_client", self.login, self.client)
        crud.take_back("client", self.client)
        crud.take_back("login", self.login)

    def succeed(self) -> None:
        """Note that the attempt was no failure."""
        self.withdraw()
        crud.forget("login_client", self.login, self.client)
        crud.remember("known", self.login, self.client, seconds=_A_CLIENT_IS_KNOWN_FOR)


def attempt_of(request: HttpRequest, login: str) -> Attempt:
    """Return the attempt that *request* makes with *login*, whatever that is."""
    try:
        spelled = normalize_email(login)
    except ValueError:
        spelled = fold_login(login)
    return Attempt(spelled, client_of(request))


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
