"""The tables of standards: complete, and no older than the tests."""

from __future__ import annotations

from tests import asvs, standards


def test_the_table_is_what_the_tests_say() -> None:
    """`python -m tests.standards` would change nothing."""
    assert standards.TABLE.read_text() == standards.render(standards.collect())


def test_every_claim_is_proved_and_every_proof_is_claimed() -> None:
    """What the tables have is what tests name, each of a standard or chapter of the table."""
    found = standards.collect()
    assert standards.SECTIONS.keys() == found["rfc"].keys()
    assert {number for number, _ in standards.SECTIONS} == standards.STANDARDS.keys()
    assert asvs.ITEMS.keys() == found["asvs"].keys()
    assert {item.partition(".")[0] for item in asvs.ITEMS} == asvs.CHAPTERS.keys()
    assert standards.HISTORIES.keys() == found["cve"].keys()


def test_nothing_is_claimed_that_does_not_hold() -> None:
    """An item is in one of the lists."""
    assert not asvs.ITEMS.keys() & asvs.DEVIATIONS.keys()
