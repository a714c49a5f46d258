"""The time, and ids that sort by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4


def _wall_clock() -> datetime:
    return datetime.now(UTC)


# Where the time comes from, for all of the package. A test that moves the time replaces this and nothing else.
clock: Callable[[], datetime] = _wall_clock


def utc_now() -> datetime:
    """The time, in UTC."""
    return clock()


def timestamp(at: datetime) -> str:
    """A time in UTC as the API and the registry write it: ISO 8601, to the millisecond, with Z. Timestamps sort as their times do."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The time as the API and the registry write it."""
    return timestamp(utc_now())


def sortable_id() -> str:
    """A new id for something. Such ids sort by time, to the millisecond."""
    return f"{utc_now():%Y%m%dT%H%M%S%f}"[:-3] + f"-{uuid4().hex[:8]}"
