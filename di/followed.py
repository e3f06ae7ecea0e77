"""One call of one function, read instead of run: what it passes, and to which callables."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from types import FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, get_origin

from asgiref.sync import async_to_sync, sync_to_async

from di.annotations import closure_of
from di.declared import defaults_of, own_markers, parameter_names, variable_names
from di.markers import Marker
from di.source import Source, names_in

UNKNOWN: Any = object()
"""The value of an expression that cannot be told from the source."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The arguments of a call.

    Attributes:
        positional: how many are passed by position.
        keywords: the names of the others.
        is_open: whether there may be more, so that nothing is certainly missing.
    """

    positional: int = 0
    keywords: frozenset[str] = frozenset()
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Instance:
    """Any instance of *cls*."""

    cls: type


@dataclass(frozen=True, slots=True)
class Constructor:
    """Stands for ``type.__call__`` on *cls*, which calls ``__new__`` and ``__init__``."""

    cls: type


class Frame:
    """One call of *function*.

    Args:
        function: a function with Python code.
        me: its first argument, if it is a method, a constructor or a metaclass's.
        passed: its arguments, *me* included.
    """

    def __init__(self, function: FunctionType, me: Any, passed: Passed) -> None:
        code = function.__code__
        names = parameter_names(code)
        self.function = function
        self.me = me
        self.passed = passed
        self.names = names
        self.filled = {*names[: min(passed.positional, code.co_argcount)], *passed.keywords}
        self.args, self.kwargs = variable_names(code)
        self.more_args = max(passed.positional - code.co_argcount, 0)
        self.more_keywords = passed.keywords - frozenset(names)

    @property
    def passes_on(self) -> bool:
        """Return True if it takes arguments that only another call can be meant for."""
        return self.args is not None or self.kwargs is not None

    def missing(self, *, is_direct: bool) -> list[str]:
        """Return the parameters whose markers nothing fills.

        In a direct call one with another default than its marker takes that, as its
        caller wants.
        """
        if self.passed.is_open:
            return []
        if is_direct:
            defaults = defaults_of(self.function).items()
            markers = [name for name, default in defaults if isinstance(default, Marker)]
        elif self.filled.issuperset(self.names) and not self.passes_on:
            return []
        else:
            markers = list(own_markers(self.function))
        return [name for name in markers if name not in self.filled or name not in self.names]

    def passed_by(self, call: ast.Call, source: Source) -> Passed:
        """Return the arguments that *call*, a part of *source*, passes."""
        positional, keywords, is_open = 0, set(), False
        for argument in call.args:
            if not isinstance(argument, ast.Starred):
                positional += 1
            elif self._is_own(argument.value, self.args, source.bound):
                positional += self.more_args
                is_open |= self.passed.is_open
            else:
                is_open = True
        for keyword in call.keywords:
            if keyword.arg is not None:
                keywords.add(keyword.arg)
            elif self._is_own(keyword.value, self.kwargs, source.bound | source.touched):
                keywords |= self.more_keywords
                is_open |= self.passed.is_open
            else:
                is_open = True
        return Passed(positional, frozenset(keywords), is_open)

    def forwards(self, call: ast.Call) -> bool:
        """Return True if *call* passes on ``*args`` or ``**kwargs``."""
        starred = any(isinstance(argument, ast.Starred) for argument in call.args)
        return starred or any(keyword.arg is None for keyword in call.keywords)

    def resolve(self, node: ast.AST, source: Source) -> Any:
        """Return the value of an expression, `UNKNOWN` if it cannot be told."""
        if isinstance(node, ast.Name):
            return UNKNOWN if node.id in source.bound else self.named(node.id)
        if isinstance(node, ast.NamedExpr):
            return self.resolve(node.value, source)
        if isinstance(node, ast.Attribute):
            if _is_super(node.value):
                return self._inherited(node.attr)
            return attribute_of(self.resolve(node.value, source), node.attr)
        return self._result_of(node, source) if isinstance(node, ast.Call) else UNKNOWN

    def named(self, name: str) -> Any:
        """Return the value of a name that the body does not bind."""
        if name in self.names:
            if name == self.names[0] and self.me is not UNKNOWN:
                return self.me
            is_filled = self.passed.is_open or name in self.filled
            return UNKNOWN if is_filled else defaults_of(self.function).get(name, UNKNOWN)
        if name in self.function.__code__.co_freevars:
            return closure_of(self.function).get(name, UNKNOWN)
        return self.function.__globals__.get(name, getattr(builtins, name, UNKNOWN))

    def candidates(self, node: ast.AST, source: Source) -> Iterator[Any]:
        """Yield the values of which a call of *node* calls one; its source does not tell which."""
        if isinstance(node, ast.Subscript):  # an item of a table
            yield from contents_of(self.resolve(node.value, source))
        elif isinstance(node, ast.Call):  # the result of a function that chooses
            yield from closure_of(self.resolve(node.func, source)).values()
        elif isinstance(node, ast.Attribute):
            yield from _held_by_descriptor(self.resolve(node.value, source), node.attr)

    def is_global(self, node: ast.AST, source: Source) -> bool:
        """Return True if an expression begins with a name of the module."""
        while isinstance(node, ast.Attribute):
            node = node.value
        known = {*self.names, *self.function.__code__.co_freevars, *source.bound}
        return isinstance(node, ast.Name) and node.id not in known

    def reached(self) -> Iterator[tuple[Any, bool]]:
        """Yield the values that it may call, and whether each is its module's."""
        names = names_in(self.function.__code__)
        for value in closure_of(self.function).values():
            yield value, False
            if type(value) is not FunctionType and not is_class(value):
                yield from ((attribute_of(value, name), False) for name in names)
        yield from ((self.named(name), False) for name in self.names if name not in self.filled)
        if self.me is not UNKNOWN:
            yield self.me, False
            for name in names:
                yield attribute_of(self.me, name), False
                yield from ((value, False) for value in _held_by_descriptor(self.me, name))
            if "__class__" in self.function.__code__.co_freevars:
                yield from ((self._inherited(name), False) for name in names)
        for name in names:
            value = self.function.__globals__.get(name, UNKNOWN)
            yield value, True
            if type(value) is ModuleType:
                yield from ((vars(value).get(one, UNKNOWN), True) for one in names)

    def _is_own(self, node: ast.AST, name: str | None, changed: frozenset[str]) -> bool:
        return isinstance(node, ast.Name) and node.id == name and name not in changed

    def _result_of(self, node: ast.Call, source: Source) -> Any:
        """Return the function in ``sync_to_async(function)`` and in ``getattr(value, "name")``."""
        maker = self.resolve(node.func, source)
        if is_transparent(maker) and len(node.args) == 1:
            return self.resolve(node.args[0], source)
        if maker is not getattr or len(node.args) == 1 or node.keywords:
            return UNKNOWN
        name = getattr(node.args[1], "value", None)
        base = self.resolve(node.args[0], source)
        return attribute_of(base, name) if isinstance(name, str) else UNKNOWN

    def _inherited(self, name: str) -> Any:
        """Return the value of ``super().name``."""
        here = closure_of(self.function).get("__class__")
        owner = self.me.cls if type(self.me) is Instance else self.me
        for cls in (owner, type(owner)):
            mro = cls.__mro__ if is_class(cls) else ()
            if here not in mro:
                continue
            for base in mro[mro.index(here) + 1 :]:
                if name in vars(base):
                    is_plain = base is type and name == "__call__"
                    found = vars(base)[name]
                    return Constructor(self.me) if is_plain else _bound(found, self.me, cls)
        return UNKNOWN


def attribute_of(base: Any, name: str) -> Any:
    """Return ``base.name`` without running code, `UNKNOWN` if that cannot be told."""
    if name == "__call__" and type(base) in (FunctionType, MethodType):
        return base
    if type(base) is ModuleType:
        return vars(base).get(name, UNKNOWN)
    if is_class(base):
        found = inspect.getattr_static(base, name, UNKNOWN)
        return found if type(found) is FunctionType else _bound(found, base, base)
    cls = base.cls if type(base) is Instance else type(base)
    own = {} if type(base) is Instance else _dict_of(base)
    for key in _spellings(name, cls):
        found = own[key] if key in own else inspect.getattr_static(cls, key, UNKNOWN)
        if found is not UNKNOWN:
            return found if key in own else _bound(found, base, cls)
    return UNKNOWN


def _held_by_descriptor(base: Any, name: str) -> Iterator[Any]:
    """Yield the values that a descriptor of the user's own holds, which returns one of them."""
    cls = base.cls if type(base) is Instance else type(base)
    found = inspect.getattr_static(cls, name, UNKNOWN)
    if type(found) is not FunctionType and hasattr(type(found), "__get__"):
        yield from _dict_of(found).values()


def code_of(value: Any) -> Iterator[tuple[FunctionType, Any]]:
    """Yield the functions that a call of *value* begins with, each with its first argument."""
    if type(value) is FunctionType:
        yield value, UNKNOWN
    elif type(value) is MethodType:
        yield from ((function, value.__self__) for function, _ in code_of(value.__func__))
    elif type(value) is Constructor:
        yield from _constructors(value.cls)
    elif is_class(cls := get_origin(value) or value):
        called = inspect.getattr_static(type(cls), "__call__")
        if type(called) is FunctionType:
            yield called, cls
        yield from _constructors(cls)
    elif (inner := inside(value)) is not value:
        yield from code_of(inner)


def _constructors(cls: type) -> Iterator[tuple[FunctionType, Any]]:
    new = inspect.getattr_static(cls, "__new__")
    init = inspect.getattr_static(cls, "__init__")
    if type(new) is staticmethod:
        yield from ((function, cls) for function, _ in code_of(new.__func__))
    if type(init) is FunctionType:
        yield init, Instance(cls)


def hooks_of(cls: type) -> Iterator[tuple[Any, int]]:
    """Yield the callables that a generated constructor calls, and how many arguments each gets."""
    init = inspect.getattr_static(cls, "__init__")
    passed_on: set[str] = set()
    if is_dataclass(cls) and type(init) is FunctionType:
        passed_on.update(parameter_names(init.__code__)[1:])
        passed_on.difference_update(one.name for one in fields(cls))
        yield from ((one.default_factory, 0) for one in fields(cls))
    known = {"__post_init__": len(passed_on), "__attrs_post_init__": 0, "model_post_init": 1}
    for name, positional in known.items():
        method = attribute_of(Instance(cls), name)
        if type(method) is MethodType:
            yield method, positional


def inside(value: Any) -> Any:
    """Return the callable in Python that runs when *value* is called, or *value* itself."""
    if type(value) in (FunctionType, MethodType, Constructor, Instance) or value is UNKNOWN:
        return value
    if isinstance(value, functools.partial):
        return value.func
    if type(value) in (staticmethod, *_C_WRAPPERS):
        return value.__wrapped__
    return value if is_class(get_origin(value) or value) else attribute_of(value, "__call__")


def is_class(value: object) -> bool:
    """Return True for a class; a mock of one says that it is a class, too."""
    return issubclass(type(value), type)


def reaches_marker(frame: Frame, seen: set[object]) -> bool:
    """Return True if a call below *frame* may lose a marker; its source is not read yet."""
    for value, is_global in frame.reached():
        for held in contents_of(value):
            for function, me in code_of(held):
                key = function, key_of_me(me)
                if is_global and not frame.passes_on:
                    if _has_marker(function):
                        return True
                elif key not in seen:
                    seen.add(key)
                    below = Frame(function, me, Passed())
                    if own_markers(function) or reaches_marker(below, seen):
                        return True
    return False


def _has_marker(function: FunctionType) -> bool:
    """Return True if a parameter of *function* has a marker as its default."""
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    return any(isinstance(default, Marker) for default in defaults)


def is_transparent(callee: object) -> bool:
    """Return True if *callee* makes of a function one that takes the same arguments."""
    return callee is async_to_sync or callee is sync_to_async


def contents_of(value: Any) -> tuple[Any, ...]:
    """Return *value*, or the items of a collection of Python's own."""
    if isinstance(value, dict):
        return tuple(value.values())
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def key_of_me(me: Any) -> object:
    """Return the key of a first argument; it need not be hashable."""
    return me if type(me) is Instance else id(me)


_C_WRAPPERS = (type(functools.lru_cache(lambda: None)),)
"""Callables without Python code that call another."""


def _bound(found: Any, me: Any, cls: type) -> Any:
    """Return an attribute that was *found* on *cls*, as it is seen from *me*."""
    if type(found) is FunctionType:
        return MethodType(found, me)
    if type(found) is staticmethod:
        return found.__func__
    if type(found) is classmethod:
        return MethodType(found.__func__, cls) if callable(found.__func__) else UNKNOWN
    if isinstance(found, functools.partialmethod):
        return functools.partial(_bound(found.func, me, cls), *found.args, **found.keywords)
    if type(found) is MemberDescriptorType:
        return UNKNOWN if type(me) is Instance else getattr(me, found.__name__, UNKNOWN)
    return UNKNOWN if hasattr(type(found), "__get__") else found


def _spellings(name: str, cls: type) -> Iterator[str]:
    """Yield *name*, and the names that Python may have made of a private one."""
    yield name
    if name.startswith("__") and not name.endswith("__"):
        yield from (f"_{one.__name__.lstrip('_')}{name}" for one in cls.__mro__)


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", None) == "super"


def _dict_of(value: Any) -> dict[str, Any]:
    try:
        return dict(object.__getattribute__(value, "__dict__"))
    except AttributeError:
        return {}
