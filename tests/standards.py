"""What of which standard holds here, and the tests that prove it.

A test names a section in ``@pytest.mark.rfc("6749", "5.2")``, items of `tests.asvs` in
``@pytest.mark.asvs("6.2.1")``, what happened to others in ``@pytest.mark.cve("2019-19844")``.
``python -m tests.standards`` prints the tables and writes them to STANDARDS.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests import asvs, marks

TABLE = marks.TESTS / "STANDARDS.md"

STANDARDS = {
    "6585": "Additional HTTP Status Codes",
    "6749": "The OAuth 2.0 Authorization Framework",
    "6750": "OAuth 2.0 Bearer Token Usage",
    "7009": "OAuth 2.0 Token Revocation",
    "7617": "The Basic HTTP Authentication Scheme",
    "8259": "JSON",
    "8288": "Web Linking",
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
    ("8288", "3"): "A list that goes on has a Link to its next page.",
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

HISTORIES = {
    "2019-19844": "Django: an address that folds to another's got that user's password link. "
    "An address with such letters is refused, and is nobody's login.",
    "2021-32677": "FastAPI: JSON was read from `text/plain`, which a foreign page may send. Here "
    "it is a 415, and in a browser session a 403.",
    "2024-22513": "simplejwt: a disabled user was given a token, and it worked. Neither is so "
    "here.",
    "2024-39329": "Django: a login without a usable password was refused faster. It costs the same "
    "one hash.",
    "2025-13473": "Django: so was a login that nobody has, under mod_wsgi. It costs the same one "
    "hash.",
    "2025-48432": "Django: a path with a line break forged a line of the log. It is escaped.",
    "2025-64459": "Django: a client that named its own keywords could turn a filter's AND into OR. "
    "Clients name none.",
    "2026-4292": "Django: a forged list in the admin site added rows without the permission. No "
    "list is editable.",
    "2026-33034": "Django: a body under ASGI could be larger than it said. It is counted.",
    "2026-35193": "Django: a shared cache could keep an answer to Authorization. No answer may be "
    "kept, and each varies on it.",
}
"""Vulnerabilities of others, by CVE, that would be easy to have as well."""

Found = dict[Any, list[str]]


def collect() -> dict[str, Found]:
    """Return the tests by what they name: by section of "rfc", item of "asvs", and "cve"."""
    sections: Found = {}
    for test, named in marks.collect("pytest.mark.rfc").items():
        for section in dict.fromkeys(named):
            sections.setdefault(section, []).append(test)
    others = {kind: marks.by_argument(f"pytest.mark.{kind}") for kind in ("asvs", "cve")}
    return {"rfc": sections, **others}


def render(found: Mapping[str, Mapping[Any, Iterable[str]]]) -> str:
    """Return the tables of what `collect` found as Markdown."""
    lines = [
        "# Standards, section by section",
        "",
        "What holds of each here. `python -m tests.standards` writes this from the tests.",
        *_sections(found["rfc"]),
        *("", "## OWASP ASVS 5.0.0", ""),
        "What is in neither list below has not been looked at: this is no verification by OWASP's",
        "rules, and nobody else has done one.",
        *_items(found["asvs"]),
        *("", "### What does not hold", "", "| item | what is so here |", "|---|---|"),
        *(f"| {item} | {text} |" for item, text in asvs.DEVIATIONS.items()),
        *("", "## What happened to others", ""),
        *_table("CVE", {name: (name, text) for name, text in HISTORIES.items()}, found["cve"]),
    ]
    return "\n".join(lines) + "\n"


def _sections(tests: Mapping[Any, Iterable[str]]) -> Iterator[str]:
    for number, title in STANDARDS.items():
        rows = {
            (rfc, section): (f"§{section}", text)
            for (rfc, section), text in SECTIONS.items()
            if rfc == number
        }
        yield from ("", f"## RFC {number}: {title}", "", *_table("section", rows, tests))


def _items(tests: Mapping[Any, Iterable[str]]) -> Iterator[str]:
    for number, title in asvs.CHAPTERS.items():
        rows = {
            item: (item, text)
            for item, text in asvs.ITEMS.items()
            if item.partition(".")[0] == number
        }
        yield from ("", f"### V{number}: {title}", "", *_table("item", rows, tests))


def _table(
    kind: str, rows: Mapping[Any, tuple[str, str]], tests: Mapping[Any, Iterable[str]]
) -> Iterator[str]:
    yield from (f"| {kind} | what is true | tests |", "|---|---|---|")
    for key, (name, text) in rows.items():
        yield marks.line(name, text, tests.get(key, ()))


if __name__ == "__main__":
    table = render(collect())
    TABLE.write_text(table)
    print(table)  # noqa: T201 - what the command is for
