"""JSON, written by orjson."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

_WITHOUT_JSON = NinjaJSONEncoder().default
# Dates as Django and Ninja write them, keys too.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


class FastRenderer(JSONRenderer):
    """Ninja's renderer, many times faster: compact, and UTF-8 where Ninja escapes."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        """Return *data* as JSON."""
        try:
            return orjson.dumps(data, _WITHOUT_JSON, _OPTIONS)
        except orjson.JSONEncodeError:
            # Half a surrogate pair, an integer of more than 64 bits: Ninja can write them.
            return super().render(request, data, response_status=response_status)
