"""A Lambda whose time runs out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.conftest import Context


def nothing() -> None:
    """Nothing happens."""


@dataclass
class Deadline(Context):
    """Time enough for so many looks at the clock, and then none; and what happens at the last look."""

    looks: int = 3
    then: Callable[[], None] = nothing
    looked: int = field(default=0, init=False)

    def get_remaining_time_in_millis(self) -> int:
        self.looked += 1
        if self.looked <= self.looks:
            return 900_000
        self.then()
        return 59_000
