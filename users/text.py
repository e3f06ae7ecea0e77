"""How e-mail addresses and names are written: one spelling for what is the same."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

LONGEST_EMAIL = 254
LONGEST_NAME = 150

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
_LINE_BREAKS = frozenset({"Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # emoji, Indic scripts and Persian need them
_is_email = EmailValidator()


def normalize_email(value: str) -> str:
    """Return the one spelling of an e-mail address.

    The database cannot do it: ``LOWER('É')`` differs between SQLite and PostgreSQL.

    Raises:
        ValueError: *value* is no address that this project takes: no quoted local part,
            no address literal, nothing invisible, no letters that look like others.

    >>> normalize_email(" Ann@Example.COM ")
    'ann@example.com'
    """
    value = value.strip()
    if len(value) > LONGEST_EMAIL:
        raise _too_long_email()
    local, at, domain = value.rpartition("@")
    if not at or not local.isascii() or '"' in local or not _is_visible(value):
        message = "This is not an email address"
        raise ValueError(message)
    if unicodedata.normalize("NFKC", domain) != domain or domain.startswith("["):
        message = "This is not the name of a mail domain"
        raise ValueError(message)
    try:
        email = f"{local}@{domain.encode('idna').decode()}".lower()
        _is_email(email)
    except (UnicodeError, ValidationError):
        message = "This is not an email address"
        raise ValueError(message) from None
    if len(email) > LONGEST_EMAIL:
        raise _too_long_email()
    return email


def normalize_name(value: str) -> str:
    """Return a name as it is stored: composed characters, single spaces.

    Raises:
        ValueError: it is empty, too long, or has characters that cannot be seen.

    >>> normalize_name("  Ann   Lee ")
    'Ann Lee'
    """
    for character in value:
        category = unicodedata.category(character)
        if category in _LINE_BREAKS or (category in _INVISIBLE and character not in _JOINERS):
            message = "A name has no control characters, line breaks or invisible characters"
            raise ValueError(message)
    name = " ".join(unicodedata.normalize("NFC", value).split())
    if not name.strip(f" {_JOINERS}") or len(name) > LONGEST_NAME:
        message = f"A name has 1 to {LONGEST_NAME} characters"
        raise ValueError(message)
    return name


def _is_visible(value: str) -> bool:
    return not any(unicodedata.category(character) in _INVISIBLE for character in value)


def _too_long_email() -> ValueError:
    return ValueError(f"An email address has at most {LONGEST_EMAIL} characters")
