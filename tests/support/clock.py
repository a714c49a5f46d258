"""The time as a test has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Clock:
    """A clock for `winnow.domain.clock.clock`: it goes on as the real one does, and further where a test moves it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **amount: float) -> None:
        """Let so much time pass, in the words of timedelta: clock.advance(minutes=5)."""
        self.ahead += timedelta(**amount)
