"""What every security scheme is."""

from __future__ import annotations

from typing import Any


class SecurityBase:
    """A dependable that reads credentials and is documented as a security scheme.

    Attributes:
        scheme_name: its name in ``components.securitySchemes``.
        model: its Security Scheme Object (OpenAPI 3.1 §4.8.27).
        auto_error: whether it refuses a request without credentials; otherwise its value
            is None then.
    """

    def __init__(self, model: dict[str, Any], scheme_name: str | None, *, auto_error: bool) -> None:
        self.scheme_name = scheme_name or type(self).__name__
        self.model = model
        self.auto_error = auto_error
