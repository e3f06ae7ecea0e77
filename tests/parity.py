"""FastAPI's behavior row by row: what is true of each row here, and the tests that prove it.

A test names its rows in ``@pytest.mark.row("A5", "B3")``. ``python -m tests.parity`` prints
the table and writes it to PARITY.md.
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
    "A1": "Depends(f, use_cache=, scope=, max_concurrency=) returns a frozen marker, typed Any.",
    "A2": "Security(f, scopes=) is a Depends with OAuth2 scopes, and takes all that Depends takes.",
    "A3": "Markers can be hashed, lists of scopes included; equal ones are equal.",
    "A4": "x: T = Depends(f) works in views and in dependables.",
    "A5": "Annotated[T, Depends(f)] works; of several markers and Params in it the last wins.",
    "A6": "A default beside Annotated[T, Depends(f)] is never used.",
    "A7": "Depends() calls the annotated class; on Any, a Protocol or an ABC it is refused.",
    "A8": "Type aliases are resolved to any depth; a marker inside another type is refused.",
    "A9": "A marker counts without its type; an unreadable annotation is else refused by name.",
    "A10": "A quoted annotation is evaluated, whole or in part.",
    "A11": "What a dependable returns is handed over as it is: its annotation validates nothing.",
    "A12": "Markers go into views, dependables and dependencies= of API, mount, router, operation.",
    "B1": "Functions and lambdas; called in the view's own thread, no hop in sync views.",
    "B2": "Coroutine functions; awaited in async views, bridged in sync ones.",
    "B3": "Generators; entered and closed in one thread and one context.",
    "B4": "Async generators; closed also when the request is cancelled.",
    "B5": "Classes; the parameters of their constructor are read.",
    "B6": "Callable instances, by the kind of their __call__; unhashable ones by identity.",
    "B7": "Bound, static and class methods; a bound method is called once a request.",
    "B8": "Partials, by the kind of what they wrap; what is bound is no input.",
    "B9": "Wrapped functions; kind and signature are those of what is inside.",
    "B10": "Functions under @contextmanager and @asynccontextmanager; entered and closed.",
    "B11": "A coroutine that a plain function returns is a value, not awaited.",
    "B12": "Dataclasses, named tuples, models; each field is an input.",
    "B13": "A view may be depended on as any function.",
    "B15": "Arguments go in by name; *args and **kwargs stay empty; a marker before / is refused.",
    "B16": "A builtin that does not tell its parameters is refused.",
    "C1": "Every kind of input, at any depth, read for each dependable by itself.",
    "C2": "Where an input comes from follows Ninja's rules; a name in the path is from the path.",
    "C3": "Names in the prefix of a mount reach dependables as path inputs.",
    "C4": "Path() where the path has no such name is a 422; a default on a path input is not used.",
    "C5": "One name in several dependables is validated in each by its own type, documented once.",
    "C6": "Inputs are documented in the order in which they are read, the view's last.",
    "C7": "One body is bare, several are embedded; one name in two places is one body.",
    "C8": "A form or a file makes the operation a form; bodies beside it are JSON in its fields.",
    "C9": "A body is read with every method that declares one.",
    "C10": "The body is parsed when first needed: an earlier refusal wins over bad JSON, a 400.",
    "C11": "HttpRequest, HttpResponse, SecurityScopes, BackgroundTasks are given by annotation.",
    "C13": "One HttpResponse a request: what any dependable sets on it adds up.",
    "C14": "Headers, cookies and status so set arrive; a view's own response wins on a clash.",
    "C15": "A response that a dependable returns is a value; only raising ends the request.",
    "C16": "BackgroundTasks is one object a request; its tasks run after the response was sent.",
    "C17": "Only declared names get values; those of dependencies= are dropped, and shared.",
    "D1": "API, mounts and routers from the outside in, operation, parameters left to right.",
    "D2": "For each dependable: dependencies, then inputs, then the call; one after the other.",
    "D3": "Bad inputs stop only what needs them; all errors come in one 422, each once.",
    "D4": "An exception wins over every 422, declared before it or after.",
    "D5": "A 422 has Ninja's format.",
    "D6": "HTTPException answers with status, detail, headers; handlers run after the closing.",
    "D7": "Nothing is resolved for a 404, a 405 or the documentation.",
    "E1": "A dependable is called once a request for each use that is alike, None included.",
    "E2": "Callables that are equal share a value.",
    "E3": "OAuth2 scopes tell uses apart where the marker adds some or something below reads them.",
    "E4": "scope= tells generators apart; without it and with their default they are shared.",
    "E5": "use_cache=False calls again; each such generator is closed by itself.",
    "E6": "use_cache=False is honored in dependencies= too.",
    "E7": "What is below a shared dependable is resolved and validated once.",
    "E8": "A stand-in is shared as what it stands in for.",
    "F1": "A request has two scopes, function inside request.",
    "F2": "Request scope, the default, ends after the last byte and the background tasks.",
    "F3": "Function scope ends after the response is built and before it is sent.",
    "F4": "An unknown scope is refused.",
    "F5": "Generators close in reverse order, function scope first.",
    "F6": "A longer-lived generator may not rest on a shorter-lived one, however far below.",
    "F7": "A generator sees every exception raised after its yield, a 422 included.",
    "F8": "A generator may raise another exception; outer ones and the client get that.",
    "F9": "An error in the closing is the answer in function scope, and logged in request scope.",
    "F10": "An exception cannot be swallowed in request scope: it goes on, and that is logged.",
    "F11": "The same in function scope.",
    "F12": "A generator that never yields is a 500; a second yield is an error as in F9.",
    "F13": "A stream is sent with request scope open and function scope closed.",
    "F15": "Cancellation and disconnect close every generator, exactly once.",
    "F16": "Uploaded files stay open until every dependable is closed.",
    "G1": "What an async dependable sets in the context, the view sees, sync or async.",
    "G2": "So it is with a sync one, and a generator may reset what it set.",
    "G3": "All sync code of a request runs in one thread.",
    "G4": "max_concurrency=N lets N calls of a marker run at once; generators count until closed.",
    "H1": "api.dependency_overrides is read at each request; a request keeps what it began with.",
    "H2": "Overrides of an API hold in its routers and in no other API.",
    "H3": "A stand-in has inputs and dependencies of its own, which can be overridden too.",
    "H4": "An override is one step; inside its stand-in the original is itself.",
    "H5": "Dependables at every level can be overridden, callable instances by equality.",
    "H6": "A stand-in gets the scopes that are required of the original.",
    "H7": "A stand-in's own inputs are read, a first body included.",
    "H8": "A stand-in may be of another kind; a scope that it violates is an error of its request.",
    "H9": "A stand-in that tells nothing of its parameters gets none: a mock can stand in.",
    "H10": "The documentation shows the originals.",
    "I1": "A scheme is documented where it is enforced, at any depth and level.",
    "I2": "A scheme has its scheme_name or its class's; two that differ under one are refused.",
    "I3": "All schemes of an operation are one requirement: AND, as they are enforced.",
    "I4": "SecurityScopes are those of the path from the view down, outermost first, each once.",
    "I5": "scopes= must be a list: a string is refused.",
    "I6": "As in Ninja, the answers that response= names are documented, and no 422 beside them.",
    "I7": "auto_error=False gives None instead of an error, malformed credentials included.",
    "I8": "A subclass changes the refusal, the challenge, or the check of a key.",
    "J1": "dependencies= with a marker that names nothing to call.",
    "J2": "dependencies= with something that is not a marker.",
    "J3": "Depends(x) where x cannot be called or does not tell its parameters.",
    "J4": "A scope that cannot hold what it rests on, with both ends and the path between.",
    "J5": "A marker in Annotated and another as default.",
    "J6": "A Param in Annotated and a marker as default, or the other way round.",
    "J7": "A Param in Annotated and another as default.",
    "J8": "A parameter of a type that no request can hold, with the hint to depend on it.",
    "J9": "max_concurrency that is not a positive integer.",
    "J10": "A cycle, with its path.",
    "J11": "A view whose dependencies nothing resolves, for want of inject.",
    "J12": "An annotation that cannot be read, by parameter and name.",
    "J13": "A parameter read from the path that no path has.",
    "J14": "One body declared in two types.",
    "J15": "A scope that does not exist; scopes= that is no list of strings.",
    "J16": "A Param in the wrong place: on the request, on a mapping, in a path with a default.",
    "K1": "A mistake in dependencies= of a router or a mount is found before the first request.",
    "K2": "@decorate_view wraps an operation, its dependencies included.",
    "K6": "API, router and operation may be subclassed, by others too; nothing has to be patched.",
    "K7": "Validation errors pass through the API's own hook and handlers.",
    "K8": "Ninja's and Django's test clients resolve and close as a server does.",
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


def render(tests: Mapping[str, Iterable[str]]) -> str:
    """Return the table of *tests* by row as Markdown, one section a group."""
    lines = [
        "# FastAPI's behavior, row by row",
        "",
        "What is true of each row here. `python -m tests.parity` writes this from the tests.",
    ]
    for letter, title in GROUPS.items():
        lines += [
            "",
            f"## {letter}. {title}",
            "",
            "| row | what is true | tests |",
            "|---|---|---|",
        ]
        lines += [
            marks.line(row, text, tests.get(row, ()))
            for row, text in ROWS.items()
            if row.startswith(letter)
        ]
    lines += ["", "## No counterpart here", "", "| row | why |", "|---|---|"]
    lines += [f"| {row} | {reason} |" for row, reason in NOT_HERE.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    table = render(collect())
    TABLE.write_text(table)
    print(table)  # noqa: T201 - what the command is for
