"""A plan as one flat function, written once and called for every request.

What can be decided before is decided here: callables are bound as the function's globals,
values are its locals, and it has nothing that its plan does not need. The source consists
of names and numbers only, and lies in `linecache` for tracebacks and debuggers.

Locals have the names of the parameters that they fill, because tools that hide secrets in
tracebacks go by name: a token is called ``token`` here as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import itertools
import keyword
import linecache
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakValueDictionary, finalize

from pydantic import ValidationError

from di import lifetimes
from di.app_scope import Instance, app_scope
from di.contexts import Attendant, Bridge, Hop
from di.inspection import Kind
from di.lifetimes import NEVER, Lifetime, Slots, State
from di.markers import Scope, SecurityScopes
from di.models import is_model, maker
from di.plan import Plan, Step
from di.rendering import name_of

Reader = Callable[[Any], Mapping[str, Any] | None]
"""Reads one step's inputs from a frame; None if they are not valid."""

ViewCall = Literal["call", "await", "hop", "bridge"]
"""How a view is called: in place, awaited, from an event loop in the request's thread, from
a thread on an event loop."""

BAD: Any = object()
"""The value of a dependable that could not be called, because inputs were not valid."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What fills the inputs of one step.

    Attributes:
        given: attributes of the frame, by the parameter that takes them.
        read: reads all others, if there are any.
        names: of those, if all are always there; None if some may be left out.
        refuse: notes an error of a model that refuses them; returns False if it is another.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    read: Reader | None = None
    names: tuple[str, ...] | None = ()
    refuse: Callable[[Any, ValidationError], bool] | None = None


def compile_resolver(  # noqa: PLR0913 - each keyword decides one thing
    plan: Plan,
    readings: Sequence[Reading],
    *,
    is_async: bool,
    view_call: ViewCall,
    first: str = "",
    is_hidden: bool = False,
) -> Callable[..., Any]:
    """Return ``resolve(frame, view, respond)``, a coroutine function if *is_async*.

    It calls every dependable, then *view* with its arguments, then *respond* with the frame
    and the view's result, leaves the function scope, and returns what *respond* returned. A
    dependable whose inputs, or whose dependencies, are bad is not called; the others still
    are, because what they raise is a better answer than a list of bad inputs. What is
    raised is seen by all that is open; what stays open is in ``frame.left``.

    Args:
        plan: what to resolve.
        readings: one for each step, and one for the view, last.
        is_async: whether the view is served on an event loop.
        view_call: how *view* is called.
        first: the attribute of the frame that the view takes by position.
        is_hidden: leave the function out of Django's and Sentry's error reports.
    """
    writer = _Writer(plan, readings, is_async=is_async, is_hidden=is_hidden)
    writer.write_resolver(view_call, first)
    return writer.compiled("resolve")


class _Writer:
    """Writes the source of one function."""

    def __init__(
        self, plan: Plan, readings: Sequence[Reading], *, is_async: bool, is_hidden: bool = False
    ) -> None:
        self.plan = plan
        self.readings = readings
        self.is_async = is_async
        self.is_hidden = is_hidden
        self.lines: list[str] = []
        self.depth = 0
        self.globals: dict[str, Any] = {
            one.__name__: one
            for one in (
                *(lifetimes.unwind, lifetimes.aunwind, lifetimes.leave, lifetimes.aleave),
                *(lifetimes.never_yielded, lifetimes.yielded_twice, lifetimes.ayielded_twice),
                *(
                    lifetimes.attended,
                    Attendant,
                    Bridge,
                    Hop,
                    Lifetime,
                    SecurityScopes,
                    Slots,
                    keep,
                    akeep,
                ),
            )
        }
        self.globals |= {"BAD": BAD, "NEVER": NEVER, "__name__": __name__}
        self.globals["ValidationError"] = ValidationError
        self.may_be_bad: set[int] = set()
        self.values, self.inputs = _local_names(plan, readings, taken=self.globals)

    def write_resolver(self, view_call: ViewCall, first: str) -> None:
        with self.function(f"{'async ' * self.is_async}def resolve(frame, view, respond)"):
            self.write_prologue(view_call)
            if not self.generators():
                self.write_steps()
                self.write_view(view_call, first)
                self.line("return result")
                return
            with self.block("try"):
                self.write_steps()
                self.write_view(view_call, first)
                self.write_leaving()
            with self.block("except BaseException as error"):
                opened = f"{self.pairs('function')}, {self.pairs('request')}"
                self.line(f"final = {self.twin('unwind')}(error, frame, {opened})")
                with self.block("if final is error"):
                    self.line("raise")
            with self.block("else"):
                self.line("return result")
            self.line("raise final  # above, *error* would become its context again")

    def write_maker(self) -> None:
        """Write ``make(frame)`` instead: the view is a dependable, and stays open."""
        root = self.plan.view
        with self.function(f"{'async ' * self.is_async}def make(frame)"):
            self.write_prologue("call" if root.dependable.kind.is_async else "hop")
            self.write_steps((*self.plan.steps, root))
            if root.dependable.kind.is_generator:
                self.line(
                    f"frame.left = Lifetime([(generator_{root.index}, step_{root.index})], frame)"
                )
            self.line(f"return {self.values[root.index]}")

    def write_prologue(self, view_call: ViewCall) -> None:
        steps = self.plan.steps
        if any(step.limiter for step in steps):
            self.line("frame.slots = slots = Slots()")
        if self.is_async:
            hops = view_call == "hop" or any(self.in_thread(step) for step in steps)
            if hops:
                self.line("frame.hop = hop = Hop()")
        elif view_call == "bridge" or any(
            step.needs_loop and step.own_plan is None for step in steps
        ):
            self.line("frame.bridge = bridge = Bridge()")
        if generators := [f"generator_{step.index}" for step in self.generators()]:
            self.line(f"{' = '.join(generators)} = None")

    def write_steps(self, steps: Sequence[Step] | None = None) -> None:
        steps = self.plan.steps if steps is None else steps
        if not self.is_async:
            for step in steps:
                self.write_step(step, is_here=True)
            return
        for is_awaited, batch in itertools.groupby(steps, key=lambda step: step.is_awaited):
            if is_awaited:
                for step in batch:
                    self.write_step(step, is_here=not self.in_thread(step))
            else:
                self.write_hop(list(batch))

    def write_hop(self, steps: Sequence[Step]) -> None:
        """Write *steps* as a function that is called in the request's thread."""
        with self.in_a_hop(steps):
            for step in steps:
                self.write_step(step, is_here=True)

    def write_step(self, step: Step, *, is_here: bool) -> None:
        """Write the reading of its inputs, and its call unless something is bad.

        Args:
            step: what is called.
            is_here: whether it is called in place, not in the request's thread.
        """
        bad = self.write_reading(step)
        if self.readings[step.index].refuse:
            self.may_be_bad.add(step.index)
        if not bad:
            self.write_call(step, is_here=is_here)
            return
        self.may_be_bad.add(step.index)
        with self.block(f"if {bad}"):
            self.line(f"{self.values[step.index]} = BAD")
        with self.block("else"):
            self.write_call(step, is_here=is_here)

    def write_reading(self, step: Step) -> str:
        """Write the reading of its inputs; return the condition that something is bad, if any."""
        conditions = [
            f"{self.values[need]} is BAD" for need in step.needs if need in self.may_be_bad
        ]
        read = self.readings[step.index].read
        if read is not None:
            self.bind(f"read_{step.index}", read)
            self.line(f"inputs_{step.index} = read_{step.index}(frame)")
            conditions.insert(0, f"inputs_{step.index} is None")
        return " or ".join(conditions)

    def write_inputs(self, step: Step) -> None:
        """Write each input into a local of its own: scrubbers do not look into dictionaries."""
        reading = self.readings[step.index]
        if reading.read is None or reading.names is None:
            return
        for name in reading.names:
            self.line(f"{self.inputs[name]} = inputs_{step.index}[{name!r}]")
        self.line(f"del inputs_{step.index}")

    def write_call(self, step: Step, *, is_here: bool) -> None:
        self.write_inputs(step)
        if step.limiter is None:
            self.write_value(step, is_here=is_here)
            return
        limiter = self.bind(f"limiter_{step.index}", step.limiter)
        self.line(f"{self.twin('slots.acquire', 'slots.aacquire')}({limiter})")
        with self.block("try"):
            self.write_value(step, is_here=is_here)
        # A generator stays inside until it is closed.
        with self.block("except BaseException" if step.scope else "finally"):
            self.line(f"slots.release({limiter})")
            if step.scope:
                self.line("raise")

    def write_value(self, step: Step, *, is_here: bool) -> None:
        number, value = step.index, self.values[step.index]
        if step.own_plan is not None:
            plan = self.bind(f"plan_{number}", step.own_plan)
            keep = "await akeep" if self.is_async and step.needs_loop else "keep"
            self.line(f"{value} = {keep}({plan})")
            return
        if not is_here:
            self.write_hop_alone(step)
            return
        kind = step.dependable.kind
        made = step.dependable.call
        name = self.bind(_call_name(step), maker(made) if is_model(made) else made)
        arguments = ", ".join(self.arguments(step))
        if not kind.is_generator:
            call = f"{'await ' * (kind.is_async and self.is_async)}{name}({arguments})"
            if kind.is_async and not self.is_async:
                call = f"bridge({self.write_calling(step, call)})"
            self.write_made(step, f"{value} = {call}")
            return
        if kind.is_async and not (self.is_async and step.scope != "request"):
            self.write_attending(step, f"{name}({arguments})")
        else:
            self.write_entering(step, f"{name}({arguments})")

    def write_made(self, step: Step, line: str) -> None:
        """Write the *line* that makes a value, which is bad if a model refuses its inputs."""
        if (refuse := self.readings[step.index].refuse) is None:
            self.line(line)
            return
        name = self.bind(f"refuse_{step.index}", refuse)
        with self.block("try"):
            self.line(line)
        with self.block("except ValidationError as error"):
            with self.block(f"if not {name}(frame, error)"):
                self.line("raise")
            self.line(f"{self.values[step.index]} = BAD")

    def write_attending(self, step: Step, generator: str) -> None:
        """Write the same for a *generator* that is closed in another task than this one."""
        number = step.index
        origin = self.bind(f"step_{number}", step)
        # Noted before it is open: this task may be cancelled in the moment in which it opens.
        self.line(f"generator_{number} = Attendant()")
        if self.is_async:
            call = f"await attended(generator_{number}, {generator}, {origin}, is_task=True)"
        else:
            with self.function(f"def attending_{number}()"):
                keeper = f"generator_{number}, {generator}, {origin}, is_task=False"
                self.line(f"return attended({keeper})")
            call = f"bridge(attending_{number})"
        self.line(f"{self.values[number]} = {call}")

    def write_entering(self, step: Step, generator: str) -> None:
        """Write what runs the *generator* of *step* to its yield, and notes that it is open."""
        number, value = step.index, self.values[step.index]
        self.line(f"entered_{number} = {generator}")
        self.line(f"{value} = {self.first_of(step)}")
        origin = self.bind(f"step_{number}", step)
        with self.block(f"if {value} is NEVER"):
            self.line(f"raise never_yielded({origin})")
        self.line(f"generator_{number} = entered_{number}")

    def first_of(self, step: Step) -> str:
        """Return the expression that runs a generator to its yield."""
        if step.dependable.kind is Kind.GENERATOR:
            return f"next(entered_{step.index}, NEVER)"
        return f"await anext(entered_{step.index}, NEVER)"

    def write_hop_alone(self, step: Step) -> None:
        """Write a sync *step* that an event loop has waited for."""
        with self.in_a_hop([step]):
            self.write_value(step, is_here=True)

    @contextlib.contextmanager
    def in_a_hop(self, steps: Sequence[Step]) -> Iterator[None]:
        """Write what resolves *steps* as a function that the request's thread calls."""
        values = [self.values[step.index] for step in steps]
        kept = [
            f"generator_{step.index}"
            for step in steps
            if step.dependable.kind.is_generator and step.own_plan is None
        ]
        name = f"in_thread_{steps[0].index}"
        self.line(f"{' = '.join(values)} = BAD")
        if kept and not self.generators():  # of a maker, whose only one is its root
            self.line(f"{' = '.join(kept)} = None")
        with self.function(f"def {name}()"):
            self.line(f"nonlocal {', '.join(values + kept)}")
            self.is_async = False
            yield
            self.is_async = True
        self.line(f"await hop({name})")

    def write_view(self, view_call: ViewCall, first: str) -> None:
        view = self.plan.view
        if bad := self.write_reading(view):
            with self.block(f"if {bad}"):
                self.line("raise frame.invalid()")
        self.write_inputs(view)
        arguments = ", ".join([f"frame.{first}"] * bool(first) + self.arguments(view))
        call = f"view({arguments})"
        if view_call in ("hop", "bridge"):
            call = f"{view_call}({self.write_calling(view, call)})"
        if view_call in ("hop", "await"):
            call = f"await {call}"
        self.line(f"result = respond(frame, {call})")

    def write_calling(self, step: Step, call: str) -> str:
        """Write a function that makes *call*, which another thread is to make; return its name.

        The functions on the way there would have the arguments in a dictionary, in which
        scrubbers do not look for secrets.
        """
        name = f"calling_{step.index}"
        with self.function(f"def {name}()"):
            self.line(f"return {call}")
        return name

    def write_leaving(self) -> None:
        """Write the closing of the function scope after a success."""
        steps = self.generators("function")
        if any(step.limiter or step.needs_loop is not self.is_async for step in steps):
            self.line(f"opened = {self.pairs('function')}")
            self.line(f"{' = '.join(f'generator_{step.index}' for step in steps)} = None")
            self.line(f"{self.twin('leave')}(frame, opened)")
        else:
            for step in reversed(steps):
                generator = f"generator_{step.index}"
                end = "await anext" if self.is_async else "next"
                self.line(f"closing, {generator} = {generator}, None")
                with self.block(f"if {end}(closing, NEVER) is not NEVER"):
                    twice = self.twin("yielded_twice")
                    self.line(f"raise {twice}((closing, step_{step.index}))")
        if self.generators("request"):
            self.line(f"frame.left = Lifetime({self.pairs('request')}, frame)")
            if any(step.dependable.kind.is_async for step in self.generators("request")):
                self.line("frame.left.let_go()")

    def pairs(self, scope: Scope) -> str:
        """Return the list of a scope's generators, None where one is not open."""
        steps = self.generators(scope)
        return f"[{', '.join(f'(generator_{one.index}, step_{one.index})' for one in steps)}]"

    def generators(self, *scopes: Scope) -> list[Step]:
        """Return the steps that are closed with the request, in some scope or in any."""
        wanted = scopes or ("function", "request")
        return [step for step in self.plan.steps if step.scope in wanted]

    def arguments(self, step: Step) -> list[str]:
        """Return the arguments of a call, as they are written."""
        reading = self.readings[step.index]
        written = [f"{name}=frame.{attribute}" for name, attribute in reading.given.items()]
        if reading.names is None:
            written.append(f"**inputs_{step.index}")
        else:
            written += [f"{name}={self.inputs[name]}" for name in reading.names]
        written += [f"{name}={self.values[index]}" for name, index in step.arguments]
        if step.security_scopes:
            scopes = self.bind(f"scopes_{step.index}", step.oauth_scopes)
            written += [f"{name}=SecurityScopes({scopes})" for name in step.security_scopes]
        return written

    def in_thread(self, step: Step) -> bool:
        """Whether an async view goes to its thread for *step*."""
        return not step.needs_loop and (step.own_plan is not None or step.dependable.is_blocking)

    def twin(self, name: str, other: str | None = None) -> str:
        """Return *name*, or its async twin, awaited."""
        return f"await {other or 'a' + name}" if self.is_async else name

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(f"{head}:")
        self.depth += 1
        yield
        self.depth -= 1

    @contextlib.contextmanager
    def function(self, head: str) -> Iterator[None]:
        with self.block(head):
            if self.is_hidden:
                self.line("__traceback_hide__ = True")
            yield

    def bind(self, name: str, value: object) -> str:
        self.globals[name] = value
        return name

    def compiled(self, name: str) -> Callable[..., Any]:
        view = name_of(self.plan.view.dependable.call)
        source = _source_of("\n".join(self.lines) + "\n", view)
        # Django's debug page reads source from here, and linecache has it for all others.
        self.globals["__loader__"] = source
        exec(compile(source.text, source.filename, "exec"), self.globals)  # noqa: S102 - our own source
        function: Callable[..., Any] = self.globals.pop(name)
        function.__qualname__ = f"{name}[{view}]"
        function.__code__ = function.__code__.replace(co_qualname=function.__qualname__)
        return function


class _Source:
    """The source of generated functions, kept for tracebacks until the last of them is gone."""

    def __init__(self, text: str, filename: str) -> None:
        self.text = text
        self.filename = filename
        entry = (len(text), None, text.splitlines(keepends=True), filename)
        linecache.cache[filename] = entry
        finalize(self, _forget, filename, entry)

    def get_source(self, _module: str) -> str:
        """Return the source, as the loader of a module would."""
        return self.text


def _forget(filename: str, entry: object) -> None:
    """Remove *entry* from linecache, unless another source has the file name by now."""
    if linecache.cache.get(filename) is entry:
        del linecache.cache[filename]


_sources: WeakValueDictionary[str, _Source] = WeakValueDictionary()
_lock = threading.RLock()  # a finalizer may compile in the middle of it


def _source_of(text: str, view: str) -> _Source:
    """Return *text* under a file name that tells its *view*, the same in every process.

    Another text for the same view, such as that of its second mount, gets a number.
    """
    numbered = (f"<di {view} {number}>" for number in itertools.count(2))
    with _lock:
        filename = next(
            one
            for one in itertools.chain([f"<di {view}>"], numbered)
            if getattr(_sources.get(one), "text", text) == text
        )
        source = _sources.get(filename)
        if source is None:
            source = _sources[filename] = _Source(text, filename)
    return source


def _local_names(
    plan: Plan, readings: Iterable[Reading], taken: Iterable[str]
) -> tuple[list[str], dict[str, str]]:
    """Return the locals of all values, by their step's index, and of all inputs, by name.

    A value is called as the first parameter that it fills. In ``dependencies=`` it fills
    none, and is called as its dependable.

    Args:
        plan: the steps whose values have locals.
        readings: the inputs that have locals.
        taken: names that mean something else in the generated function.
    """
    steps = (*plan.steps, plan.view)
    used = {*taken, *_OWN_NAMES, *map(_call_name, steps)}
    used |= {f"{prefix}_{step.index}" for prefix in _NUMBERED for step in steps}
    filled: dict[int, str] = {}
    for step in steps:
        for name, index in step.arguments:
            filled.setdefault(index, name)

    def unused(name: str) -> str:
        local = re.sub(r"\W", "", name, flags=re.ASCII)
        if not local.isidentifier() or keyword.iskeyword(local) or local.startswith("__"):
            local = f"value_{local}"
        numbered = (f"{local}_{number}" for number in itertools.count(2))
        local = next(one for one in itertools.chain([local], numbered) if one not in used)
        used.add(local)
        return local

    values = [unused(filled.get(step.index) or _bare_name(step)) for step in steps]
    names = dict.fromkeys(name for reading in readings for name in reading.names or ())
    return values, {name: unused(name) for name in names}


_OWN_NAMES = (
    *("frame", "view", "respond", "result", "error", "final", "opened", "closing"),
    *("slots", "hop", "bridge", "next", "anext", "BaseException"),
)
"""Names that a generated function uses for itself."""

_NUMBERED = (
    *("generator", "entered", "entering", "inputs", "read", "step", "limiter", "plan"),
    *("scopes", "in_thread", "calling"),
)
"""Those that are followed by the index of a step."""


def _call_name(step: Step) -> str:
    """Return a name for the callable of *step* that tells a reader which it is."""
    return f"call_{step.index}_{re.sub(r'[^A-Za-z0-9_]', '', _bare_name(step))}"


def _bare_name(step: Step) -> str:
    call = inspect.unwrap(step.dependable.call)
    return str(getattr(call, "__name__", type(call).__name__))


def keep(plan: Plan) -> Any:
    """Return what *plan* leads to, made at its first use in this process."""
    return app_scope.get(plan, _make, _amake)


async def akeep(plan: Plan) -> Any:
    """See `keep`."""
    return await app_scope.aget(plan, _amake)


def _make(plan: Plan, context: contextvars.Context) -> Instance:
    state = State()
    value = _maker(plan, is_async=False)(state)
    return Instance(value, plan, _open(state), context)


async def _amake(plan: Plan, context: contextvars.Context) -> Instance:
    state = State()
    value = await _maker(plan, is_async=True)(state)
    if plan.view.dependable.kind.is_async:
        return Instance(value, plan, _open(state), context, asyncio.get_running_loop())
    # What is sync belongs to no loop, and to the context of its thread.
    hop = state.hop or Hop()
    return Instance(value, plan, _open(state), hop.context)


def _maker(plan: Plan, *, is_async: bool) -> Callable[..., Any]:
    writer = _Writer(plan, [Reading()] * (len(plan.steps) + 1), is_async=is_async)
    writer.write_maker()
    return writer.compiled("make")


def _open(state: State) -> Lifetime:
    return state.left or Lifetime([], state)
