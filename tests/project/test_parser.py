"""JSON that every reader reads the same."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from project.parser import DEEPEST, BodyError, loads


def nested(depth: int, opening: str, closing: str) -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a": [1, -2.5, true, null, "x"]} ', {"a": [1, -2.5, True, None, "x"]}),
        ('{"é": "日本 😀"}'.encode(), {"é": "日本 😀"}),
        (rb'{"a": "\ud83d\ude00 \u00e9 \n"}', {"a": "😀 é \n"}),
        (rb'{"a": "\\u0000"}', {"a": r"\u0000"}),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 40),
        (b"[" + b"[]," * 40 + b"1]", [[]] * 40 + [1]),
    ],
)
def test_what_is_json(body: bytes, value: Any) -> None:
    """Pairs of surrogates are one character, and brackets in strings no nesting."""
    assert loads(body) == value


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_nesting_has_a_limit(opening: str, closing: str) -> None:
    """As many levels as are allowed pass, and one more does not."""
    levels = opening.count("[") + opening.count("{")
    assert loads(nested(DEEPEST // levels, opening, closing))
    for depth in (DEEPEST // levels + 1, 40, 100_000):
        with pytest.raises(BodyError, match="nested more than 32 levels deep"):
            loads(nested(depth, opening, closing))


@pytest.mark.hostile("H67")
@pytest.mark.parametrize("part", [b"[", b'{"a":', b"[[],", b'[{"a":'])
def test_refusing_deep_nesting_is_cheap(part: bytes) -> None:
    """100,000 levels, closed or not: the time is that of the shallow part (H67)."""
    seconds = []
    for _ in range(3):
        started = time.thread_time()
        with pytest.raises(BodyError, match="nested more than 32 levels deep"):
            loads(part * 100_000)
        seconds.append(time.thread_time() - started)
    assert min(seconds) < 0.1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is not JSON: Expecting value (line 1, column 1)"),
        (b'{"a": 1} x', "is not JSON: Extra data (line 1, column 10)"),
        (b'{"a"', "is not JSON: Expecting ':' delimiter (line 1, column 5)"),
        (b'{"a": \xe9}', "is not UTF-8"),
        (b'"\xed\xa0\x80"', "is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
        ('{"a": 1}'.encode("utf-32"), "is not UTF-8"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "has an object with one key twice"),
        (rb'{"a": 1, "\u0061": 2}', "has an object with one key twice"),
        (
            json.dumps(dict.fromkeys(map(str, range(101)))).encode(),
            "has an object with more than 100 keys",
        ),
        (b"[NaN]", "is not JSON: it has no NaN and no Infinity"),
        (b"[-Infinity]", "is not JSON: it has no NaN and no Infinity"),
        (b"1" * 4_301, "has a number with too many digits"),
        (b'{"a": "\x00"}', "is not JSON: Invalid control character at (line 1, column 8)"),
        (rb'{"a": ["\u0000"]}', "has a NUL character or half a surrogate pair in a string"),
        (rb'{"\u0000": 1}', "has a NUL character or half a surrogate pair in a string"),
        (rb'{"a": "\ud800"}', "has a NUL character or half a surrogate pair in a string"),
        (rb'{"\ude00\ud83d": 1}', "has a NUL character or half a surrogate pair in a string"),
    ],
)
def test_what_is_none(body: bytes, problem: str) -> None:
    """400, in words that say what is wrong and repeat nothing."""
    with pytest.raises(BodyError) as caught:
        loads(body)
    assert (caught.value.status_code, caught.value.detail) == (400, f"The body {problem}")
    assert caught.value.__cause__ is None
