"""The calls that a function makes, as its source says."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a name, or an attribute of a name, is read.

    Attributes:
        node: the expression.
        call: the call that it is part of, None if there is none.
        is_called: whether it is called there; otherwise it is an argument.
        is_opened: whether only an attribute of it is read.
    """

    node: ast.AST
    call: ast.Call | None
    is_called: bool
    is_opened: bool


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The body of one function.

    Attributes:
        calls: all its calls, those of nested functions included.
        chained: calls whose result is called at once.
        bound: names that mean something of its own: variables, nested functions, imports.
        touched: names that are used otherwise than as ``*name`` or ``**name`` in a call.
        uses: the uses of each ``name`` and each ``name.attribute``.
    """

    calls: tuple[ast.Call, ...]
    chained: frozenset[ast.Call]
    bound: frozenset[str]
    touched: frozenset[str]
    uses: dict[str, list[Use]]


@functools.lru_cache(maxsize=512)
def read_source(code: CodeType) -> Source | None:
    """Return the source of the function that has *code*, None where it cannot be read."""
    try:
        text = inspect.getsource(code)
        # Indented as it stands in its file: a block makes that valid.
        tree = ast.parse(f"if True:\n{text}" if text[:1].isspace() else text)
    except (OSError, TypeError, SyntaxError):
        return None
    nodes = (node for node in ast.walk(tree) if isinstance(node, _Function))
    functions = [node for node in nodes if _is_of(node, code)]
    return _source_of(functions[0]) if len(functions) == 1 else None


@functools.lru_cache(maxsize=4096)
def names_in(code: CodeType) -> frozenset[str]:
    """Return the names and attributes that *code* reads, nested functions included.

    A text may be the name of an attribute, too, for ``getattr``.
    """
    nested = (names_in(one) for one in code.co_consts if isinstance(one, CodeType))
    texts = (one for one in code.co_consts if isinstance(one, str) and one.isidentifier())
    return frozenset((*code.co_names, *texts)).union(*nested)


def dotted(node: ast.AST) -> str | None:
    """Return ``name`` or ``name.attribute``, None for everything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None


def _is_of(node: _Function, code: CodeType) -> bool:
    """Return True if *node* is the function that was compiled to *code*."""
    name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
    return name == code.co_name and _parameters(node) == code.co_varnames[: _count(code)]


def _parameters(node: _Function) -> tuple[str, ...]:
    """Return the names of the parameters of *node*, in the order of ``co_varnames``."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    variable = [one for one in (arguments.vararg, arguments.kwarg) if one]
    return tuple(one.arg for one in (*named, *variable))


def _count(code: CodeType) -> int:
    flags = (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS)
    variable = sum(bool(code.co_flags & flag) for flag in flags)
    return code.co_argcount + code.co_kwonlyargcount + variable


def _source_of(function: _Function) -> Source:
    body = function.body if isinstance(function.body, list) else [function.body]
    parents = {
        child: node
        for part in body
        for node in ast.walk(part)
        for child in ast.iter_child_nodes(node)
    }
    nodes = [node for part in body for node in ast.walk(part)]
    uses: dict[str, list[Use]] = {}
    touched = set()
    for node in nodes:
        name = dotted(node)
        if name is not None:
            uses.setdefault(name, []).append(_use(node, parents))
        if isinstance(node, ast.Name) and not _is_passed_on(node, parents):
            touched.add(node.id)
    calls = tuple(node for node in nodes if isinstance(node, ast.Call))
    bound = frozenset(name for node in nodes for name in _bound_by(node))
    chained = frozenset(call.func for call in calls if isinstance(call.func, ast.Call))
    return Source(calls, chained, bound, frozenset(touched), uses)


def _use(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Use:
    parent = parents.get(node)
    if isinstance(parent, ast.keyword):
        parent = parents.get(parent)
    if isinstance(parent, ast.Call):
        return Use(node, parent, is_called=parent.func is node, is_opened=False)
    return Use(node, None, is_called=False, is_opened=isinstance(parent, ast.Attribute))


def _is_passed_on(node: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return True for the name in ``f(*name)`` and in ``f(**name)``."""
    parent = parents.get(node)
    if isinstance(parent, ast.Starred):
        return isinstance(parents.get(parent), ast.Call)
    return isinstance(parent, ast.keyword) and parent.arg is None


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that *node* gives a meaning of their own."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
