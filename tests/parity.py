"""FastAPI's behavior row by row: the tests that prove each row here, in their own sentences.

A test names its rows in ``@pytest.mark.row("A5", "B3")``. A row has a subject only, so that
nothing but the docstring of a test says how `di` behaves. ``python -m tests.parity`` prints
the page and writes it to PARITY.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tests import marks

TABLE = marks.TESTS / "PARITY.md"

GROUPS = {
    "A": "Declaring a dependency",
    "B": "What may be depended on",
    "C": "Inputs of dependables",
    "D": "Order and errors",
    "E": "Sharing within a request",
    "F": "Generators",
    "G": "Context, threads, concurrency",
    "H": "Overrides",
    "I": "Security and OpenAPI",
    "J": "Mistakes that are refused when they are declared",
    "K": "Other surfaces",
}

ROWS = {
    "A1": "Depends(f, use_cache=, scope=, max_concurrency=)",
    "A2": "Security(f, scopes=)",
    "A3": "Equality and hash of markers",
    "A4": "x: T = Depends(f)",
    "A5": "Annotated[T, Depends(f)], and several declarations in one Annotated",
    "A6": "A default beside Annotated[T, Depends(f)]",
    "A7": "Depends() without a callable",
    "A8": "Type aliases, and markers inside other types",
    "A9": "Annotations that cannot be read",
    "A10": "Quoted annotations",
    "A11": "The annotation of a dependency's value",
    "A12": "The places for markers: views, dependables, dependencies= at every level",
    "B1": "Functions and lambdas",
    "B2": "Coroutine functions",
    "B3": "Generators",
    "B4": "Async generators",
    "B5": "Classes",
    "B6": "Callable instances",
    "B7": "Bound, static and class methods",
    "B8": "Partials",
    "B9": "Wrapped functions",
    "B10": "Functions under @contextmanager and @asynccontextmanager",
    "B11": "A coroutine that a plain function returns",
    "B12": "Dataclasses, named tuples, models",
    "B13": "A view as a dependable",
    "B15": "Arguments by name; *args, **kwargs and /",
    "B16": "Builtins",
    "C1": "Kinds of inputs",
    "C2": "The place where an input comes from",
    "C3": "Names in the prefix of a mount",
    "C4": "A path input whose name the path lacks",
    "C5": "One name in several dependables",
    "C6": "The order of inputs in the document",
    "C7": "Bare and embedded bodies",
    "C8": "Forms and files, and bodies beside them",
    "C9": "The methods with which a body is read",
    "C10": "The moment in which a body is parsed",
    "C11": "HttpRequest, HttpResponse, SecurityScopes, BackgroundTasks",
    "C13": "One HttpResponse for all dependables of a request",
    "C14": "Headers, cookies and status set on it",
    "C15": "A response that a dependable returns",
    "C16": "BackgroundTasks",
    "C17": "Values without a name",
    "D1": "The order of levels",
    "D2": "The order within a dependable",
    "D3": "Bad inputs",
    "D4": "An exception beside bad inputs",
    "D5": "The format of a 422",
    "D6": "HTTPException",
    "D7": "404, 405, and the documentation",
    "E1": "Sharing within a request",
    "E2": "Equal callables",
    "E3": "Sharing and OAuth2 scopes",
    "E4": "Sharing and scope=",
    "E5": "use_cache=False",
    "E6": "use_cache=False in dependencies=",
    "E7": "Dependencies of a shared dependable",
    "E8": "Sharing of a stand-in",
    "F1": "The two scopes of a request",
    "F2": 'The end of scope "request"',
    "F3": 'The end of scope "function"',
    "F4": "Unknown scopes",
    "F5": "The order of closing",
    "F6": "Longer-lived generators that use shorter-lived ones",
    "F7": "Exceptions seen at a yield",
    "F8": "Another exception raised at a yield",
    "F9": "Errors while closing",
    "F10": 'A swallowed exception in scope "request"',
    "F11": 'A swallowed exception in scope "function"',
    "F12": "Generators that never yield, or twice",
    "F13": "Streams",
    "F15": "Cancellation and disconnect",
    "F16": "Uploaded files",
    "G1": "Context variables of an async dependable",
    "G2": "Context variables of a sync dependable",
    "G3": "The thread of sync code",
    "G4": "max_concurrency=",
    "H1": "api.dependency_overrides",
    "H2": "The reach of an API's overrides",
    "H3": "Inputs and dependencies of a stand-in",
    "H4": "The original inside its stand-in",
    "H5": "Overrides at every level, and of callable instances",
    "H6": "OAuth2 scopes of a stand-in",
    "H7": "A body in a stand-in",
    "H8": "A stand-in of another kind or scope",
    "H9": "A mock as a stand-in",
    "H10": "The documentation under overrides",
    "I1": "The place where a scheme is documented",
    "I2": "Names of schemes",
    "I3": "Several schemes at one operation",
    "I4": "SecurityScopes",
    "I5": "scopes= that is no list",
    "I6": "Documented answers",
    "I7": "auto_error=False",
    "I8": "Subclasses of schemes",
    "J1": "dependencies= with a marker that names nothing to call",
    "J2": "dependencies= with something that is not a marker",
    "J3": "Depends(x) where x cannot be called or does not tell its parameters",
    "J4": "A scope that cannot hold what it uses",
    "J5": "A marker in Annotated and another as default",
    "J6": "A Param in Annotated and a marker as default, or the other way round",
    "J7": "A Param in Annotated and another as default",
    "J8": "A parameter of a type that no request can hold",
    "J9": "max_concurrency that is not a positive integer",
    "J10": "A cycle",
    "J11": "A view whose dependencies nothing resolves",
    "J12": "An annotation that cannot be read",
    "J13": "A parameter read from the path that no path has",
    "J14": "One body declared in two types",
    "J15": "A scope that does not exist; scopes= that is no list of strings",
    "J16": "A Param on the request, on a mapping, or in a path with a default",
    "K1": "A mistake in dependencies= of a router or a mount",
    "K2": "@decorate_view",
    "K6": "Subclasses of API, router and operation",
    "K7": "Hooks and handlers for validation errors",
    "K8": "Test clients",
}

NOT_HERE = {
    "B14": "A cache inside FastAPI; here a callable is read when its view is registered.",
    "C12": "There are no websockets in Ninja.",
    "D8": "There are no websockets in Ninja.",
    "F14": "There are no websockets in Ninja.",
    "G5": "AnyIO's limiter of threads; Django has one thread for each request's sync code.",
    "I9": "There are no websockets in Ninja.",
    "K3": "Ninja serves no frontend.",
    "K4": "Ninja documents neither webhooks nor callbacks.",
    "K5": "Ninja has no telemetry of its own.",
}


def collect(root: Path = marks.TESTS) -> dict[str, list[str]]:
    """Return the tests under *root* by the rows that they name."""
    return marks.by_argument("pytest.mark.row", root)


def render(tests: Mapping[str, Iterable[str]], sentences: Mapping[str, str]) -> str:
    """Return the page of *tests* by row as Markdown, one section for each group."""
    lines = [
        "# FastAPI's behavior, row by row",
        "",
        "Each line is the docstring of the test behind it.",
        "`python -m tests.parity` writes this page from the tests.",
    ]
    for letter, title in GROUPS.items():
        lines += ["", f"## {letter}. {title}"]
        for row, subject in ROWS.items():
            if row.startswith(letter):
                lines += ["", f"### {row}. {subject}", ""]
                lines += [f"- {sentences[test]} `{test}`" for test in tests.get(row, ())]
    lines += ["", "## No counterpart here", "", "| row | why |", "|---|---|"]
    lines += [f"| {row} | {reason} |" for row, reason in NOT_HERE.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    table = render(collect(), marks.sentences())
    TABLE.write_text(table)
    print(table)  # noqa: T201 - what the command is for
