"""The table of FastAPI's behavior: complete, and no older than the tests."""

from __future__ import annotations

from pathlib import Path

from tests import marks, parity

SAMPLE = """
import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.row("A1")]


@pytest.mark.row("A2", "A3")
def test_function(): ...


@pytest.mark.row("A4")
class TestClass:
    pytestmark = pytest.mark.row("A5")

    @pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.row("A6"))])
    async def test_method(self, n): ...

    @pytest.mark.row("A7")
    def helper(self): ...


@pytest.mark.row("A1")
def test_twice():
    '''When a docstring has
    two lines, then it is one sentence.'''
"""


def test_the_table_is_what_the_tests_say() -> None:
    """`python -m tests.parity` would change nothing."""
    assert parity.TABLE.read_text() == parity.render(parity.collect(), marks.sentences())


def test_a_row_says_nothing_of_its_own() -> None:
    """When a row is read, then it is a subject, and the sentences below it are the tests' own."""
    page = parity.render(
        {"C4": ["tests/test_sample.py::test_one"]},
        {"tests/test_sample.py::test_one": "When the path lacks the name, then check fails."},
    )
    assert "### C4. A path input whose name the path lacks\n\n- When the path lacks" in page
    assert [subject for subject in parity.ROWS.values() if subject.endswith(".")] == []


def test_every_proof_has_a_sentence() -> None:
    """When a test proves a row, then its docstring is a sentence."""
    sentences = marks.sentences()
    proofs = {test for tests in parity.collect().values() for test in tests}
    assert [test for test in sorted(proofs) if not sentences[test].endswith(".")] == []


def test_every_row_has_a_test() -> None:
    """What is said to be true is proved somewhere."""
    assert set(parity.ROWS) - set(parity.collect()) == set()


def test_no_test_names_an_unknown_row() -> None:
    """A row in a marker is one of the table, and not of those without a counterpart."""
    assert {row: tests for row, tests in parity.collect().items() if row not in parity.ROWS} == {}


def test_a_row_is_either_here_or_not() -> None:
    """Every row of the reference is in one of the two lists, in no other, and in a group."""
    last = {"A": 12, "B": 16, "C": 17, "D": 8, "E": 8, "F": 16, "G": 5, "H": 10, "I": 9, "J": 16}
    reference = {
        f"{letter}{number}"
        for letter, count in {**last, "K": 8}.items()
        for number in range(1, count + 1)
    }
    assert sorted([*parity.ROWS, *parity.NOT_HERE]) == sorted(reference)
    assert {row[0] for row in reference} == set(parity.GROUPS)


def test_rows_are_read_from_functions_classes_and_modules(tmp_path: Path) -> None:
    """A test has the rows of its own marks, of its class's and of its module's, each once."""
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "helpers.py").write_text(SAMPLE)
    function, method, twice = (
        f"tests/test_sample.py::{name}"
        for name in ("test_function", "TestClass::test_method", "test_twice")
    )
    assert parity.collect(folder) == {
        "A1": [function, method, twice],
        "A2": [function],
        "A3": [function],
        "A4": [method],
        "A5": [method],
        "A6": [method],
    }
    sentences = marks.sentences(folder)
    assert sentences[twice] == "When a docstring has two lines, then it is one sentence."
    assert sentences[method] == ""
