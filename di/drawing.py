"""The graphs below views, for people and for programs: text, mermaid, dot, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from di.graph import Dependant, Dependency
from di.inspection import Dependable
from di.markers import SecurityMarker
from di.rendering import describe, name_of, place_of


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a callable, as a client sends it.

    Attributes:
        name: of the parameter in the request.
        source: "path", "query", "header", "cookie", "body", "form" or "file".
        type: as it is written in the signature.
    """

    name: str
    source: str
    type: str
    is_required: bool

    def __str__(self) -> str:
        return f"{self.source} {self.name}" if self.is_required else f"{self.source} [{self.name}]"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One operation and the graph below its view.

    Attributes:
        methods: of the operation.
        path: of the operation, from the root of the site.
        root: the view.
        inputs: those of each callable in the graph.
        security: the schemes that the operation enforces, each with its OAuth2 scopes.
    """

    methods: Sequence[str]
    path: str
    root: Dependant
    inputs: Mapping[Dependable, Sequence[Input]] = field(default_factory=dict)
    security: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The methods, the path, and the name of the view."""
        return f"{', '.join(self.methods)} {self.path} {name_of(self.root.dependable.call)}"

    def reads(self, dependant: Dependant) -> str:
        """Return the inputs of *dependant*, those with a default in brackets."""
        return ", ".join(map(str, self.inputs.get(dependant.dependable, ())))


def draw_text(drawing: Drawing) -> str:
    """Draw a tree, each dependable below the callable that depends on it.

    A dependable that was drawn before is named again, with three dots for the part below it.
    """
    lines = [f"{describe(drawing.root.dependable.call)}{_reading(drawing, drawing.root)}"]
    lines += _branches(drawing, drawing.root, "", set())
    for name, scopes in drawing.security.items():
        lines.append(f"requires {name}{_scopes(scopes)}")
    return "\n".join(lines)


def draw_mermaid(drawings: Sequence[Drawing]) -> str:
    """Draw one flowchart that GitHub shows, with a titled part for each operation."""
    lines = ["flowchart TD"]
    for index, drawing in enumerate(drawings):
        numbers = _numbered(drawing.root)
        lines.append(f'    subgraph s{index}["{_escaped(drawing.title)}"]')
        for number, dependant in enumerate(numbers.values()):
            label = "<br/>".join(map(_escaped, _label(drawing, dependant)))
            lines.append(f'        n{index}_{number}["{label}"]')
        for source, target, edge in _edges(numbers):
            arrow = f'-->|"{_escaped(_edge_label(edge))}"|' if _edge_label(edge) else "-->"
            lines.append(f"        n{index}_{source} {arrow} n{index}_{target}")
        lines.append("    end")
    return "\n".join(lines)


def draw_dot(drawings: Sequence[Drawing]) -> str:
    """Draw one graph for Graphviz, with a titled cluster for each operation."""
    lines = ["digraph dependencies {", "    node [shape=box];"]
    for index, drawing in enumerate(drawings):
        numbers = _numbered(drawing.root)
        lines.append(f"    subgraph cluster_{index} {{")
        lines.append(f"        label={_quoted(drawing.title)};")
        for number, dependant in enumerate(numbers.values()):
            label = _quoted("\n".join(_label(drawing, dependant)))
            lines.append(f"        n{index}_{number} [label={label}];")
        for source, target, edge in _edges(numbers):
            label = f" [label={_quoted(_edge_label(edge))}]" if _edge_label(edge) else ""
            lines.append(f"        n{index}_{source} -> n{index}_{target}{label};")
        lines.append("    }")
    return "\n".join([*lines, "}"])


def as_data(drawings: Sequence[Drawing]) -> dict[str, Any]:
    """Return all operations as JSON can hold them.

    Each has its nodes, the view first, and the edges between them by their numbers.
    """
    return {"operations": [_operation_data(drawing) for drawing in drawings]}


def _operation_data(drawing: Drawing) -> dict[str, Any]:
    numbers = _numbered(drawing.root)
    return {
        "methods": list(drawing.methods),
        "path": drawing.path,
        "view": name_of(drawing.root.dependable.call),
        "security": {name: list(scopes) for name, scopes in drawing.security.items()},
        "nodes": [
            {
                "name": name_of(one.dependable.call),
                "place": place_of(one.dependable.call),
                "kind": one.dependable.kind.value,
                "scope": one.scope,
                "inputs": [
                    {
                        "name": given.name,
                        "in": given.source,
                        "type": given.type,
                        "required": given.is_required,
                    }
                    for given in drawing.inputs.get(one.dependable, ())
                ],
            }
            for one in numbers.values()
        ],
        "edges": [
            {"from": source, "to": target, "parameter": edge.name, "scopes": _own_scopes(edge)}
            for source, target, edge in _edges(numbers)
        ],
    }


def _branches(drawing: Drawing, dependant: Dependant, indent: str, seen: set[int]) -> Iterator[str]:
    for number, edge in enumerate(dependant.dependencies, 1):
        is_last = number == len(dependant.dependencies)
        below = edge.dependant
        is_known = id(below) in seen
        seen.add(id(below))
        name = f"{edge.name}: " if edge.name else ""
        scope = f" [{below.scope}]" if below.scope else ""
        more = f"{_scopes(_own_scopes(edge))}{_reading(drawing, below)}"
        if is_known:
            more = " …" if below.dependencies else ""
        yield f"{indent}{'└─' if is_last else '├─'} {name}{_described(below)}{scope}{more}"
        if not is_known:
            yield from _branches(drawing, below, indent + ("   " if is_last else "│  "), seen)


def _described(dependant: Dependant) -> str:
    return describe(dependant.dependable.call)


def _reading(drawing: Drawing, dependant: Dependant) -> str:
    reads = drawing.reads(dependant)
    return f" reads {reads}" if reads else ""


def _scopes(scopes: Sequence[str]) -> str:
    return f" with scopes {' '.join(scopes)}" if scopes else ""


def _own_scopes(edge: Dependency) -> list[str]:
    """Return the OAuth2 scopes that the marker of *edge* adds."""
    return list(edge.marker.oauth_scopes) if isinstance(edge.marker, SecurityMarker) else []


def _numbered(root: Dependant) -> dict[int, Dependant]:
    """Return all dependants by their identity, in the order in which they are met."""
    found: dict[int, Dependant] = {}
    waiting = [root]
    while waiting:
        dependant = waiting.pop()
        if id(dependant) not in found:
            found[id(dependant)] = dependant
            waiting += [edge.dependant for edge in reversed(dependant.dependencies)]
    return found


def _edges(numbered: dict[int, Dependant]) -> Iterator[tuple[int, int, Dependency]]:
    numbers = {identity: number for number, identity in enumerate(numbered)}
    for identity, dependant in numbered.items():
        for edge in dependant.dependencies:
            yield numbers[identity], numbers[id(edge.dependant)], edge


def _edge_label(edge: Dependency) -> str:
    return f"{edge.name or ''}{_scopes(_own_scopes(edge))}".strip()


def _label(drawing: Drawing, dependant: Dependant) -> list[str]:
    """Return the lines of a node: its name, its scope, and its inputs."""
    name = name_of(dependant.dependable.call)
    first = f"{name} ({dependant.scope})" if dependant.scope else name
    return [first, *map(str, drawing.inputs.get(dependant.dependable, ()))]


def _escaped(text: str) -> str:
    """Return *text* for a quoted label of mermaid, which reads HTML."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, entity)
    return text


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
