"""The README's code blocks, for tests and for CI."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"

_BLOCK = re.compile(
    r"(?:<!-- (?P<name>[\w-]+) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, its text, its place, the name in the comment above it."""

    name: str | None
    language: str
    code: str
    line: int
    heading: str


def blocks() -> list[Block]:
    """Return all code blocks in order."""
    text = README.read_text()
    return [
        Block(
            found["name"],
            found["language"],
            found["code"],
            text.count("\n", 0, found.start("code")) + 1,
            re.findall(r"^#+ (.*)$", text[: found.start()], re.MULTILINE)[-1],
        )
        for found in _BLOCK.finditer(text)
    ]


def named(name: str) -> str:
    """Return the code of the one block called *name*."""
    (code,) = (block.code for block in blocks() if block.name == name)
    return code


if __name__ == "__main__":
    sys.stdout.write(named(sys.argv[1]))
