"""What contract.md §3 says of resolving, as a model: small, slow, and obviously so.

A graph is a list of nodes; node *i* may depend on nodes before it only. The model walks it
as FastAPI would, with a cache and two stacks, and says which events happen in which order,
what the view gets, and what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """A dependency on node *to*."""

    to: int
    use_cache: bool = True


@dataclass(frozen=True)
class Node:
    """A dependable: what it depends on, and where it fails.

    Attributes:
        scope: "function", "request" or "app" for a generator, None for a function.
        fails: "call" before it has a value, "close" after its yield, "bad" if its input
            is not valid, None.
        on_error: "replaces" one that it sees by another, "swallows" it, or None.
    """

    edges: tuple[Edge, ...] = ()
    scope: str | None = None
    is_async: bool = False
    fails: str | None = None
    on_error: str | None = None


class Failure(Exception):  # noqa: N818 - neither an error nor a warning, a test's own
    """What a node raises; equal by what it says."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Failure) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


BAD = object()


@dataclass
class Outcome:
    """What happened, in order, and how it ended: a status, and what was logged."""

    events: list[str]
    ending: str


class Model:
    """One request for a view that depends on *top* of *nodes*."""

    def __init__(self, nodes: list[Node], top: tuple[Edge, ...], *, view_fails: bool) -> None:
        self.nodes = nodes
        self.top = top
        self.view_fails = view_fails
        self.events: list[str] = []
        self.cache: dict[int, object] = {}
        self.counter = 0
        self.open: dict[str, list[int]] = {"function": [], "request": [], "app": []}
        self.kept: dict[int, object] = {}

    def run(self) -> Outcome:
        """Resolve, call the view, close; return what is seen from outside."""
        error: Failure | None = None
        is_valid = True
        try:
            values = [self.resolve(edge) for edge in self.top]
            is_valid = BAD not in values
            if is_valid:
                self.events.append(f"view {values}")
                if self.view_fails:
                    raise Failure("view")
        except Failure as raised:
            error = raised
        if error is None and not is_valid:
            error = Failure("422")
        error = self.close("function", error)
        if error is not None:
            error = self.close("request", error)
            return Outcome(self.events, f"answer {error}")
        logged = self.close("request", None)
        return Outcome(self.events, "answer ok" + (f", log {logged}" if logged else ""))

    def resolve(self, edge: Edge) -> object:
        """Return the value of a node, `BAD` if it could not be called."""
        node = self.nodes[edge.to]
        if node.scope == "app":
            return self.keep(edge.to, node)
        if edge.use_cache and edge.to in self.cache:
            return self.cache[edge.to]
        values = [self.resolve(inner) for inner in node.edges]
        is_bad = BAD in values or node.fails == "bad"
        value = BAD if is_bad else self.call(edge.to, node, values)
        self.cache.setdefault(edge.to, value)
        return value

    def keep(self, index: int, node: Node) -> object:
        """Return the one value of a node; what it is made of belongs to its making alone."""
        if index not in self.kept:
            cache, self.cache = self.cache, {}
            try:
                values = [self.resolve(inner) for inner in node.edges]
            finally:
                self.cache = cache
            self.kept[index] = self.call(index, node, values)
        return self.kept[index]

    def call(self, index: int, node: Node, values: list[object]) -> object:
        """Call a node with *values*, or enter it."""
        self.events.append(f"call {index} {values}")
        if node.fails == "call":
            raise Failure(f"call {index}")
        if node.scope is not None:
            self.open[node.scope].append(index)
        self.counter += 1
        return self.counter

    def close(self, scope: str, error: Failure | None) -> Failure | None:
        """Close a stack; each node sees what came out of the one inside it."""
        while self.open[scope]:
            index = self.open[scope].pop()
            node = self.nodes[index]
            self.events.append(f"close {index} {error}")
            if error is not None and node.on_error == "swallows":
                continue  # nobody can make a failure a success
            if node.fails == "close" or (error is not None and node.on_error == "replaces"):
                error = Failure(f"close {index}")
        return error
