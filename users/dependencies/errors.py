"""What a refusal looks like over HTTP (RFC 6749 §5.2, RFC 6750 §3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest
from ninja.errors import ValidationError as InvalidInputError

from di import database_errors
from di.http import HTTPException
from di.markers import Depends
from users import audit, exceptions


class TokenRequestError(HTTPException):
    """A request for a token that is refused (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, description, {"Pragma": "no-cache"})
        self.error = error

    def body(self) -> dict[str, Any]:
        """Return the answer's body: the API's own format and the RFC's."""
        return {"detail": self.detail, "error": self.error, "error_description": self.detail}


def answer_to(error: exceptions.UsersError) -> HTTPException:
    """Return what a broken rule means over HTTP."""
    headers = {}
    if isinstance(error, exceptions.ThrottledError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, exceptions.BusyError):
        headers["Retry-After"] = "1"
    return HTTPException(_STATUS[type(error)], str(error), headers)


_STATUS: dict[type[exceptions.UsersError], int] = {
    exceptions.UserNotFoundError: 404,
    exceptions.TokenNotFoundError: 404,
    exceptions.EmailTakenError: 409,
    exceptions.ProtectedUserError: 403,
    exceptions.OwnPasswordError: 403,
    exceptions.UndeletableUserError: 409,
    exceptions.WrongCredentialsError: 400,
    exceptions.InvalidScopeError: 400,
    exceptions.ThrottledError: 429,
    exceptions.BusyError: 503,
}


def rules(request: HttpRequest) -> Iterator[None]:
    """Answer a broken rule as `answer_to` says, and note whose request it was.

    What is asked of the database outside a session fails as it does inside one: 503 if it
    may work the next time.
    """
    with audit.caused_by(request):
        try:
            yield
        except exceptions.UsersError as error:
            raise answer_to(error) from error
        except DatabaseError as error:
            if (answer := database_errors.answer_to(error)) is None:
                raise
            raise answer from error


def token_rules() -> Iterator[None]:
    """Answer a broken rule as RFC 6749 §5.2 says, if it is one of those there."""
    try:
        yield
    except exceptions.WrongCredentialsError as error:
        raise TokenRequestError("invalid_grant", str(error)) from error
    except exceptions.InvalidScopeError as error:
        raise TokenRequestError("invalid_scope", str(error)) from error


RulesDep = Depends(rules, scope="function")
TokenRulesDep = Depends(token_rules, scope="function")


def challenge(**attributes: str) -> dict[str, str]:
    """Return the header that asks for a token (RFC 6750 §3).

    Its values come from this app, never from a request.
    """
    parts = {"realm": "api", **attributes}
    value = ", ".join(f'{name}="{text}"' for name, text in parts.items())
    return {"WWW-Authenticate": f"Bearer {value}"}


def not_authenticated() -> HTTPException:
    """Return the refusal of a request without credentials: RFC 6750 §3.1 wants no error code."""
    return HTTPException(401, "Not authenticated", challenge())


def invalid_input(*place: str, text: str) -> InvalidInputError:
    """Return a 422 in Ninja's own format: where, and what is wrong there."""
    return InvalidInputError([{"type": "value_error", "loc": place, "msg": text}])
