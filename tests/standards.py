"""What of which standard holds here, and the tests that prove it.

A test names a section in ``@pytest.mark.rfc("6749", "5.2")``. ``python -m tests.standards``
prints the table and writes it to STANDARDS.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests import marks

TABLE = marks.TESTS / "STANDARDS.md"

STANDARDS = {
    "6585": "Additional HTTP Status Codes",
    "6749": "The OAuth 2.0 Authorization Framework",
    "6750": "OAuth 2.0 Bearer Token Usage",
    "7009": "OAuth 2.0 Token Revocation",
    "7617": "The Basic HTTP Authentication Scheme",
    "8259": "JSON",
    "9110": "HTTP Semantics",
    "9112": "HTTP/1.1",
}

SECTIONS = {
    ("6585", "4"): "Who asks too often gets 429, and hears when to come back.",
    ("6749", "3.3"): "A scope is a list of printable names; the answer says which were granted.",
    ("6749", "4.3"): "E-mail address and password, sent as a form, buy a token.",
    ("6749", "5.1"): "The answer with a token has its type, life and scope, and is not stored.",
    ("6749", "5.2"): "A refusal is a 400 whose error is one of the names there.",
    ("6750", "2"): "A token is read from the Authorization header, and from nowhere else.",
    ("6750", "2.1"): "The header is Bearer, spaces, and one b64token.",
    ("6750", "3"): "A refusal challenges, with the scope that is needed.",
    ("6750", "3.1"): "400 invalid_request, 401 invalid_token, 403 insufficient_scope; no code to "
    "who sent nothing.",
    ("7009", "2.1"): "A token to be ended is sent as a form.",
    ("7009", "2.2"): "The answer is 200, whatever the token was.",
    ("7009", "2.2.1"): "A request without a token is refused as RFC 6749 says.",
    ("7617", "2"): "The first colon divides user name and password.",
    ("8259", "4"): "An object with one name twice is refused.",
    ("8259", "8.1"): "JSON is UTF-8, without a byte order mark.",
    ("9110", "11.1"): "The name of a scheme is read in any case.",
    ("9110", "15.3.2"): "201 says in Location where the new user is.",
    ("9110", "15.5.2"): "401 challenges.",
    ("9110", "15.5.6"): "405 says in Allow which methods there are.",
    ("9110", "15.5.12"): "A body of unknown length is a 411, where its end cannot be known.",
    ("9110", "15.5.14"): "A body over the limit is a 413.",
    ("9110", "15.5.16"): "A body of another type, or packed, is a 415.",
    ("9110", "15.6.4"): "Who comes while the database is away gets 503, and when to come back.",
    ("9112", "6.3"): "Of a length and a transfer encoding together the encoding counts, or none.",
}


def collect() -> dict[tuple[str, ...], list[str]]:
    """Return the tests by the sections that they name."""
    found: dict[tuple[str, ...], list[str]] = {}
    for test, sections in marks.collect("pytest.mark.rfc").items():
        for section in dict.fromkeys(sections):
            found.setdefault(section, []).append(test)
    return found


def render(tests: Mapping[tuple[str, ...], Iterable[str]]) -> str:
    """Return the table of *tests* by section as Markdown, one part a standard."""
    lines = [
        "# Standards, section by section",
        "",
        "What holds of each here. `python -m tests.standards` writes this from the tests.",
    ]
    for number, title in STANDARDS.items():
        lines += [
            *("", f"## RFC {number}: {title}", ""),
            *("| section | what is true | tests |", "|---|---|---|"),
        ]
        lines += [
            marks.line(f"§{section}", text, tests.get((rfc, section), ()))
            for (rfc, section), text in SECTIONS.items()
            if rfc == number
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    table = render(collect())
    TABLE.write_text(table)
    print(table)  # noqa: T201 - what the command is for
