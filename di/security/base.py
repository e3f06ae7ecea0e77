"""What every security scheme is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


class SecurityBase:
    """A dependable that reads credentials and is documented as a security scheme.

    Attributes:
        scheme_name: its name in ``components.securitySchemes``.
        model: its Security Scheme Object (OpenAPI 3.1 §4.8.27).
        auto_error: whether it refuses a request without credentials; otherwise its value
            is None then.
    """

    def __init__(
        self,
        model: dict[str, Any],
        *,
        scheme_name: str | None,
        description: str | None,
        auto_error: bool,
    ) -> None:
        self.scheme_name = scheme_name or type(self).__name__
        self.model = model if description is None else {**model, "description": description}
        self.auto_error = auto_error

    def make_not_authenticated_error(self) -> Exception:
        """Return the refusal of a request without credentials, for a subclass to change."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Raise that refusal, unless *auto_error* is off."""
        if self.auto_error:
            raise self.make_not_authenticated_error()


def find_scheme(call: Callable[..., Any]) -> SecurityBase | None:
    """Return the scheme that *call* is, also inside partials and wrappers."""
    while isinstance(call, functools.partial):
        call = call.func
    call = inspect.unwrap(call)
    return call if isinstance(call, SecurityBase) else None


def get_authorization_scheme_param(header: str | None) -> tuple[str, str]:
    """Split an ``Authorization`` header (RFC 9110 §11.6.2) at its first space.

    >>> get_authorization_scheme_param("Bearer   abc ")
    ('Bearer', 'abc')
    >>> get_authorization_scheme_param(None)
    ('', '')
    """
    scheme, _, param = (header or "").partition(" ")
    return scheme, param.strip()
