"""The time in tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Clock:
    """A clock for `winnow.domain.clock.clock`: it runs like the real one, and tests can move it forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **amount: float) -> None:
        """Move forward, with timedelta's arguments: clock.advance(minutes=5)."""
        self.ahead += timedelta(**amount)
