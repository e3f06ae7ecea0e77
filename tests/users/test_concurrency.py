"""Many at once, on a real database."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.users.conftest import Api, at_once
from users import crud
from users.models import AccessToken, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.asvs("15.4.2")
@pytest.mark.hostile("H85")
def test_twenty_four_identical_requests_make_one_user(root: User) -> None:
    """One 201, twenty-three 409, no 500, one row."""
    apis = [Api(root) for _ in range(24)]
    body = {"name": "Bob", "email": "bob@example.com"}
    answers = at_once(24, lambda index: apis[index].post("/users", body).status_code)
    assert Counter(answers) == {201: 1, 409: 23}
    assert User.objects.filter(email="bob@example.com").count() == 1


@pytest.mark.asvs("15.4.2")
def test_logins_at_once_keep_the_limit(ann: User) -> None:
    """They count one after the other."""
    for _ in range(crud.MOST_TOKENS - 2):
        crud.issue_token(user=ann, scope="me")
    at_once(8, lambda _: crud.issue_token(user=ann, scope="me"))
    assert AccessToken.objects.filter(revoked_at=None).count() == crud.MOST_TOKENS


@pytest.mark.asvs("15.4.2")
def test_two_superusers_cannot_delete_each_other(root: User) -> None:
    """One of them stays."""
    other = User.objects.create_superuser("other@example.com", name="Other")
    pairs = [(Api(root), other.pk), (Api(other), root.pk)]
    answers = at_once(
        2, lambda index: pairs[index][0].delete(f"/users/{pairs[index][1]}").status_code
    )
    assert User.objects.filter(is_superuser=True).count() == 1
    assert Counter(answers) in (Counter({204: 1, 401: 1}), Counter({204: 1, 409: 1}))


@pytest.mark.asvs("15.4.2")
def test_the_last_superusers_cannot_all_leave(root: User) -> None:
    """Eight who deactivate each other in a ring: they wait for each other, and one stays."""
    people = [User.objects.create_superuser(f"u{n}@example.com", name="U") for n in range(8)]
    root.delete()
    apis = [Api(person) for person in people]

    def deactivate_next(index: int) -> int:
        url = f"/users/{people[index - 1].pk}"
        return apis[index].patch(url, {"is_active": False}).status_code

    answers = at_once(8, deactivate_next)
    assert set(answers) <= {200, 401, 409}
    assert User.objects.filter(is_superuser=True, is_active=True).exists()
