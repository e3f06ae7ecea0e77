"""The graph below a view, for people and for programs: text, mermaid, dot, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from di.graph import Dependant
from di.rendering import describe, name_of, place_of


def draw_text(root: Dependant) -> str:
    """Draw *root* as a tree, each dependable below what it is for.

    What was drawn before is named, with three dots for what is below it.
    """
    lines = [describe(root.dependable.call)]
    lines += _branches(root, "", set())
    return "\n".join(lines)


def draw_mermaid(root: Dependant) -> str:
    """Draw *root* as a flowchart that GitHub shows."""
    numbers = _numbered(root)
    lines = ["flowchart TD"]
    for number, dependant in enumerate(numbers.values()):
        shown = _label(dependant).replace('"', "#quot;")
        lines.append(f'    n{number}["{shown}"]')
    for source, target, name in _edges(numbers):
        lines.append(
            f'    n{source} -->|"{name}"| n{target}' if name else f"    n{source} --> n{target}"
        )
    return "\n".join(lines)


def draw_dot(root: Dependant) -> str:
    """Draw *root* for Graphviz."""
    numbers = _numbered(root)
    lines = ["digraph dependencies {", "    node [shape=box];"]
    for number, dependant in enumerate(numbers.values()):
        lines.append(f"    n{number} [label={json.dumps(_label(dependant))}];")
    for source, target, name in _edges(numbers):
        label = f" [label={json.dumps(name)}]" if name else ""
        lines.append(f"    n{source} -> n{target}{label};")
    return "\n".join([*lines, "}"])


def as_data(root: Dependant) -> dict[str, Any]:
    """Return *root* as what JSON can hold: nodes, the root first, and edges between them."""
    numbers = _numbered(root)
    return {
        "nodes": [
            {
                "name": name_of(one.dependable.call),
                "place": place_of(one.dependable.call),
                "kind": one.dependable.kind.value,
                "scope": one.scope,
                "inputs": [parameter.name for parameter in one.inputs],
            }
            for one in numbers.values()
        ],
        "edges": [
            {"from": source, "to": target, "parameter": name}
            for source, target, name in _edges(numbers)
        ],
    }


def _branches(dependant: Dependant, indent: str, seen: set[int]) -> Iterator[str]:
    for number, edge in enumerate(dependant.dependencies, 1):
        is_last = number == len(dependant.dependencies)
        below = edge.dependant
        is_known = id(below) in seen
        seen.add(id(below))
        name = f"{edge.name}: " if edge.name else ""
        scope = f" [{below.scope}]" if below.scope else ""
        dots = " …" if is_known and below.dependencies else ""
        text = f"{name}{describe(below.dependable.call)}{scope}{dots}"
        yield f"{indent}{'└─' if is_last else '├─'} {text}"
        if not is_known:
            yield from _branches(below, indent + ("   " if is_last else "│  "), seen)


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


def _edges(numbered: dict[int, Dependant]) -> Iterator[tuple[int, int, str | None]]:
    numbers = {identity: number for number, identity in enumerate(numbered)}
    for identity, dependant in numbered.items():
        for edge in dependant.dependencies:
            yield numbers[identity], numbers[id(edge.dependant)], edge.name


def _label(dependant: Dependant) -> str:
    name = name_of(dependant.dependable.call)
    return f"{name} ({dependant.scope})" if dependant.scope else name
