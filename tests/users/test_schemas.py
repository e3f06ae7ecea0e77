"""What may come in."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from users.schemas import UserCreate


def test_half_a_surrogate_pair_is_no_password() -> None:
    """JSON can write it, but it has no bytes to hash. The error does not repeat it."""
    with pytest.raises(ValidationError, match="This is not text") as caught:
        UserCreate(name="Ann", email="ann@example.com", password="correct horse \ud800")  # type: ignore[arg-type]
    assert "horse" not in str(caught.value)
