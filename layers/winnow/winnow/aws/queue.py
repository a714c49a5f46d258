"""The queue of one kind of job. At most so many run at the same time; the others wait, first come, first served.

A job holds a slot from the start of its workflow until it has ended in the registry. No job returns its slot. Instead, a function that
starts jobs first finds out which jobs with a slot have ended. So a crash anywhere loses no slot.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from winnow.domain.clock import now

if TYPE_CHECKING:
    from winnow.registry.slots import Slots

_TRIES = 8


class Job(Protocol):
    """A job that has not ended. Its slot is under its key."""

    @property
    def key(self) -> str: ...


def start_waiting[Wanted: Job](slots: Slots, most: int, wanted: Callable[[], Iterable[Wanted]], start: Callable[[Wanted], object]) -> int:
    """Start jobs while there are free slots. Returns how many jobs still wait.

    most: how many may run at the same time. wanted: reads all jobs that have not ended, in the order of their turns. start: starts a job
    that got a slot. It must not start a job twice.
    Other functions may do the same at the same moment, and start these jobs first. The sweeper starts any that all of them miss.
    """
    waiting: list[str] = []
    for attempt in range(_TRIES):
        # Read the slots before the jobs: then a job that holds a slot and isn't wanted any more has ended.
        held = slots.read()
        jobs = {job.key: job for job in wanted()}
        going_on = {key: since for key, since in held.since.items() if key in jobs}
        waiting = [key for key in jobs if key not in going_on]
        begun = waiting[: max(0, most - len(going_on))]
        holding = going_on | dict.fromkeys(begun, now())
        if holding == held.since or slots.give(holding, held):
            for key in begun:
                start(jobs[key])
            return len(waiting) - len(begun)
        time.sleep(random.uniform(0, 0.02 * 2**attempt))
    return len(waiting)
