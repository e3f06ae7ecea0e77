"""Ways to lose a dependency, and code that looks like one and is right."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, Self

from asgiref.sync import sync_to_async
from django.http import HttpRequest

from di import Depends, HTTPException


def verify(request: HttpRequest) -> str:
    """Return the caller's name; there is none without a header."""
    if (name := request.headers.get("X-Name")) is None:
        raise HTTPException(401)
    return name


def name_of(request: HttpRequest, name: str = Depends(verify)) -> str:
    return str(name)


# Constructors.


class Base:
    def __init__(self, name: str = Depends(verify)) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


class ByKeywords(Base):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class ByPosition(Base):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)


class OldSuper(Base):
    def __init__(self, **kwargs: Any) -> None:
        super(OldSuper, self).__init__(**kwargs)  # noqa: UP008 - as it is written, too


class ByName(Base):
    def __init__(self, **kwargs: Any) -> None:
        Base.__init__(self, **kwargs)


class WithoutArguments(Base):
    def __init__(self, n: int = 1) -> None:
        super().__init__()


class Twice(ByKeywords):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class Middle(Base):
    """Between two others in the order of resolution."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class Side(Base):
    def __init__(self, side: str = Depends(verify), **kwargs: Any) -> None:
        super().__init__(**kwargs)


class Diamond(Middle, Side):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(name="n", **kwargs)


class New:
    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return super().__new__(cls)

    def __init__(self, name: str = Depends(verify)) -> None:
        self.name = name


class NewOfBase(Base):
    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return super().__new__(cls)


class Meta(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


class OfMeta(metaclass=Meta):
    def __init__(self, name: str = Depends(verify)) -> None:
        self.name = name


class CheckingMeta(type):
    def __call__(cls, *args: Any, name: str = Depends(verify)) -> Any:
        return super().__call__(name)


class MetaOfMeta(CheckingMeta):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


class OfMetaOfMeta(metaclass=MetaOfMeta):
    def __init__(self, name: str) -> None:
        self.name = name


@dataclass
class PostInit:
    n: int = 1

    def __post_init__(self, name: str = Depends(verify)) -> None:  # noqa: RUF033 - the mistake
        self.name = name


@dataclass
class WithFactory:
    base: Base = field(default_factory=Base)


class Slotted:
    __slots__ = ("call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)


# Instances and methods.


class Callee:
    def __call__(self, request: HttpRequest, name: str = Depends(verify)) -> str:
        return name


class CallsSuper(Callee):
    def __call__(self, *args: Any, **kwargs: Any) -> str:
        return super().__call__(*args, **kwargs)


class CallsMethod:
    def __call__(self, request: HttpRequest) -> str:
        return self.check(request)

    def check(self, request: HttpRequest, name: str = Depends(verify)) -> str:
        return name


class CallsTwoMethods(CallsMethod):
    def __call__(self, request: HttpRequest) -> str:
        return self.first(request)

    def first(self, request: HttpRequest) -> str:
        return self.check(request)


class CallsStatic:
    def __call__(self, request: HttpRequest) -> str:
        return self.check(request)

    @staticmethod
    def check(request: HttpRequest, name: str = Depends(verify)) -> str:
        return name


class CallsClassMethod:
    def __call__(self, **kwargs: Any) -> str:
        return self.check(**kwargs)

    @classmethod
    def check(cls, name: str = Depends(verify)) -> str:
        return name


class CallsPartial:
    check = functools.partialmethod(CallsMethod.check)

    def __call__(self, request: HttpRequest) -> Any:
        return self.check(request)


class Factory:
    @classmethod
    def make(cls, **kwargs: Any) -> Factory:
        return cls(**kwargs)

    def __init__(self, name: str = Depends(verify)) -> None:
        self.name = name


class PrivateDecorator:
    def __init__(self, call: Callable[..., Any]) -> None:
        self.__call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__call(*args, **kwargs)


class HasStaticCall:
    @staticmethod
    def __call__(*args: Any, **kwargs: Any) -> Any:
        return name_of(*args, **kwargs)


# Decorators.


def dropping(call: Callable[..., Any]) -> Callable[..., Any]:
    """Show the dependencies, and pass none of them."""

    @functools.wraps(call)
    def inner(request: HttpRequest, **kwargs: Any) -> Any:
        return call(request)

    return inner


def in_a_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    async def inner(*args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(call)(*args, **kwargs)

    return inner


def by_dunder_call(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda request: [call.__call__(request)]


def renamed_at_once(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(request: HttpRequest) -> Any:
        return (run := call)(request) or run

    return inner


def cached(call: Callable[..., Any]) -> Callable[..., Any]:
    inner = functools.lru_cache(call)

    def outer(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    return outer


def with_own_signature(call: Callable[..., Any]) -> Callable[..., Any]:
    """State a signature, and pass on nothing more than that shows."""

    def inner(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    parameters = list(inspect.signature(call).parameters.values())
    inner.__signature__ = inspect.Signature(parameters[:1])  # type: ignore[attr-defined]
    return inner


def by_getattr(call: Callable[..., Any]) -> Callable[..., Any]:
    holder = types.SimpleNamespace(check=call)

    def inner(request: HttpRequest) -> Any:
        return getattr(holder, "check")(request)  # noqa: B009 - as it is written, too

    return inner


def calls_another(request: HttpRequest) -> str:
    return name_of(request)


def one_more(*args: Any, **kwargs: Any) -> str:
    return name_of(*args, **kwargs)


def two_more(*args: Any, **kwargs: Any) -> str:
    return one_more(*args, **kwargs)


def variable(*names: Annotated[str, Depends(verify)]) -> str:
    return str(names)


def variable_keywords(**names: Annotated[str, Depends(verify)]) -> str:
    return str(names)


LOSING: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(ByKeywords, ByPosition, OldSuper, ByName, WithoutArguments, Twice, Diamond, New),
        *(
            NewOfBase,
            OfMeta,
            OfMetaOfMeta,
            PostInit,
            WithFactory,
            variable,
            variable_keywords,
            calls_another,
        ),
    )
} | {
    "two functions": two_more,
    "slotted": Slotted(name_of),
    "calls super": CallsSuper(),
    "calls a method": CallsMethod(),
    "calls two methods": CallsTwoMethods(),
    "calls a static method": CallsStatic(),
    "calls a class method": CallsClassMethod(),
    "calls a partial method": CallsPartial(),
    "class method": Factory.make,
    "private attribute": PrivateDecorator(name_of),
    "static call": HasStaticCall(),
    "dropping": dropping(name_of),
    "in a thread": in_a_thread(name_of),
    "getattr": by_getattr(name_of),
    "dunder call": by_dunder_call(name_of),
    "cached": cached(name_of),
    "renamed at once": renamed_at_once(name_of),
    "own signature": with_own_signature(name_of),
    "bound method": CallsTwoMethods().first,
    "partial": functools.partial(CallsTwoMethods().first),
    "partial of a constructor": functools.partial(ByKeywords),
}
"""Dependables whose check would not run."""


# Code that is right.


class PassesOwn(Base):
    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(verify(request), **kwargs)


class PassesOwnByName(Base):
    def __init__(self, name: Annotated[str, Depends(verify)], **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)


class SetsDefault(Base):
    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        kwargs.setdefault("name", verify(request))
        super().__init__(**kwargs)


class Inherits(Base):
    """It has the constructor of its base."""


class OwnSingleton(type):
    """Makes one instance, and passes on all that it shows."""

    def __call__(cls, name: str = Depends(verify)) -> Any:
        return super().__call__(name)


class OfSingleton(metaclass=OwnSingleton):
    def __init__(self, name: str = Depends(verify)) -> None:
        self.name = name

    __str__ = Base.__str__


class FillingMeta(type):
    """Passes a value of its own."""

    def __call__(cls, request: HttpRequest) -> Any:
        return super().__call__(verify(request))


class OfFilling(metaclass=FillingMeta):
    def __init__(self, name: str = Depends(verify)) -> None:
        self.name = name

    __str__ = Base.__str__


@dataclass
class OwnPostInit:
    name: InitVar[str] = Depends(verify)  # noqa: RUF009 - a marker is no value

    def __post_init__(self, name: str = Depends(verify)) -> None:  # noqa: RUF033 - it is passed
        self.found = name

    def __str__(self) -> str:
        return self.found


def stating(call: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate with a signature of its own, as the `decorator` package does."""

    def inner(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    inner.__signature__ = inspect.signature(call)  # type: ignore[attr-defined]
    return inner


class Updating:
    """Decorates as a class that copies what describes a function."""

    def __init__(self, call: Callable[..., Any]) -> None:
        functools.update_wrapper(self, call)
        self.call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)


def made_for(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a dependable that calls another with its own value."""

    def inner(request: HttpRequest) -> Any:
        return call(request, verify(request))

    return inner


def filling(call: Callable[..., Any]) -> Callable[..., Any]:
    """Fill a parameter, and show the others."""

    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        kwargs["name"] = verify(request)
        return call(request, *args, **kwargs)

    inner.__signature__ = inspect.signature(lambda request: None)  # type: ignore[attr-defined]
    return inner


def twice(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def inner(*args: Any, **kwargs: Any) -> Any:
        call(*args, **kwargs)
        return call(*args, **kwargs)

    return inner


def in_a_right_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    async def inner(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return await sync_to_async(call)(*args, **kwargs)

    return inner


class OwnMethod:
    def __call__(self, request: HttpRequest, name: str = Depends(verify)) -> str:
        return self.check(request, name=name)

    def check(self, request: HttpRequest, *, name: str = Depends(verify)) -> str:
        return name


def calls_with_value(request: HttpRequest, found: str = Depends(verify)) -> str:
    return name_of(request, found)


def shadows_a_name(request: HttpRequest, found: str = Depends(verify)) -> str:
    """Call a function of its own that has the name of one with a dependency."""

    def name_of(end: str) -> str:
        return found + end

    return calls_with_value(request, name_of(""))


def imports_a_name(request: HttpRequest, found: str = Depends(verify)) -> str:
    from builtins import str as name_of

    try:
        raise KeyError
    except KeyError as error:
        return calls_with_value(request, name_of(found)) if error.args == () else ""


RIGHT: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(PassesOwn, PassesOwnByName, SetsDefault, Inherits, OfSingleton, OfFilling, OwnPostInit),
        *(calls_with_value, shadows_a_name, imports_a_name),
    )
} | {
    "states its signature": stating(name_of),
    "updates a class": Updating(name_of),
    "factory": made_for(name_of),
    "fills": filling(name_of),
    "twice": twice(name_of),
    "in a thread": in_a_right_thread(name_of),
    "own method": OwnMethod(),
}
"""Dependables whose check runs: their value is the caller's name."""


# Code that holds a dependable, and whose source does not tell how it is called.


def renaming(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **kwargs: Any) -> Any:
        run = call
        return run(*args, **kwargs)

    return inner


def popping(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("n", None)
        return call(*args, **kwargs)

    return inner


def spreading(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **kwargs: Any) -> Any:
        return call(*args, *list(kwargs.values()))

    return inner


def each_of(*calls: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **kwargs: Any) -> Any:
        return [call(*args, **kwargs) for call in calls]

    return inner


def named(call: Callable[..., Any]) -> Callable[..., Any]:
    calls = {"only": call}

    def inner(request: HttpRequest, *args: Any) -> Any:
        return calls["only"](request, *args)

    return inner


def chosen(call: Callable[..., Any]) -> Callable[..., Any]:
    choose = functools.singledispatch(call)

    def inner(request: HttpRequest) -> Any:
        return choose(request)

    return inner


class Descriptor:
    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call

    def __get__(self, instance: object, owner: type) -> Any:
        return self.call


def by_descriptor(call: Callable[..., Any]) -> Any:
    class Checks:
        check = Descriptor(call)

        def __call__(self, request: HttpRequest) -> Any:
            return self.check(request)

    return Checks()


TABLE: dict[str, Callable[..., Any]] = {}


def from_a_table(call: Callable[..., Any]) -> Callable[..., Any]:
    TABLE["call"] = call

    def inner(request: HttpRequest) -> Any:
        return TABLE["call"](request)

    return inner


def handing_over(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(request: HttpRequest) -> Any:
        return asyncio.to_thread(call, request)

    return inner


def in_a_later_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(request: HttpRequest) -> Any:
        run = sync_to_async(call)
        return run(request)

    return inner


class Holder:
    def __init__(self, call: Callable[..., Any]) -> None:
        self.calls = [call]

    def __call__(self, request: HttpRequest, **kwargs: Any) -> Any:
        return self.calls[0](request, **kwargs)


def without_source(call: Callable[..., Any]) -> Callable[..., Any]:
    namespace: dict[str, Any] = {}
    source = "def decorate(call):\n    return lambda *args, **kwargs: call(*args, **kwargs)"
    exec(source, namespace)  # noqa: S102 - as libraries do
    return namespace["decorate"](call)  # type: ignore[no-any-return]


def global_without_source(call: Callable[..., Any]) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"call": call}
    exec("def inner(request): return call(request)", namespace)  # noqa: S102 - as libraries do
    return namespace["inner"]  # type: ignore[no-any-return]


UNCLEAR: dict[str, Callable[[Any], Any]] = {
    one.__name__: one
    for one in (
        *(renaming, popping, spreading, each_of, named, handing_over, in_a_later_thread, Holder),
        *(without_source, global_without_source, chosen, by_descriptor, from_a_table),
    )
}


def follow_the_hint(call: Any, held: Any) -> Any:
    """Do as the hint says with what a decorator has made of *held*."""
    return functools.update_wrapper(call, held)
