"""A Lambda whose time runs out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.conftest import Context


def nothing() -> None:
    """Do nothing."""


@dataclass
class Deadline(Context):
    """Enough time for a number of looks at the clock, then none. Something may happen at the last look."""

    looks: int = 3
    then: Callable[[], None] = nothing
    looked: int = field(default=0, init=False)

    def get_remaining_time_in_millis(self) -> int:
        self.looked += 1
        if self.looked <= self.looks:
            return 900_000
        self.then()
        return 59_000
