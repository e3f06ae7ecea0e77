"""One spelling for what is the same."""

from __future__ import annotations

import pytest

from users.text import fold_login, normalize_email, normalize_name


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ann@example.com", "ann@example.com"),
        (" Ann.Lee+x@EXAMPLE.com\n", "ann.lee+x@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@STRAẞE.example", "ann@xn--strae-oqa.example"),
        ("ann@strasse.example", "ann@strasse.example"),
        ("ann@βόλος.example", "ann@xn--nxasmm1c.example"),
        ("ann@βόλοσ.example", "ann@xn--nxasmq6b.example"),
        ("ann@例え。example", "ann@xn--r8jz45g.example"),
        ("a" * 242 + "@example.com", "a" * 242 + "@example.com"),
    ],
)
def test_an_address_has_one_spelling(written: str, stored: str) -> None:
    """When an address is stored, then it is stripped, in lower case, its domain by IDNA 2008."""
    assert normalize_email(written) == stored
    assert normalize_email(stored) == stored


@pytest.mark.cve("2019-19844")
@pytest.mark.parametrize(
    "written",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "аnn@example.com",  # noqa: RUF001 - a Cyrillic letter is the point
        "\uff41nn@example.com",
        "ann@\uff45xample.com",
        "ann@i♥ny.example",
        "ann@-ü.example",
        "ann@xn--a-ü.example",
        "ſam@example.com",  # noqa: RUF001 - the long s is the point
        "ıvan@example.com",  # noqa: RUF001 - the dotless i is the point
        "a@b.co\u200b",
        "a@b.co\nBcc: x@y.z",
        "a\x00@b.co",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@1.2.3.44",
        "a" * 243 + "@example.com",
        "a@" + ".".join(["ü" * 20] * 11) + ".com",
        "a@" + "ü" * 1_000_000 + ".com",
        '"<script>"@x.com',
        "a b@example.com",
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.com",
        f"a@{'b' * 64}.com",
        "a@example..com",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    """Look-alikes, invisible characters, quoted parts and address literals included."""
    with pytest.raises(ValueError, match=r"mail"):
        normalize_email(written)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("  Ann   Lee ", "Ann Lee"),
        ("e\u0301", "é"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("Анна", "Анна"),
        ("x" * 150, "x" * 150),
        ("\u03b1\u0313\u0300\u0345" * 150, "\u1f82" * 150),
    ],
)
def test_a_name_is_free_but_composed(written: str, stored: str) -> None:
    """Any script, composed characters, single spaces."""
    assert normalize_name(written) == stored


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "x" * 151,
        "x" + " " * 600,
        "x" + "\u0301" * 600,
        "a\x00",
        "a\nb",
        "a\u2028b",
        "a\ud800",
        "a\u200b",
        "a\ue000",
        " \u200c \u200d",
    ],
)
def test_what_cannot_be_seen_is_no_name(written: str) -> None:
    """Empty, too long, controls, line breaks, lone surrogates, zero width, private use."""
    with pytest.raises(ValueError, match=r"A name has"):
        normalize_name(written)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        (" STRASSE", "strasse"),
        ("straße", "strasse"),
        ("\uff53trasse ", "strasse"),
        ("A\ud800", "a\\ud800"),
        ("x" * 254, "x" * 254),
        ("x" * 100_000, "x" * 254),
    ],
)
def test_a_login_that_is_no_address_has_one_spelling(written: str, folded: str) -> None:
    """When a login is no address, then its spellings are counted as one, and long ones cut."""
    assert fold_login(written) == folded


def test_a_domain_that_grows() -> None:
    """When an address is too long only in the spelling that is stored, it is refused, too."""
    typed = f"{'a' * 64}@{'.'.join([chr(252) * 42] * 4)}"
    assert len(typed) < 254
    with pytest.raises(ValueError, match="254"):
        normalize_email(typed)
