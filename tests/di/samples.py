"""Callables of every kind, for tests that need one of each."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, Field


def function(n: int = 1) -> int:
    return n


async def coroutine(n: int = 1) -> int:
    return n


def generator(n: int = 1) -> Iterator[int]:
    yield n


async def async_generator(n: int = 1) -> AsyncIterator[int]:
    yield n


class CallsFunction:
    def __call__(self, n: int = 1) -> int:
        return n


class Falsy(CallsFunction):
    def __len__(self) -> int:
        return 0


class Unhashable(CallsFunction):
    __hash__ = None  # type: ignore[assignment]


class CallsCoroutine:
    async def __call__(self, n: int = 1) -> int:
        return n


class CallsGenerator:
    def __call__(self, n: int = 1) -> Iterator[int]:
        yield n


class CallsAsyncGenerator:
    async def __call__(self, n: int = 1) -> AsyncIterator[int]:
        yield n


@contextmanager
def managed(n: int = 1) -> Iterator[int]:
    yield n


@asynccontextmanager
async def async_managed(n: int = 1) -> AsyncIterator[int]:
    yield n


class Holder:
    def method(self, n: int = 1) -> int:
        return n

    @classmethod
    def class_method(cls, n: int = 1) -> int:
        return n

    @staticmethod
    def static_method(n: int = 1) -> int:
        return n

    async def async_method(self, n: int = 1) -> int:
        return n

    partial_method = functools.partialmethod(async_method)

    def generator_method(self, n: int = 1) -> Iterator[int]:
        yield n

    @contextmanager
    def managed_method(self, n: int = 1) -> Iterator[int]:
        yield n


def wraps(call: Any) -> Any:
    """Wrap *call* in a plain function, as most decorators do."""

    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return wrapper


def async_wraps(call: Any) -> Any:
    """Wrap *call* in a coroutine function."""

    @functools.wraps(call)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return wrapper


class Decorator:
    """A decorator that is a class, and whose call is a coroutine function."""

    def __init__(self, call: Any) -> None:
        functools.update_wrapper(self, call)

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)  # type: ignore[attr-defined]


class CallsWrapped:
    """Its ``__call__`` is decorated."""

    @wraps
    def __call__(self, n: int = 1) -> Iterator[int]:
        yield n


class PlainClass:
    def __init__(self, n: int = 1) -> None:
        self.n = n


@dataclass
class DataClass:
    n: int = 1


class Named(NamedTuple):
    n: int = 1


class PydanticModel(BaseModel):
    n: int = 1


class InitElsewhere:
    def __init__(self, it: PlainClass) -> None: ...


@dataclass
class FieldElsewhere:
    it: PlainClass


class TupleElsewhere(NamedTuple):
    it: PlainClass


@dataclass
class WithFactory:
    made: list[int] = field(default_factory=list)


class ModelWithFactory(BaseModel):
    made: list[int] = Field(default_factory=list)


T = TypeVar("T")


class Of(Generic[T]):
    def __init__(self, n: int = 1) -> None:
        self.n = n


VALUES: dict[str, Any] = {
    "function": function,
    "coroutine": coroutine,
    "generator": generator,
    "async generator": async_generator,
    "instance": CallsFunction(),
    "instance, coroutine": CallsCoroutine(),
    "instance, generator": CallsGenerator(),
    "instance, async generator": CallsAsyncGenerator(),
    "method": Holder().method,
    "class method": Holder.class_method,
    "static method": Holder.static_method,
    "async method": Holder().async_method,
    "partial": functools.partial(function),
    "partial of a coroutine": functools.partial(coroutine),
    "partial of a generator": functools.partial(generator),
    "partial of an instance": functools.partial(CallsAsyncGenerator()),
    "wrapped": wraps(function),
    "wrapped coroutine": wraps(coroutine),
    "wrapped generator": wraps(generator),
    "wrapped async generator": wraps(async_generator),
    "lambda": lambda n=1: n,
    "falsy instance": Falsy(),
    "unhashable instance": Unhashable(),
    "cached": functools.cache(function),
    "partial method, coroutine": Holder().partial_method,
    "method, generator": Holder().generator_method,
    "partial of a method, coroutine": functools.partial(Holder().async_method),
    "wrapped instance, coroutine": wraps(CallsCoroutine()),
    "wrapped instance, async generator": wraps(CallsAsyncGenerator()),
    "wrapped partial of a generator": wraps(functools.partial(generator)),
    "partial of a wrapped coroutine": functools.partial(wraps(coroutine)),
    "wrapped twice, generator": wraps(wraps(generator)),
    "instance with a wrapped call, generator": CallsWrapped(),
    "wrapped by a coroutine": async_wraps(function),
    "decorated by a class, coroutine": Decorator(function),
    "contextmanager, generator": managed,
    "asynccontextmanager, async generator": async_managed,
    "contextmanager of a method, generator": Holder().managed_method,
    "wrapped contextmanager, generator": wraps(managed),
    "wrapped asynccontextmanager, async generator": wraps(async_managed),
    "partial of a contextmanager, generator": functools.partial(managed),
}
"""Dependables whose value is their input *n*, an integer or its text."""

OBJECTS: dict[str, Any] = {
    "class": PlainClass,
    "dataclass": DataClass,
    "named tuple": Named,
    "generic class, filled in": Of[int],
    "partial of a class": functools.partial(PlainClass),
    "wrapped class": wraps(PlainClass),
    "pydantic model": PydanticModel,
}
"""Dependables whose value has their input *n* as an attribute."""
