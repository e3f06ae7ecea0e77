"""How e-mail addresses and names are written: one spelling for what is the same."""

from __future__ import annotations

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

LONGEST_EMAIL = 254
LONGEST_NAME = 150

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
_LINE_BREAKS = frozenset({"Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # emoji, Indic scripts and Persian need them
_LONGEST_DECOMPOSITION = 4
"""Characters into which Unicode takes one apart at most (UAX #15, NFD)."""

_is_email = EmailValidator()


def normalize_email(value: str) -> str:
    """Return the one spelling of an e-mail address.

    The database cannot do it: ``LOWER('É')`` differs between SQLite and PostgreSQL.
    A domain is mapped as browsers do (UTS #46, non-transitional) and must be valid for
    registries (IDNA 2008): ``straße.de`` and ``strasse.de`` have different owners.

    Raises:
        ValueError: *value* is no address that this project takes: no quoted local part,
            no address literal, nothing invisible, no letters that look like others.

    >>> normalize_email(" Ann@Example.COM ")
    'ann@example.com'
    """
    value = value.strip()
    if len(value) > LONGEST_EMAIL:  # first: to normalize a long text takes seconds
        raise _too_long_email()
    local, at, domain = value.rpartition("@")
    if not at or not local.isascii() or '"' in local or not _is_visible(value):
        message = "This is not an email address"
        raise ValueError(message)
    if unicodedata.normalize("NFKC", domain) != domain or domain.startswith("["):
        message = "This is not the name of a mail domain"
        raise ValueError(message)
    try:
        if not domain.isascii():
            domain = idna.encode(domain, uts46=True).decode()
        email = f"{local}@{domain}".lower()
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
    if len(value) > LONGEST_NAME * _LONGEST_DECOMPOSITION:  # first, as above
        raise _wrong_length_of_name()
    for character in value:
        category = unicodedata.category(character)
        if category in _LINE_BREAKS or (category in _INVISIBLE and character not in _JOINERS):
            message = "A name has no control characters, line breaks or invisible characters"
            raise ValueError(message)
    name = " ".join(unicodedata.normalize("NFC", value).split())
    if not name.strip(f" {_JOINERS}") or len(name) > LONGEST_NAME:
        raise _wrong_length_of_name()
    return name


def fold_login(value: str) -> str:
    """Return the one spelling of a login that is no address, so that it is counted once.

    Nobody has such a login. Of a long one the beginning is enough, because folding a long
    text takes seconds.

    >>> fold_login(" STRASSE")
    'strasse'
    """
    folded = unicodedata.normalize("NFKC", value.strip()[:LONGEST_EMAIL]).casefold().strip()
    return folded.encode(errors="backslashreplace").decode()  # half a surrogate pair


def _is_visible(value: str) -> bool:
    return not any(unicodedata.category(character) in _INVISIBLE for character in value)


def _too_long_email() -> ValueError:
    return ValueError(f"An email address has at most {LONGEST_EMAIL} characters")


def _wrong_length_of_name() -> ValueError:
    return ValueError(f"A name has 1 to {LONGEST_NAME} characters")
