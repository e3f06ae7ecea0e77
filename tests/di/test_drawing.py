"""Drawing a graph, and the command that does."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import ninja
import pytest
from django.core.management import CommandError, call_command
from django.http import HttpRequest
from pytest_django import Settings

from di import Depends, NinjaAPI, inject
from di.drawing import as_data, draw_dot, draw_mermaid, draw_text
from di.graph import analyze
from tests.di.conftest import World


def low(q: int = 1) -> int:
    return q


def middle(n: int = Depends(low)) -> Iterator[int]:
    yield n


def top(a: int = Depends(middle, scope="function"), b: int = Depends(low)) -> int:
    return a + b


def read(
    request: HttpRequest, x: int = Depends(top), y: int = Depends(middle, scope="function")
) -> int:
    return x + y


ROOT = analyze(read, [Depends(low)])


def lines_of(drawn: str) -> list[str]:
    """Return *drawn* without the name of this module and without line numbers."""
    return re.sub(r" \(tests/\S+\)", "", drawn).replace("tests.di.test_drawing.", "").splitlines()


def test_text() -> None:
    """A tree, view first; what was drawn before is not drawn again."""
    assert lines_of(draw_text(ROOT)) == (
        [
            "read",
            "├─ low",
            "├─ x: top",
            "│  ├─ a: middle [function]",
            "│  │  └─ n: low",
            "│  └─ b: low",
            "└─ y: middle [function] …",
        ]
    )


def test_mermaid() -> None:
    """A flowchart with the parameters on its arrows."""
    assert lines_of(draw_mermaid(ROOT)) == (
        [
            "flowchart TD",
            '    n0["read"]',
            '    n1["low"]',
            '    n2["top"]',
            '    n3["middle (function)"]',
            "    n0 --> n1",
            '    n0 -->|"x"| n2',
            '    n0 -->|"y"| n3',
            '    n2 -->|"a"| n3',
            '    n2 -->|"b"| n1',
            '    n3 -->|"n"| n1',
        ]
    )


def test_dot() -> None:
    """The same for Graphviz."""
    lines = lines_of(draw_dot(ROOT))
    assert lines[:4] == [
        "digraph dependencies {",
        "    node [shape=box];",
        '    n0 [label="read"];',
        '    n1 [label="low"];',
    ]
    assert '    n2 -> n3 [label="a"];' in lines
    assert "    n0 -> n1;" in lines
    assert lines[-1] == "}"


def test_data() -> None:
    """Nodes and edges, for programs."""
    data = as_data(ROOT)
    assert [node["name"].rpartition(".")[2] for node in data["nodes"]] == [
        *("read", "low", "top", "middle"),
    ]
    assert data["nodes"][3]["kind"] == "generator"
    assert data["nodes"][3]["scope"] == "function"
    assert data["nodes"][1]["inputs"] == ["q"]
    assert data["nodes"][0]["place"].startswith("tests/di/test_drawing.py:")
    assert {"from": 3, "to": 1, "parameter": "n"} in data["edges"]


def printed(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("dependencies", *arguments, stdout=out, no_color=True, **options)
    return out.getvalue()


@pytest.fixture
def site(settings: Settings, api: NinjaAPI) -> None:
    """Two operations on one path, one on another API, and one that depends on nothing."""
    api.get("/items")(read)

    @api.post("/items")
    def write(request: HttpRequest) -> None: ...

    plain = ninja.NinjaAPI(urls_namespace="plain")
    plain.get("/x")(lambda request: None)
    plain.get("/y")(inject(read))
    World("wsgi-sync", settings).serve(api, plain)


@pytest.mark.usefixtures("site")
def test_the_command_draws_every_operation() -> None:
    """Each once, below its method, path and view; or those only whose title has the text."""
    titles = [line for line in printed().splitlines() if line.startswith(("GET", "POST"))]
    assert sorted(title.partition(" tests.")[0] for title in titles) == [
        *("GET /items", "GET /plain/y", "POST /items"),
    ]
    assert printed("GET /items").count("└─ n: ") == 1
    assert printed("test_drawing.read", format="mermaid").count("flowchart TD") == 2
    assert json.loads(printed("GET /items", format="json"))["nodes"]
    assert printed("/plain/y", format="dot").startswith("digraph")


@pytest.mark.usefixtures("site")
def test_the_command_prints_the_code() -> None:
    """What runs at every request."""
    code = printed("GET /items", code=True)
    assert "def resolve(frame, view, respond):" in code
    assert "q = inputs_0['q']" in code
    assert "n = call_0_low(q=q)" in code


@pytest.mark.usefixtures("site")
def test_the_command_tells_that_there_is_none() -> None:
    """A misspelled name is not an empty answer."""
    with pytest.raises(CommandError, match=r"no injected operation like 'nothing'\."):
        printed("nothing")


def test_the_command_on_an_empty_site(settings: Settings) -> None:
    """Nor is a site without any."""
    del settings.ROOT_URLCONF
    with pytest.raises(CommandError, match=r"^The site has no injected operation\.$"):
        printed()
