"""Who is at the other end."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from tests.users.conftest import login
from users.clients import client_of
from users.models import User


@pytest.mark.asvs("4.1.3", "15.3.4")
@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "client"),
    [
        (0, "192.0.2.1", None, "192.0.2.1"),
        (0, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
        (1, "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "10.0.0.1", "spoofed, 203.0.113.9 , 198.51.100.7", "203.0.113.9"),
        (2, "10.0.0.1", "198.51.100.7", "10.0.0.1"),
        (1, "10.0.0.1", None, "10.0.0.1"),
        (1, "10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
        (1, "10.0.0.1", "198.51.100.7:40001", "198.51.100.7"),
        (1, "10.0.0.1", "[2001:db8:1:2::9]:40001", "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        (2, "10.0.0.1", "203.0.113.9:1, 198.51.100.7:2", "203.0.113.9"),
        (1, "10.0.0.1", "," * 100_000 + "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.1", "1:2:3", "10.0.0.1"),
        (0, "2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        (1, "::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        (0, "::ffff:192.0.2.1", None, "192.0.2.1"),
        (0, "", None, "unknown"),
        (0, "/run/socket", None, "unknown"),
    ],
)
def test_the_address_that_counts(
    proxies: int, remote: str, forwarded: str | None, client: str, settings: Any
) -> None:
    """The connection's own, or what the project's proxies say; IPv6 by customer."""
    settings.TRUSTED_PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)
    assert client_of(request) == client


@pytest.mark.asvs("15.3.4")
@pytest.mark.django_db
@pytest.mark.parametrize(("proxies", "last"), [(0, 429), (1, 400)])
def test_a_header_that_nobody_trusts_buys_nothing(
    proxies: int, last: int, ann: User, settings: Any
) -> None:
    """Another address in each request: only a trusted proxy's word counts."""
    settings.TRUSTED_PROXY_COUNT = proxies
    form = {"username": ann.email, "password": "wrong"}
    answers = [
        login(form, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(6)
    ]
    assert answers == [400] * 5 + [last]


@pytest.mark.django_db
def test_a_customer_has_one_budget(ann: User, settings: Any) -> None:
    """Though they have 2**64 addresses."""
    settings.TRUSTED_PROXY_COUNT = 1
    form = {"username": ann.email, "password": "wrong"}
    answers = [
        login(form, headers={"X-Forwarded-For": f"2001:db8::{n:x}"}).status_code for n in range(6)
    ]
    assert answers == [400] * 5 + [429]
