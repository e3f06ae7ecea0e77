"""What goes in and out of the API."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from users.text import LONGEST_EMAIL, LONGEST_NAME, normalize_email, normalize_name

LONGEST_SECRET = 4_096
"""Characters of what may be a password at a login; more is not even hashed."""

LONGEST_PASSWORD = 128
"""Characters of a new password."""

PRIVILEGES = frozenset({"is_staff", "is_superuser", "groups"})
"""Fields of `UserUpdate` that need the scope `users:admin`."""

_LARGEST_GROUP_ID = 2**31 - 1
_MOST_GROUPS = 100


def _hashable(secret: SecretStr) -> SecretStr:
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write
        message = "This is not text"
        raise ValueError(message) from None
    return secret


Name = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(normalize_name),
    Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_NAME}, examples=["Ann"]),
]
Email = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(normalize_email),
    Field(
        json_schema_extra={"format": "email", "maxLength": LONGEST_EMAIL},
        examples=["ann@example.com"],
    ),
]
Password = Annotated[
    SecretStr,
    Field(
        strict=False,
        max_length=LONGEST_PASSWORD,
        json_schema_extra={"minLength": 12},
        examples=["correct horse battery"],
    ),
    AfterValidator(_hashable),
]
Secret = Annotated[
    SecretStr,
    Field(
        strict=False,
        min_length=1,
        max_length=LONGEST_SECRET,
        examples=["correct horse battery"],
    ),
    AfterValidator(_hashable),
]
Flag = Annotated[bool, Field(strict=True)]


def _each_once(ids: list[int]) -> list[int]:
    if len(set(ids)) != len(ids):
        message = "Give each once"
        raise ValueError(message)
    return sorted(ids)


GroupIds = Annotated[
    list[Annotated[int, Field(strict=True, ge=1, le=_LARGEST_GROUP_ID)]],
    Field(max_length=_MOST_GROUPS),
    AfterValidator(_each_once),
]


class UserOut(BaseModel, from_attributes=True):
    """A user, as anybody who may see them sees them.

    Not Ninja's `Schema`, whose way to look for each attribute, through relations and
    methods, costs a list of users more than its query.
    """

    id: int
    name: str
    email: str


class MeOut(UserOut):
    """The caller, and what they may do with the credentials of this request."""

    scopes: list[str] = Field(description="The scopes whose operations would not be refused.")
    permissions: list[str] = Field(description="The permissions on users that the caller holds.")


class ItemOut(Schema):
    """Something that belongs to a user."""

    item_id: str
    owner: str


class _Input(Schema):
    """What a client sends: nothing that is not asked for, and never repeated in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class UserCreate(_Input):
    """A new user. Without a password nobody can log in as them yet."""

    name: Name
    email: Email
    password: Password = Field(default_factory=lambda: SecretStr(""))


class UserUpdate(_Input):
    """What is to change about a user; what is left out stays. Groups are given by id."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Ann", "email": "ann@example.com"}]}
    )

    name: Name = Field(default_factory=str)
    email: Email = Field(default_factory=str)
    password: Password = Field(default_factory=lambda: SecretStr(""))
    is_active: Flag = Field(default_factory=bool)
    is_staff: Flag = Field(default_factory=bool)
    is_superuser: Flag = Field(default_factory=bool)
    groups: GroupIds = Field(default_factory=list)


class MeUpdate(_Input):
    """What users may change about themselves."""

    name: Name = Field(default_factory=str)
    email: Email = Field(default_factory=str)


class PasswordChange(_Input):
    """A new password, by who knows the current one."""

    current_password: Secret
    new_password: Password


class SessionCreate(_Input):
    """What a browser logs in with."""

    email: Annotated[
        str,
        StringConstraints(strict=True, max_length=LONGEST_SECRET),
        Field(examples=["ann@example.com"]),
    ]
    password: Secret


class CsrfOut(Schema):
    """What a page must send in ``X-CSRFToken`` with every unsafe request."""

    csrf_token: str


class TokenOut(Schema):
    """An access token, shown this one time (RFC 6749 §5.1)."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of a kind
    expires_in: int
    scope: str


class TokenErrorOut(Schema):
    """Why a request for a token was refused (RFC 6749 §5.2).

    Without an *error* it could not even be read.
    """

    detail: str
    error: str = Field(default_factory=str)
    error_description: str = Field(default_factory=str)


class TokenInfo(Schema):
    """An access token, as its user sees it later: without its secret."""

    key: str
    label: str
    scope: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    expires_at: dt.datetime
