"""The text of a token and its digest."""

from __future__ import annotations

import re
import zlib

import pytest
from django.utils.crypto import salted_hmac
from pytest_django import Settings

from users import tokens

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.asvs("7.2.3", "11.5.1")
def test_the_format() -> None:
    """dnt_, 12 digits of key, 43 of secret, 6 of checksum over all before it; 66 in all."""
    made = tokens.generate()
    assert re.fullmatch(r"dnt_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", made.text)
    assert (len(made.text), made.text[4:16]) == (66, made.key)
    number, checksum = zlib.crc32(made.text[:-6].encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        checksum = DIGITS[digit] + checksum
    assert made.text.endswith(checksum)


@pytest.mark.asvs("7.2.2", "7.2.3")
def test_every_token_is_another() -> None:
    """Neither keys nor secrets repeat, and no repr shows a secret."""
    made = [tokens.generate() for _ in range(100)]
    assert len({one.key for one in made}) == len({one.text[17:] for one in made}) == 100
    assert made[0].text not in repr(made[0])


def test_a_token_is_recognized() -> None:
    """What was made is found again by its key."""
    made = tokens.generate()
    assert tokens.recognize(made.text) == made


def test_a_mistake_is_noticed_without_a_query() -> None:
    """One character changed, missing or too many, or another prefix: no token."""
    text = tokens.generate().text
    for wrong in (
        text[:-1],
        text + "0",
        "dnx" + text[3:],
        text.replace("_", "-"),
        "",
        *(
            text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
            for place in range(4, 66)
            if place != 16
        ),
    ):
        assert tokens.recognize(wrong) is None


def test_the_digest_is_an_hmac_under_the_secret_key(settings: Settings) -> None:
    """Who can write rows but does not know the key cannot make a token."""
    expected = salted_hmac("users.AccessToken", "text", algorithm="sha256").hexdigest()
    assert tokens.digest("text") == expected
    settings.SECRET_KEY = "another" * 10
    assert tokens.digest("text") != expected
    assert tokens.digest("text", secret="fallback") != tokens.digest("text")


def test_the_checksum_is_padded() -> None:
    """Small numbers have leading zeros."""
    assert tokens._base62(61, 6) == "00000z"
