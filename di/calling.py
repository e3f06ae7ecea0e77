"""The same dependables outside a request: in commands, tasks, signals, the shell."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, NoReturn, TypeVar, get_args, get_origin, overload

from django.http import HttpRequest, HttpResponse
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import di.adapters  # noqa: F401 - it is registered by being imported
from di import overrides
from di.annotations import is_special
from di.background import BackgroundTasks
from di.codegen import Reading, ViewCall, compile_resolver
from di.contexts import Hop, on_lasting_loop
from di.exceptions import MissingValueError, UnsupportedArgumentError
from di.graph import analyze, ways_from
from di.inspection import EMPTY, LEFT_OUT, Parameter
from di.lifetimes import Lifetime, Outcome, State
from di.plan import Step, compile_plan
from di.rendering import describe
from di.sensitive import is_sensitive
from di.unfilled import resolves

_T = TypeVar("_T")


@overload
def call(function: Callable[..., Awaitable[_T]], /, **values: Any) -> _T: ...
@overload
def call(function: Callable[..., _T], /, **values: Any) -> _T: ...
@resolves
def call(function: Callable[..., Any], /, **values: Any) -> Any:
    """Call *function* with its dependencies resolved, and return what it returns.

    Inputs, its own and those of its dependables, come from *values* by name, then from
    their defaults. All that was opened is closed when it returns, but for what lives as
    long as the process: a session is committed, or rolled back if it raises. Background
    tasks are run then.

    Raises:
        MissingValueError: an input has neither, or something needs a request.
        UnsupportedArgumentError: there is no input of that name.
        TypeError: *function* is a generator, which would begin when everything is closed.
    """
    compiled = _compiled(function, is_async=False)
    state, tasks = compiled.prepare(values)
    del values  # a traceback would show them all under this one name
    result = compiled.resolve(state, function, _as_it_is)
    left = state.left or Lifetime([], state)
    if (final := left.close(tasks.run())) is not None:
        raise final
    return result


@overload
async def acall(function: Callable[..., Awaitable[_T]], /, **values: Any) -> _T: ...
@overload
async def acall(function: Callable[..., _T], /, **values: Any) -> _T: ...
@resolves
async def acall(function: Callable[..., Any], /, **values: Any) -> Any:
    """See `call`. A sync *function* runs where its sync dependables run."""
    compiled = _compiled(function, is_async=True)
    state, tasks = compiled.prepare(values)
    del values  # a traceback would show them all under this one name
    if compiled.plan.uses_app_loop:
        return await on_lasting_loop(_aresolve, compiled, state, tasks)
    return await _aresolve(compiled, state, tasks)


async def _aresolve(compiled: _Compiled, state: State, tasks: BackgroundTasks) -> Any:
    result = await compiled.resolve(state, compiled.function, _as_it_is)
    left, hop = state.left or Lifetime([], state), state.hop or Hop()
    if (final := await left.aclose(hop, await tasks.arun(hop))) is not None:
        raise final
    return result


def _as_it_is(_: State, result: Any) -> Any:
    """Stand for what would build a response."""
    return result


class _Call(State):
    """One call, with the inputs of each step."""

    __slots__ = ("inputs",)

    def __init__(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self.inputs = inputs


class _Compiled:
    """What is the same in all calls of a function."""

    def __init__(self, function: Callable[..., Any], *, is_async: bool) -> None:
        self.root = analyze(function, (), overrides.current())
        self.plan = compile_plan(self.root)
        kind = self.plan.view.dependable.kind
        if kind.is_generator:
            message = (
                f"{describe(function)} is a generator, and would run after its dependencies are"
                " closed."
                " Call a function that depends on it, or that loops over what it needs."
            )
            raise TypeError(message)
        self.function = function
        self.steps = (*self.plan.steps, self.plan.view)
        self.names = {parameter.name for step in self.steps for parameter in step.inputs}
        self.resolve = compile_resolver(
            self.plan,
            [_reading(step) for step in self.steps],
            is_async=is_async,
            view_call=_VIEW_CALLS[is_async, kind.is_async],
            is_hidden=is_sensitive(self.plan, function),
        )

    def prepare(self, values: Mapping[str, Any]) -> tuple[_Call, BackgroundTasks]:
        """Return the state of one call in which inputs have *values*."""
        if unknown := sorted(values.keys() - self.names):
            self._refuse(unknown[0])
        tasks = BackgroundTasks()
        given = (Outcome(), tasks)
        inputs = [
            {
                one.name: value
                for one in step.inputs
                if (value := self._value(step, one, values, given)) is not LEFT_OUT
            }
            for step in self.steps
        ]
        return _Call(inputs), tasks

    def _refuse(self, name: str) -> NoReturn:
        """Refuse a value that nothing takes; a dependency is not an input."""
        path = [(None, self.function)]
        for way in ways_from(self.root).values():
            filled, dependency = way[-1]
            if filled == name:
                problem = f"{name!r} is a dependency, and call() resolves those itself."
                called = getattr(dependency, "__name__", "f")
                hint = f"Override it: with override({{{called}: lambda: value}}): call(...)."
                raise UnsupportedArgumentError(problem, path=way, hint=hint)
        problem = f"Neither the function nor anything below it has an input called {name!r}."
        known = ", ".join(sorted(self.names)) or "none"
        hint = f"Pass inputs by their names; there are: {known}."
        raise UnsupportedArgumentError(problem, path=path, hint=hint)

    def _value(
        self,
        step: Step,
        parameter: Parameter,
        values: Mapping[str, Any],
        given: Sequence[object],
    ) -> Any:
        if parameter.name in values:
            return values[parameter.name]
        for one in given:
            if is_special(parameter.annotation, type(one)):
                return one
        default = _default(parameter)
        if default is not EMPTY:
            return default
        if _is_of_a_request(parameter.annotation):
            problem = f"{parameter.name!r} needs a request, and there is none."
            hint = f"Pass it: call(..., {parameter.name}=...), or override the dependable."
        else:
            problem = f"{parameter.name!r} has neither a value nor a default."
            hint = f"Pass it: call(..., {parameter.name}=...)."
        path = ways_from(self.root)[step.dependable]
        raise MissingValueError(problem, path=path, hint=hint)


_VIEW_CALLS: dict[tuple[bool, bool], ViewCall] = {
    (False, False): "call",
    (False, True): "bridge",
    (True, False): "hop",
    (True, True): "await",
}
"""How to call a function, from where and of what kind: async or not."""

_compile_once = functools.lru_cache(maxsize=128)(_Compiled)


def _compiled(function: Callable[..., Any], *, is_async: bool) -> _Compiled:
    """Return what is compiled of *function*; of one of a module's own, once.

    Others may hold on to what somebody else wants to see go.
    """
    is_lasting = inspect.isfunction(function) and not function.__closure__
    if not is_lasting or overrides.current():
        return _Compiled(function, is_async=is_async)
    return _compile_once(function, is_async=is_async)


def _reading(step: Step) -> Reading:
    """Return what hands *step* its inputs; some are left out where they have a default."""
    if not step.inputs:
        return Reading()
    has_all = all(parameter.default is not LEFT_OUT for parameter in step.inputs)
    names = tuple(parameter.name for parameter in step.inputs) if has_all else None
    return Reading(read=lambda call: call.inputs[step.index], names=names)


def _default(parameter: Parameter) -> Any:
    """Return the default of *parameter*, also one inside a Param."""
    declared = parameter.default
    if declared is EMPTY and get_origin(parameter.annotation) is Annotated:
        declared = next(
            (one for one in get_args(parameter.annotation) if isinstance(one, FieldInfo)), EMPTY
        )
    if not isinstance(declared, FieldInfo):
        return declared
    default = declared.get_default(call_default_factory=True, validated_data={})
    return EMPTY if default in (PydanticUndefined, ...) else default


def _is_of_a_request(annotation: object) -> bool:
    return is_special(annotation, HttpRequest) or is_special(annotation, HttpResponse)
