"""The queue of trainings. At most MostTrainings (a template parameter) run at the same time; the others wait, first come, first served.

A version holds a slot from the start of its workflow until it has ended in the registry. No version returns its slot. Instead, a
function that starts trainings first finds out which versions with a slot have ended. So a crash anywhere loses no slot.
"""

from __future__ import annotations

import random
import time
from dataclasses import asdict
from operator import attrgetter
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.aws.log import logged_only
from winnow.domain.clock import now
from winnow.domain.errors import VersionNotFoundError
from winnow.domain.job import TrainingJob
from winnow.domain.model import VersionStatus

if TYPE_CHECKING:
    from winnow.registry.slots import Wanted

_TRIES = 8


def start_waiting() -> int:
    """Start trainings while there are free slots. Returns how many trainings still wait.

    Other functions may do the same at the same moment, and start these trainings first. The sweeper starts any that all of them miss.
    """
    for attempt in range(_TRIES):
        # Read the slots before the models: then a version that holds a slot and isn't wanted any more has ended.
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


def try_to_start_waiting() -> None:
    """The same for a request that has registered a version. If it fails, the version stays queued, and the sweeper starts it."""
    with logged_only("not started"):
        start_waiting()


def _start(wanted: Wanted) -> None:
    try:
        version = resources.versions().of_life(wanted.model_id, wanted.uid, wanted.version)
    except VersionNotFoundError:
        # It was deleted meanwhile.
        return
    # A training that began before the deployment had slots only takes a slot; it runs already.
    if version.status is VersionStatus.QUEUED:
        try_to_start_training(version.job)


def try_to_start_training(job: TrainingJob) -> bool:
    """Start the workflow for the job, once, because each job has its own execution name. If that fails, the job stays queued."""
    return resources.training_workflow().try_to_start(execution_name(job), {"job": asdict(job)})


def execution_name(job: TrainingJob) -> str:
    # Step Functions refuses a name for 90 days after its execution closed. The uid is new for each life of a model, so no name repeats.
    return f"{job.uid}-{job.version}-{job.fence}"
