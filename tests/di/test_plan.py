"""Compilation: order, sharing, scopes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from di.graph import analyze
from di.markers import Depends, Security, SecurityScopes
from di.plan import Plan, compile_plan


def a() -> int:
    return 1


def b(a: int = Depends(a)) -> int:
    return a


async def c(a: int = Depends(a), b: int = Depends(b)) -> int:
    return a + b


def reads(scopes: SecurityScopes) -> list[str]:
    return scopes.scopes


def above(found: list[str] = Depends(reads)) -> list[str]:
    return found


def generator() -> Iterator[int]:
    yield 1


def view() -> None: ...


def names(plan: Plan) -> list[str]:
    return [step.dependable.call.__name__ for step in plan.steps]


@pytest.mark.row("D2", "E7")
def test_depth_first_left_to_right_each_once() -> None:
    """A shared dependable is called at its first place only."""
    plan = compile_plan(analyze(view, [Depends(c), Depends(b), Depends(a)]))
    assert names(plan) == ["a", "b", "c"]
    assert plan.steps[2].arguments == (("a", 0), ("b", 1))
    assert plan.view.needs == (2, 1, 0)
    assert plan.view.arguments == ()


@pytest.mark.row("E5", "E6")
def test_use_cache_false_calls_again_and_fills_an_empty_cache() -> None:
    """As in FastAPI, its value is there for a later cached use."""
    again = Depends(a, use_cache=False)
    assert names(compile_plan(analyze(view, [again, again]))) == ["a", "a"]
    assert names(compile_plan(analyze(view, [again, Depends(a)]))) == ["a"]


@pytest.mark.row("E3")
def test_oauth_scopes_are_part_of_what_is_shared() -> None:
    """A check for one set of scopes never serves for another; what reads none is shared."""
    plan = compile_plan(
        analyze(
            view,
            [
                Security(above, scopes=["x"]),
                Security(above, scopes=["y", "x"]),
                Security(above, scopes=["x", "y"]),
                Security(b, scopes=["x"]),
                Depends(b),
            ],
        )
    )
    found = [(step.dependable.call.__name__, step.oauth_scopes) for step in plan.steps]
    assert found == [
        ("reads", ("x",)),
        ("above", ("x",)),
        ("reads", ("y", "x")),
        ("above", ("y", "x")),
        ("a", ("x",)),
        ("b", ("x",)),
        ("b", ()),
    ]


def test_scopes_accumulate_outermost_first() -> None:
    """What a dependable is told is the union from the view down."""

    def inner(found: list[str] = Security(reads, scopes=["in", "out"])) -> list[str]:
        return found

    plan = compile_plan(analyze(view, [Security(inner, scopes=["out"])]))
    assert plan.steps[0].oauth_scopes == ("out", "in")


@pytest.mark.row("E4")
def test_the_scope_of_a_generator_is_part_of_what_is_shared() -> None:
    """One generator in two scopes is opened twice; in one scope, spelled or not, once."""
    markers = [Depends(generator), Depends(generator, scope="request")]
    assert len(compile_plan(analyze(view, markers)).steps) == 1
    markers = [Depends(generator), Depends(generator, scope="function")]
    plan = compile_plan(analyze(view, markers))
    assert [step.scope for step in plan.steps] == ["request", "function"]
    assert plan.outlives_view
    assert not compile_plan(analyze(view, markers[1:])).outlives_view


@pytest.mark.row("E4")
def test_the_scope_of_a_function_is_not() -> None:
    """A plain function has nothing to close: whatever scope= says, it is called once."""
    markers = [Depends(a), Depends(a, scope="function"), Depends(a, scope="request")]
    assert names(compile_plan(analyze(view, markers))) == ["a"]


@pytest.mark.row("E8", "H4")
def test_a_stand_in_and_its_original_are_two_values() -> None:
    """A stand-in that wraps its original is what everybody else gets."""

    def stand_in(real: int = Depends(a)) -> int:
        return -real

    plan = compile_plan(analyze(view, [Depends(a), Depends(b)], {a: stand_in}))
    assert names(plan) == ["a", "stand_in", "b"]
    assert plan.steps[2].arguments == (("a", 1),)
