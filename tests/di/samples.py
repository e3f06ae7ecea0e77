"""Callables of every kind, for tests that need one of each."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


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


class CallsCoroutine:
    async def __call__(self, n: int = 1) -> int:
        return n


class CallsGenerator:
    def __call__(self, n: int = 1) -> Iterator[int]:
        yield n


class CallsAsyncGenerator:
    async def __call__(self, n: int = 1) -> AsyncIterator[int]:
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


def wraps(call: Any) -> Any:
    """Wrap *call* in a plain function, as most decorators do."""

    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return wrapper


class PlainClass:
    def __init__(self, n: int = 1) -> None:
        self.n = n


@dataclass
class DataClass:
    n: int = 1


class PydanticModel(BaseModel):
    n: int = 1


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
}
"""Dependables whose value is their input *n*, an integer or its text."""

OBJECTS: dict[str, Any] = {
    "class": PlainClass,
    "dataclass": DataClass,
    "pydantic model": PydanticModel,
}
"""Dependables whose value has their input *n* as an attribute."""
