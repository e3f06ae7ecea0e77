"""The same dependables outside a request: in commands, tasks, signals, the shell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin, overload

from django.http import HttpRequest, HttpResponse
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from di import overrides
from di.annotations import is_special
from di.background import BackgroundTasks
from di.codegen import Reading, ViewCall, compile_resolver
from di.contexts import Hop
from di.exceptions import MissingValueError
from di.graph import analyze
from di.inspection import EMPTY, LEFT_OUT, Parameter
from di.lifetimes import Lifetime, Outcome, State
from di.plan import Plan, Step, compile_plan
from di.rendering import describe

_T = TypeVar("_T")


@overload
def call(function: Callable[..., Awaitable[_T]], /, **values: Any) -> _T: ...
@overload
def call(function: Callable[..., _T], /, **values: Any) -> _T: ...
def call(function: Callable[..., Any], /, **values: Any) -> Any:
    """Call *function* with its dependencies resolved, and return what it returns.

    Inputs, its own and those of its dependables, come from *values* by name, then from
    their defaults. All that was opened is closed when it returns, but for what lives as
    long as the process: a session is committed, or rolled back if it raises. Background
    tasks are run then.

    Raises:
        MissingValueError: an input has neither, or something needs a request.
        TypeError: nobody has an input of that name, or *function* is a generator, which
            would begin when everything is closed.
    """
    plan, readings, state, tasks = _prepare(function, values)
    is_async = plan.view.dependable.kind.is_async
    view_call: ViewCall = "bridge" if is_async else "call"
    resolve = compile_resolver(plan, readings, is_async=False, view_call=view_call)
    result = resolve(state, function, _as_it_is)
    left = state.left or Lifetime([], state)
    if (final := left.close(tasks.run())) is not None:
        raise final
    return result


@overload
async def acall(function: Callable[..., Awaitable[_T]], /, **values: Any) -> _T: ...
@overload
async def acall(function: Callable[..., _T], /, **values: Any) -> _T: ...
async def acall(function: Callable[..., Any], /, **values: Any) -> Any:
    """See `call`. A sync *function* runs where its sync dependables run."""
    plan, readings, state, tasks = _prepare(function, values)
    is_async = plan.view.dependable.kind.is_async
    view_call: ViewCall = "await" if is_async else "hop"
    resolve = compile_resolver(plan, readings, is_async=True, view_call=view_call)
    result = await resolve(state, function, _as_it_is)
    left, hop = state.left or Lifetime([], state), state.hop or Hop()
    if (final := await left.aclose(hop, await tasks.arun(hop))) is not None:
        raise final
    return result


def _as_it_is(_: State, result: Any) -> Any:
    """Stand for what would build a response."""
    return result


def _prepare(
    function: Callable[..., Any], values: Mapping[str, Any]
) -> tuple[Plan, list[Reading], State, BackgroundTasks]:
    plan = compile_plan(analyze(function, (), overrides.current()))
    if plan.view.dependable.kind.is_generator:
        message = (
            f"{describe(function)} is a generator, and would begin when everything is closed."
            " Call a function that depends on it, or that loops over what it needs."
        )
        raise TypeError(message)
    steps = (*plan.steps, plan.view)
    names = {parameter.name for step in steps for parameter in step.inputs}
    if unknown := sorted(values.keys() - names):
        message = f"Nothing below {function!r} has an input called {unknown[0]!r}."
        raise TypeError(message)
    tasks = BackgroundTasks()
    readings = [_reading(plan, step, values, (Outcome(), tasks)) for step in steps]
    return plan, readings, State(), tasks


def _reading(plan: Plan, step: Step, values: Mapping[str, Any], given: Sequence[object]) -> Reading:
    found = {one.name: _value(plan, step, one, values, given) for one in step.inputs}
    passed = {name: value for name, value in found.items() if value is not LEFT_OUT}
    return Reading(read=lambda _: passed, names=tuple(passed)) if passed else Reading()


def _value(
    plan: Plan,
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
    path = [(None, plan.view.dependable.call)]
    if step is not plan.view:
        path.append((None, step.dependable.call))
    if _is_of_a_request(parameter.annotation):
        problem = f"{parameter.name!r} needs a request, and there is none."
        hint = "Pass one, or override the dependable with one that needs none."
    else:
        problem = f"{parameter.name!r} has neither a value nor a default."
        hint = f"Pass it: call(..., {parameter.name}=...)."
    raise MissingValueError(problem, path=path, hint=hint)


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
