"""Users, passwords and tokens of the pages on OAuth2.

The pages sign JWTs with PyJWT and hash passwords with pwdlib. Django has both trades on
board, so its signing and its hashers stand in, and nothing is installed for a test: the token
is signed JSON with ``sub``, ``scope`` and ``exp`` either way, opaque to whoever carries it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from pydantic import BaseModel

SECRET_KEY = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"
ACCESS_TOKEN_EXPIRE_MINUTES = 30

DUMMY_HASH = make_password("dummypassword")
"""What the password of an unknown user is checked against, to take as long."""

fake_users_db = {
    "johndoe": {
        "username": "johndoe",
        "full_name": "John Doe",
        "email": "johndoe@example.com",
        "hashed_password": make_password("secret"),
        "disabled": False,
    },
    "alice": {
        "username": "alice",
        "full_name": "Alice Chains",
        "email": "alicechains@example.com",
        "hashed_password": make_password("secretalice"),
        "disabled": True,
    },
}

JOHN = {
    "username": "johndoe",
    "full_name": "John Doe",
    "email": "johndoe@example.com",
    "disabled": False,
}
"""What the API tells of him."""


class Token(BaseModel):
    access_token: str
    token_type: str


class User(BaseModel):
    username: str
    email: str | None = None
    full_name: str | None = None
    disabled: bool | None = None


class UserInDB(User):
    hashed_password: str


class InvalidTokenError(Exception):
    pass


def get_user(username: str) -> UserInDB | None:
    return UserInDB(**fake_users_db[username]) if username in fake_users_db else None


def authenticate_user(username: str, password: str) -> UserInDB | None:
    user = get_user(username)
    is_correct = check_password(password, user.hashed_password if user else DUMMY_HASH)
    return user if user and is_correct else None


def create_access_token(data: dict[str, Any], expires_delta: timedelta | None = None) -> str:
    expires = datetime.now(UTC) + (expires_delta or timedelta(minutes=15))
    return signing.dumps({**data, "exp": expires.timestamp()}, key=SECRET_KEY)


def decode(token: str) -> dict[str, Any]:
    try:
        payload = signing.loads(token, key=SECRET_KEY)
    except signing.BadSignature as error:
        raise InvalidTokenError from error
    if payload["exp"] <= datetime.now(UTC).timestamp():
        raise InvalidTokenError
    return payload
