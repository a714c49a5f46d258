"""The time, and ids that sort by time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4


def _wall_clock() -> datetime:
    return datetime.now(UTC)


# The whole package takes the time from here. A test that moves the time replaces only this.
clock: Callable[[], datetime] = _wall_clock


def utc_now() -> datetime:
    """The time, in UTC."""
    return clock()


def timestamp(at: datetime) -> str:
    """A UTC time as the API and the registry write it: ISO 8601, in milliseconds, with Z. Timestamps sort by time."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The time as the API and the registry write it."""
    return timestamp(utc_now())


def sorts_before(time: str) -> str:
    """What sorts before the ids that `sortable_id` makes from this time on, and after all earlier ones. time: as `now` writes it."""
    return re.sub(r"[^0-9T]", "", time)


def sortable_id(after: str = "") -> str:
    """A new id. Ids sort by time, to the millisecond.

    after: an earlier id, or "". The new id sorts after it, even if a clock that was ahead made it.
    """
    at = utc_now()
    if after:
        at = max(at, time_of_id(after) + timedelta(milliseconds=1))
    return f"{at:%Y%m%dT%H%M%S%f}"[:-3] + f"-{uuid4().hex[:8]}"


def time_of_id(made: str) -> datetime:
    """The time in an id that `sortable_id` made. ValueError for any other text."""
    return datetime.fromisoformat(f"{made[:15]}.{made[15:18]}Z")
