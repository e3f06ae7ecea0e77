"""How often something happened: counted in the database, so for all processes together."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.crypto import salted_hmac

from users.models import ThrottleCounter

_PURGE_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Hit:
    """One more of what is counted.

    Attributes:
        count: how many there were in this window, this one included.
        retry_after: whole seconds until the window ends, at least one.
    """

    count: int
    retry_after: int


def count(*subject: str, seconds: int) -> Hit:
    """Count *subject* once more, in a window of *seconds* that the first one opens.

    It is a transaction of its own: that a request fails does not undo what it cost. One
    statement adds and compares, so that of many at once each gets its own number.
    """
    key, now = _key(subject), timezone.now()
    end = now + dt.timedelta(seconds=seconds)
    rows = ThrottleCounter.objects.filter(key=key)
    is_over = Q(expires_at__lte=now)
    changes = {
        "count": Case(When(is_over, then=1), default=F("count") + 1),
        "expires_at": Case(When(is_over, then=Value(end)), default=F("expires_at")),
    }
    with transaction.atomic(durable=True):
        while not rows.update(**changes):
            new = ThrottleCounter(key=key, expires_at=end)
            ThrottleCounter.objects.bulk_create([new], ignore_conflicts=True)
        counter = rows.get()
    remaining = (counter.expires_at - now).total_seconds()
    return Hit(counter.count, max(1, math.ceil(remaining)))


def take_back(*subject: str) -> None:
    """Undo one `count`: it was none of what is limited."""
    ThrottleCounter.objects.filter(key=_key(subject), count__gt=0).update(count=F("count") - 1)


def forget(*subject: str) -> None:
    """Begin to count *subject* anew."""
    ThrottleCounter.objects.filter(key=_key(subject)).delete()


def remember(*subject: str, seconds: int) -> None:
    """Note *subject* for *seconds* from now on."""
    expires_at = timezone.now() + dt.timedelta(seconds=seconds)
    ThrottleCounter.objects.bulk_create(
        [ThrottleCounter(key=_key(subject), count=1, expires_at=expires_at)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["expires_at"],
    )


def is_remembered(*subject: str) -> bool:
    """Whether `remember` noted *subject*, and it was not too long ago."""
    rows = ThrottleCounter.objects.filter(key=_key(subject), expires_at__gt=timezone.now())
    return rows.exists()


def purge_counters() -> int:
    """Delete counters whose window is over and return their number."""
    over = ThrottleCounter.objects.filter(expires_at__lte=timezone.now())
    total = 0
    # In batches, each a short transaction, so that no login waits.
    while batch := list(over.values_list("pk", flat=True)[:_PURGE_BATCH]):
        total += over.filter(pk__in=batch).delete()[0]
        if len(batch) < _PURGE_BATCH:
            break
    return total


def _key(subject: tuple[str, ...]) -> str:
    text = "\x00".join(subject)
    return salted_hmac("users.ThrottleCounter", text, algorithm="sha256").hexdigest()
