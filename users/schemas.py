"""What goes in and out of the API."""

from __future__ import annotations

from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, SecretStr, StringConstraints

from users.text import LONGEST_EMAIL, LONGEST_NAME, normalize_email, normalize_name

_LONGEST_PASSWORD = 128

Name = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(normalize_name),
    Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_NAME}),
]
Email = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(normalize_email),
    Field(json_schema_extra={"format": "email", "maxLength": LONGEST_EMAIL}),
]
Password = Annotated[
    SecretStr,
    Field(strict=False, max_length=_LONGEST_PASSWORD, json_schema_extra={"minLength": 12}),
]


class UserOut(Schema):
    """A user, as anybody who may see them sees them."""

    id: int
    name: str
    email: str


class _Input(Schema):
    """What a client sends: nothing that is not asked for, and never repeated in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class UserCreate(_Input):
    """A new user. Without a password nobody can log in as them yet."""

    name: Name
    email: Email
    password: Password = Field(default_factory=lambda: SecretStr(""))


class UserUpdate(_Input):
    """What is to change about a user; what is left out stays."""

    name: Name = Field(default_factory=str)
    email: Email = Field(default_factory=str)
    password: Password = Field(default_factory=lambda: SecretStr(""))
    is_active: Annotated[bool, Field(strict=True)] = Field(default_factory=bool)


class MeUpdate(_Input):
    """What users may change about themselves."""

    name: Name = Field(default_factory=str)
    email: Email = Field(default_factory=str)


class TokenOut(Schema):
    """An access token, shown this one time (RFC 6749 §5.1)."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of a kind
    expires_in: int
    scope: str
