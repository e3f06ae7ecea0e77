"""Markers as values."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from di.exceptions import InvalidScopesError, NotInjectedError, UnknownScopeError
from di.markers import Defaults, Depends, Security, SecurityScopes, defaults_of, dependable
from di.rendering import describe


def first() -> None: ...


def second() -> None: ...


@pytest.mark.row("A1", "A2", "A3")
def test_markers_are_values() -> None:
    """Equal arguments make equal markers with equal hashes; any other argument tells them apart."""
    markers = {
        Depends(first),
        Depends(second),
        Depends(first, use_cache=False),
        Depends(first, scope="function"),
        Security(first),
        Security(first, scopes=["a"]),
        Security(first, scopes=["b"]),
    }
    assert len(markers) == 7
    assert Depends(first) in markers
    assert Security(first, scopes=("a",)) in markers
    assert Depends(first) != "Depends(first)"


@pytest.mark.row("A1", "A3")
def test_markers_are_frozen() -> None:
    """Nobody changes a marker that others share."""
    with pytest.raises(AttributeError):
        Depends(first).use_cache = False


@pytest.mark.row("A1", "A2")
@pytest.mark.parametrize(
    ("marker", "text"),
    [
        (Depends(), "Depends()"),
        (Depends(first), "Depends(first)"),
        (
            Depends(first, use_cache=False, scope="request"),
            "Depends(first, use_cache=False, scope='request')",
        ),
        (Security(first), "Security(first)"),
        (Security(first, scopes=["me"]), "Security(first, scopes=['me'])"),
        (SecurityScopes(["a", "b"]), "SecurityScopes(['a', 'b'])"),
    ],
)
def test_markers_read_as_they_are_written(marker: object, text: str) -> None:
    """A marker's repr is the source that makes it."""
    assert repr(marker) == text


@pytest.mark.row("I4")
def test_security_scopes_has_the_string_too() -> None:
    """`scope_str` is what RFC 6750 puts into a challenge."""
    scopes = SecurityScopes(["a", "b"])
    assert (scopes.scopes, scopes.scope_str) == (["a", "b"], "a b")
    assert (SecurityScopes().scopes, SecurityScopes().scope_str) == ([], "")


@pytest.mark.row("F4", "J15")
def test_an_unknown_scope_is_refused() -> None:
    """A misspelled life fails where it is written, and the hint tells OAuth2 scopes apart."""
    with pytest.raises(UnknownScopeError, match=r"no scope 'session'.*\n\nHint: Use \"function\""):
        Depends(first, scope="session")  # type: ignore[arg-type]
    with pytest.raises(UnknownScopeError):
        dependable(scope="forever")  # type: ignore[arg-type]


@pytest.mark.row("I5", "J15")
@pytest.mark.parametrize("make", [list, tuple, iter, lambda names: (one for one in names)])
def test_scopes_are_read_once(make: Any) -> None:
    """From whatever they can be read from: lost scopes would let everybody in."""
    assert Security(first, scopes=make(["a", "b"])) == Security(first, scopes=["a", "b"])


@pytest.mark.parametrize("scopes", ["items", [1]])
def test_scopes_must_be_a_list_of_strings(scopes: Any) -> None:
    """One string is not read as a list of its letters."""
    with pytest.raises(InvalidScopesError, match=r"one string a scope"):
        Security(first, scopes=scopes)


def test_dependable_notes_a_default_scope() -> None:
    """The decorator returns the callable itself, with its default."""
    marked = dependable(scope="function")(lambda: None)
    assert defaults_of(marked) == Defaults("function")
    assert defaults_of(first) == Defaults()


def default_style(request: Any, x: int = Depends(first)) -> None: ...


def test_a_marker_is_an_ordinary_default_elsewhere() -> None:
    """Only Ninja's own question, whether there is a default, is answered by refusing."""
    assert inspect.signature(default_style).parameters["x"].default == Depends(first)


def test_dependable_takes_names_only() -> None:
    """Without parentheses it would swallow the dependable; the error says how to write it."""

    def bare() -> None: ...

    for given in (bare, "app"):
        with pytest.raises(TypeError) as caught:
            dependable(given)  # type: ignore[arg-type]
        assert str(caught.value) == (
            f"dependable() was given {describe(given)}."
            ' Write @dependable(...), with parentheses and names: @dependable(scope="app").'
        )


@pytest.mark.parametrize("marker", [Depends(int), Security(int, scopes=["me"])])
def test_a_marker_is_neither_true_nor_false(marker: Any) -> None:
    """When a marker is taken for its value, then a test of the value raises an error."""
    with pytest.raises(NotInjectedError, match="taken for the value that it stands for") as raised:
        bool(marker)
    assert raised.value.hint
