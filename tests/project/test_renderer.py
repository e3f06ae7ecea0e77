"""How answers are written."""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import json
import uuid
from typing import Any

import pytest
from django.http import HttpRequest
from ninja.renderers import JSONRenderer

from project.renderer import FastRenderer
from users.schemas import ItemOut


def render(renderer: JSONRenderer, data: Any) -> Any:
    return renderer.render(HttpRequest(), data, response_status=200)


@pytest.mark.parametrize(
    "data",
    [
        None,
        "é \n 😀 </script>",
        {"a": [1, -2.5, True, None], "b": {}},
        {1: "a key"},
        2**63,
        2**70,
        "\ud800",
        dt.datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=dt.UTC),
        dt.date(2026, 1, 2),
        dt.time(3, 4, 5),
        dt.timedelta(days=1, seconds=2),
        decimal.Decimal("1.10"),
        uuid.UUID(int=1),
        ipaddress.ip_address("::1"),
        [ItemOut(item_id="Foo", owner="Ann")],
    ],
)
def test_the_same_as_ninja_writes(data: Any) -> None:
    """With other spaces and escapes, which mean nothing."""
    assert json.loads(render(FastRenderer(), data)) == json.loads(render(JSONRenderer(), data))


def test_compact_utf_8() -> None:
    """No space that is not needed, no letter escaped."""
    assert render(FastRenderer(), {"name": "Zoë", "id": 1}) == '{"name":"Zoë","id":1}'.encode()


def test_what_has_no_json_is_an_error() -> None:
    """As in Ninja's own."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        render(FastRenderer(), object())
