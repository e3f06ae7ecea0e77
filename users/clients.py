"""Who is at the other end of a connection."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest

from users import conf

_UNKNOWN = "unknown"
_SITE_OF_IPV6 = 64
"""Bits. One customer has all addresses behind them, and would have as many budgets."""


def client_of(request: HttpRequest) -> str:
    """Return the address of the client: an IPv4 address, or the network of an IPv6 one.

    What a client writes into ``X-Forwarded-For`` itself never counts: the entries from
    the right are those of the proxies that the project says it has.
    """
    address = _parse(request.META.get("REMOTE_ADDR", ""))
    count = conf.trusted_proxy_count()
    hops = request.headers.get("X-Forwarded-For", "").rsplit(",", count)
    if 0 < count <= len(hops):
        address = _parse(_without_port(hops[-count].strip())) or address
    return _UNKNOWN if address is None else _budget_of(address)


def client_at(address: str) -> str:
    """Return the client at *address*; see `client_of`.

    Raises:
        ValueError: *address* is none.
    """
    parsed = _parse(address)
    if parsed is None:
        message = f"{address!r} is no IP address"
        raise ValueError(message)
    return _budget_of(parsed)


def _budget_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address), _SITE_OF_IPV6), strict=False))
    return str(address)


def _without_port(text: str) -> str:
    """Return the address in *text*: some proxies write the port, and IPv6 in brackets."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
