"""Drawing a graph, and the command that does."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import ninja
import pytest
from django.core.management import CommandError, call_command
from django.http import HttpRequest
from ninja import Form, Header, Schema, UploadedFile
from pytest_django import Settings

from di import Depends, NinjaAPI, Security, inject
from di.drawing import Drawing, Input, as_data, draw_dot, draw_mermaid, draw_text
from di.graph import Dependant, analyze
from di.inspection import Dependable
from di.security import OAuth2PasswordBearer
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


def secured(
    request: HttpRequest,
    y: int = Security(middle, scopes=["items", "me"], scope="function"),
    x: int = Depends(top),
) -> None: ...


def test_text() -> None:
    """When a dependable was drawn before, then the part below it is not drawn again."""
    assert lines_of(draw_text(Drawing(["GET"], "/items", ROOT))) == (
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


def dependable_of(root: Dependant, call: Any) -> Dependable:
    return next(
        one.dependable
        for edge in root.dependencies
        for one in _below(edge.dependant)
        if one.dependable.call is call
    )


def _below(root: Dependant) -> Iterator[Dependant]:
    yield root
    for edge in root.dependencies:
        yield from _below(edge.dependant)


def drawing() -> Drawing:
    """Return an operation with inputs, scopes, and a scheme."""
    root = analyze(secured)
    inputs = {
        root.dependable: [Input("item", "path", "int", is_required=True)],
        dependable_of(root, low): [
            Input("q", "query", "int", is_required=False),
            Input("x-token", "header", "str", is_required=True),
        ],
    }
    return Drawing(["GET"], "/items", root, inputs, {"bearer": ["items", "me"], "key": []})


def test_text_has_inputs_and_scopes() -> None:
    """When there are inputs and OAuth2 scopes, then they stand behind what reads or adds them."""
    assert lines_of(draw_text(drawing())) == [
        "secured reads path item",
        "├─ y: middle [function] with scopes items me",
        "│  └─ n: low reads query [q], header x-token",
        "└─ x: top",
        "   ├─ a: middle [function] …",
        "   └─ b: low",
        "requires bearer with scopes items me",
        "requires key",
    ]


def test_mermaid() -> None:
    """When operations are drawn as a flowchart, then each is a part that has its title."""
    assert lines_of(draw_mermaid([drawing(), Drawing(["PUT"], "/<x>", analyze(low))])) == [
        "flowchart TD",
        '    subgraph s0["GET /items secured"]',
        '        n0_0["secured<br/>path item"]',
        '        n0_1["middle (function)"]',
        '        n0_2["low<br/>query [q]<br/>header x-token"]',
        '        n0_3["top"]',
        '        n0_0 -->|"y with scopes items me"| n0_1',
        '        n0_0 -->|"x"| n0_3',
        '        n0_1 -->|"n"| n0_2',
        '        n0_3 -->|"a"| n0_1',
        '        n0_3 -->|"b"| n0_2',
        "    end",
        '    subgraph s1["PUT /#lt;x#gt; low"]',
        '        n1_0["low"]',
        "    end",
    ]


def test_dot() -> None:
    """When operations are drawn for Graphviz, then each is a cluster that has its title."""
    lines = lines_of(draw_dot([drawing(), Drawing(["PUT"], "/x", ROOT)]))
    assert lines[:6] == [
        "digraph dependencies {",
        "    node [shape=box];",
        "    subgraph cluster_0 {",
        '        label="GET /items secured";',
        '        n0_0 [label="secured\\npath item"];',
        '        n0_1 [label="middle (function)"];',
    ]
    assert '        n0_0 -> n0_1 [label="y with scopes items me"];' in lines
    assert '        label="PUT /x read";' in lines
    assert "        n1_0 -> n1_1;" in lines
    assert lines.count("    }") == 2
    assert lines[-1] == "}"


def test_data() -> None:
    """When operations are data, then one document has all of them, with methods and paths."""
    data = as_data([drawing()])
    (operation,) = data["operations"]
    assert (operation["methods"], operation["path"]) == (["GET"], "/items")
    assert operation["view"] == "tests.di.test_drawing.secured"
    assert operation["security"] == {"bearer": ["items", "me"], "key": []}
    nodes = operation["nodes"]
    assert [node["name"].rpartition(".")[2] for node in nodes] == [
        *("secured", "middle", "low", "top"),
    ]
    assert (nodes[1]["kind"], nodes[1]["scope"]) == ("generator", "function")
    assert nodes[0]["place"].startswith("tests/di/test_drawing.py:")
    assert nodes[2]["inputs"] == [
        {"name": "q", "in": "query", "type": "int", "required": False},
        {"name": "x-token", "in": "header", "type": "str", "required": True},
    ]
    assert operation["edges"][0] == (
        {"from": 0, "to": 1, "parameter": "y", "scopes": ["items", "me"]}
    )
    assert {"from": 3, "to": 2, "parameter": "b", "scopes": []} in operation["edges"]


def printed(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("dependencies", *arguments, stdout=out, no_color=True, **options)
    return out.getvalue()


class Item(Schema):
    name: str


scheme = OAuth2PasswordBearer("token")


def current(token: str = Depends(scheme), x_trace: str = Header("")) -> str:
    return token


@pytest.fixture
def site(settings: Settings, api: NinjaAPI) -> None:
    """Operations of three APIs, one of which depends on nothing."""
    api.get("/items")(read)

    @api.post("/items", dependencies=[Security(current, scopes=["items"])])
    def write(request: HttpRequest, item: Item, by: str = Depends(current)) -> None: ...

    @api.post("/items/{int:item_id}")
    def replace(request: HttpRequest, item_id: int, file: UploadedFile, n: int = Form(1)) -> None:
        """Read a form and a path."""

    plain = ninja.NinjaAPI(urls_namespace="plain")
    plain.get("/x")(lambda request: None)
    plain.get("/y")(inject(read))
    World("wsgi-sync", settings).serve(api, plain)


def titles(*arguments: str) -> list[str]:
    """Return the methods and paths of what the command prints."""
    lines = [line for line in printed(*arguments).splitlines() if line[:3] in ("GET", "POS", "PUT")]
    return sorted(line.partition(" tests.")[0] for line in lines)


ALL = ["GET /items", "GET /plain/y", "POST /items", "POST /items/{item_id}"]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("", ALL),
        ("/", ALL),
        ("tests.di.test_drawing", ALL),
        ("test_drawing.read", ["GET /items", "GET /plain/y"]),
        ("read", ["GET /items", "GET /plain/y"]),
        ("write", ["POST /items"]),
        ("/items", ["GET /items", "POST /items"]),
        ("GET /items", ["GET /items"]),
        ("post /items", ["POST /items"]),
        ("POST /items/{item_id}", ["POST /items/{item_id}"]),
        ("/items/{item_id}", ["POST /items/{item_id}"]),
        ("/items/{int:item_id}", ["POST /items/{item_id}"]),
        ("/items/<int:item_id>", ["POST /items/{item_id}"]),
        ("/plain", ["GET /plain/y"]),
        ("/plain/", ["GET /plain/y"]),
    ],
)
def test_the_command_draws_an_operation(operation: str, expected: list[str]) -> None:
    """When the text names a view, a module, or a path, then those operations are drawn, once."""
    assert titles(operation) == expected


@pytest.mark.usefixtures("site")
def test_the_command_shows_scopes_and_inputs() -> None:
    """When an operation reads inputs and requires scopes, then every format has them."""
    text = printed("write")
    assert "write (tests/di/test_drawing.py:" in text
    assert ") reads body item\n" in text
    assert ") with scopes items reads header [x-trace]\n" in text
    assert text.endswith("requires OAuth2PasswordBearer with scopes items\n")
    assert ") reads path item_id, file file, form [n]\n" in printed("replace")
    document = json.loads(printed(format="json"))
    found = {(one["methods"][0], one["path"]): one for one in document["operations"]}
    assert sorted(" ".join(key) for key in found) == ALL
    write = found["POST", "/items"]
    assert write["security"] == {"OAuth2PasswordBearer": ["items"]}
    assert write["nodes"][0]["inputs"] == [
        {"name": "item", "in": "body", "type": "Item", "required": True}
    ]
    assert printed("write", format="mermaid").count("subgraph") == 1
    assert printed(format="mermaid").count("flowchart") == 1
    assert "header [x-trace]" in printed(format="mermaid")
    assert printed(format="dot").count("digraph") == 1
    assert "with scopes items" in printed("write", format="dot")


@pytest.mark.usefixtures("site")
def test_the_command_prints_the_code() -> None:
    """When the code is asked for, then the function that resolves each operation is printed."""
    code = printed("GET /items", code=True)
    assert "def resolve(frame, view, respond):" in code
    assert "q = inputs_0['q']" in code
    assert "n = call_0_low(q=q)" in code
    assert printed(code=True, format="json").count("def resolve(") == 4


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("operation", "hint"),
    [
        ("reed", "Did you mean read"),
        ("test_drawing.reads", "Did you mean tests.di.test_drawing.read"),
        ("ead", "Did you mean read"),
        ("GET /itens", "Did you mean GET /items"),
        ("PUT /plain/y", "Did you mean GET /plain/y"),
        ("/ite", "Did you mean /items"),
        ("/x", "Leave it out to see all."),
        ("nothing", "Leave it out to see all."),
    ],
)
def test_the_command_does_not_guess(operation: str, hint: str) -> None:
    """When no operation is called like this, then it fails, with names that are similar."""
    with pytest.raises(CommandError) as caught:
        printed(operation)
    expected = f"The site has no injected operation called {operation!r}. {hint}"
    assert str(caught.value).startswith(expected)


def test_an_unknown_operation_ends_the_process_with_an_error() -> None:
    """When the command runs as a process, then its status is 1 and stdout has nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "django", "dependencies", "read_mee", "--settings=tests.settings"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "called 'read_mee'. Did you mean" in done.stderr


def test_the_command_on_an_empty_site(settings: Settings) -> None:
    """When a site has no injected operation, then the command fails and says so."""
    del settings.ROOT_URLCONF
    with pytest.raises(CommandError, match=r"^The site has no injected operation\.$"):
        printed()
