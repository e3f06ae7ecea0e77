"""The text of an access token: made, recognized, and its digest.

``dnt_<key>_<secret><checksum>``: the key is public and finds the row, the secret has 256
bits, the checksum tells a typing mistake from a token without asking the database.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

from django.utils.crypto import salted_hmac

KEY_LENGTH = 12
LENGTH = 66

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_BITS = 256
_SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
_KEY = re.compile(rf"[0-9A-Za-z]{{{KEY_LENGTH}}}")
_SHAPE = re.compile(
    rf"dnt_(?P<key>{_KEY.pattern})"
    rf"_[0-9A-Za-z]{{{_SECRET_LENGTH}}}(?P<checksum>[0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)
_IN_TEXT = re.compile(rf"(dnt_{_KEY.pattern}_)[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token that looks right. Its `text` is a secret and not part of its repr."""

    key: str
    text: str = field(repr=False)


def generate() -> TokenText:
    """Return a new token."""
    key = "".join(secrets.choice(_DIGITS) for _ in range(KEY_LENGTH))
    secret = _base62(secrets.randbits(_SECRET_BITS), _SECRET_LENGTH)
    body = f"dnt_{key}_{secret}"
    return TokenText(key, body + _checksum(body))


def recognize(text: str) -> TokenText | None:
    """Return *text* as a token, None if it cannot be one."""
    found = _SHAPE.fullmatch(text) if len(text) == LENGTH else None
    if found is None or _checksum(text[:-_CHECKSUM_LENGTH]) != found["checksum"]:
        return None
    return TokenText(found["key"], text)


def is_key(text: str) -> bool:
    """Whether *text* could be the key of a token."""
    return _KEY.fullmatch(text) is not None


def conceal(text: str) -> str:
    """Return *text* without the secrets of the tokens in it; their keys may be shown.

    >>> conceal("/tokens/dnt_0123456789ab_secret")
    '/tokens/dnt_0123456789ab_***'
    """
    return _IN_TEXT.sub(r"\1***", text)


def digest(text: str, secret: str | None = None) -> str:
    """Return what is stored instead of *text*: HMAC-SHA256 in hexadecimal.

    Not a bare hash: who can write rows still cannot make a token. Not a slow one: the
    input is random.

    Args:
        text: of the whole token.
        secret: a fallback of ``SECRET_KEY``; by default the key itself.
    """
    return salted_hmac("users.AccessToken", text, secret=secret, algorithm="sha256").hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
