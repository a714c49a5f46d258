"""Which training starts when: so many go on at once (the template's MostTrainings), and the others wait, first come, first served.

A slot is held from the start of a version's workflow until the registry says that the version ended, however it did. Nobody gives one back:
who wants to start a training looks which of those that hold one have ended. So none is lost, wherever something crashes.
"""

from __future__ import annotations

import random
import time
from dataclasses import asdict
from operator import attrgetter
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.domain.clock import now
from winnow.domain.errors import VersionNotFoundError
from winnow.domain.job import TrainingJob
from winnow.domain.model import VersionStatus

if TYPE_CHECKING:
    from winnow.registry.slots import Wanted

_TRIES = 8


def start_waiting() -> int:
    """Start the trainings whose turn it is. Returns how many are left waiting.

    Where others do the same at the same moment they may start what we found; what all of them missed, the sweeper starts.
    """
    for attempt in range(_TRIES):
        # Before the models: of what holds a slot now, those that nobody wants any more by then have ended.
        held = resources.slots().read()
        wanted = {each.key: each for each in sorted(resources.pending_trainings().wanted(), key=attrgetter("queued_at"))}
        going_on = {name: since for name, since in held.since.items() if name in wanted}
        waiting = [name for name in wanted if name not in going_on]
        room = max(0, resources.most_trainings() - len(going_on))
        begun = waiting[:room]
        holding = going_on | dict.fromkeys(begun, now())
        if holding == held.since or resources.slots().give(holding, held):
            for name in begun:
                _start(wanted[name])
            return len(waiting) - len(begun)
        time.sleep(random.uniform(0, 0.02 * 2**attempt))
    return len(waiting)


def _start(wanted: Wanted) -> None:
    try:
        version = resources.versions().of_life(wanted.model_id, wanted.uid, wanted.version)
    except VersionNotFoundError:
        # Deleted meanwhile.
        return
    # One that began before there were slots takes one, and goes on.
    if version.status is VersionStatus.QUEUED:
        try_to_start(version.job)


def try_to_start(job: TrainingJob) -> bool:
    """Start the workflow for the job, once: the execution's name is the job's own. Where that fails the job stays queued."""
    return resources.training_workflow().try_to_start(execution_name(job), {"job": asdict(job)})


def execution_name(job: TrainingJob) -> str:
    # A name is refused for 90 days after its execution closed. The uid, which no other life of the model has, keeps it from repeating.
    return f"{job.uid}-{job.version}-{job.fence}"
