"""What tests are marked with, read from their source without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

TESTS = Path(__file__).parent

Arguments = tuple[str, ...]


def collect(call: str, root: Path = TESTS) -> dict[str, list[Arguments]]:
    """Return the tests under *root* that have *call* in a decorator, with its arguments.

    A test has the marks of its class and of its module, too.

    Args:
        call: as it is written, such as ``pytest.mark.row``; arguments that are no literals
            are left out.
        root: a folder of tests.
    """
    found = {}
    for path in sorted(root.rglob("test_*.py")):
        module = path.relative_to(root.parent).as_posix()
        body = ast.parse(path.read_text(), module).body
        found.update(_tests_of(call, body, module, _of_pytestmark(call, body)))
    return {test: arguments for test, arguments in found.items() if arguments}


def by_argument(call: str, root: Path = TESTS) -> dict[str, list[str]]:
    """Return the tests of `collect` by each of the arguments."""
    found: dict[str, list[str]] = {}
    for test, arguments in collect(call, root).items():
        for argument in dict.fromkeys(chain.from_iterable(arguments)):
            found.setdefault(argument, []).append(test)
    return found


def sentences(root: Path = TESTS) -> dict[str, str]:
    """Return the docstring of each test under *root*, on one line."""
    found = {}
    for path in sorted(root.rglob("test_*.py")):
        module = path.relative_to(root.parent).as_posix()
        body = ast.parse(path.read_text(), module).body
        for name, function in _functions_of(body, module):
            found[name] = " ".join((ast.get_docstring(function) or "").split())
    return found


def line(name: str, text: str, tests: Iterable[str]) -> str:
    """Return a line of a table in Markdown: what *text* says of *name*, and what proves it."""
    return f"| {name} | {text} | {'<br>'.join(f'`{test}`' for test in tests)} |"


def _functions_of(
    body: list[ast.stmt], name: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _functions_of(statement.body, f"{name}::{statement.name}")
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{name}::{statement.name}", statement


def _tests_of(
    call: str, body: list[ast.stmt], name: str, inherited: list[Arguments]
) -> Iterator[tuple[str, list[Arguments]]]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            own = _in(call, statement.decorator_list) + _of_pytestmark(call, statement.body)
            inner = f"{name}::{statement.name}"
            yield from _tests_of(call, statement.body, inner, inherited + own)
        elif isinstance(
            statement, (ast.FunctionDef, ast.AsyncFunctionDef)
        ) and statement.name.startswith("test_"):
            yield f"{name}::{statement.name}", inherited + _in(call, statement.decorator_list)


def _of_pytestmark(call: str, body: list[ast.stmt]) -> list[Arguments]:
    return _in(
        call,
        (
            statement.value
            for statement in body
            if isinstance(statement, ast.Assign)
            and any(
                isinstance(one, ast.Name) and one.id == "pytestmark" for one in statement.targets
            )
        ),
    )


def _in(call: str, expressions: Iterable[ast.expr]) -> list[Arguments]:
    """Return the arguments of every *call* inside *expressions*."""
    return [
        tuple(argument.value for argument in node.args if isinstance(argument, ast.Constant))
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == call
    ]
