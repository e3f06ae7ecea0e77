"""The table of standards: complete, and no older than the tests."""

from __future__ import annotations

from tests import standards


def test_the_table_is_what_the_tests_say() -> None:
    """`python -m tests.standards` would change nothing."""
    assert standards.TABLE.read_text() == standards.render(standards.collect())


def test_every_claim_is_proved_and_every_proof_is_claimed() -> None:
    """The sections of the table are those that tests name, each of a standard of the table."""
    assert standards.SECTIONS.keys() == standards.collect().keys()
    assert {number for number, _ in standards.SECTIONS} == standards.STANDARDS.keys()
