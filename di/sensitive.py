"""Django's ``@sensitive_variables``, around dependables and views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from django.views.decorators.debug import coroutine_functions_to_sensitive_variables

from di.inspection import layers_of
from di.plan import Plan


def is_sensitive(plan: Plan, view: Callable[..., Any]) -> bool:
    """Return True if *view* or any dependable in *plan* has sensitive variables.

    The function that resolves *plan* holds the same values in variables of its own, and
    Django only hides those of the decorated function and of the functions below it.
    """
    return any(_has_sensitive_variables(one) for one in (view, *_calls(plan)))


def _calls(plan: Plan) -> Iterator[Callable[..., Any]]:
    for step in plan.steps:
        yield step.dependable.call
        if step.own_plan is not None:
            yield from _calls(step.own_plan)


def _has_sensitive_variables(call: Callable[..., Any]) -> bool:
    codes = [layer.__code__ for layer in layers_of(call) if type(layer) is FunctionType]
    # A sync function is wrapped, of a coroutine function Django remembers the first line.
    return any(
        code.co_name == "sensitive_variables_wrapper"
        or hash(f"{code.co_filename}:{code.co_firstlineno}")
        in coroutine_functions_to_sensitive_variables
        for code in codes
    )
