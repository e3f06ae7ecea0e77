"""The list of what an attacker may try: complete, and nothing beside it."""

from tests.attacks import ATTACKS, tried


def test_every_attack_is_tried() -> None:
    """Each id of the list has a case."""
    assert ATTACKS.keys() - tried() == set()


def test_what_is_tried_is_in_the_list() -> None:
    """No case has an id of its own."""
    assert tried() - ATTACKS.keys() == set()
