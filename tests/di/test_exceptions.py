"""Errors as a stranger reads them."""

from __future__ import annotations

import inspect

import pytest

from di import exceptions

ERRORS = [
    error
    for _, error in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(error, exceptions.DependencyError)
]


def test_data_first_text_second() -> None:
    """An error has its parts as attributes; its text is the sentence, the path, the hint."""
    error = exceptions.DependencyCycleError("It is so.", path=[(None, max)], hint="Do this.")
    assert (error.problem, error.path, error.hint) == ("It is so.", ((None, max),), "Do this.")
    assert str(error) == "It is so. (di.E001)\n\n    builtins.max\n\nHint: Do this."
    assert str(exceptions.DependencyError("Only that.")) == "Only that. (di.E000)"


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_an_id_and_a_sentence(error: type[exceptions.DependencyError]) -> None:
    """No two share an id."""
    assert error.__doc__
    assert [other.check_id for other in ERRORS].count(error.check_id) == 1
