"""Plain Ninja, kept from serving views whose dependencies nothing resolves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ninja.operation
from ninja.signature import ViewSignature

from di.refusal import refuse_markers


class CheckedSignature(ViewSignature):
    """Ninja's view of a view, for one that has no dependencies."""

    def __init__(self, path: str, view_func: Callable[..., Any]) -> None:
        refuse_markers(view_func)
        super().__init__(path, view_func)


def check_every_view() -> None:
    """Let Ninja refuse a view that nothing injects in the moment it is registered.

    Almost always the marker itself does so. Ninja never looks at a parameter called
    `request`, one annotated with `HttpResponse`, or at ``*args`` and ``**kwargs``, though,
    and it has no hook for a view that nobody decorated.
    """
    ninja.operation.ViewSignature = CheckedSignature  # type: ignore[attr-defined]
