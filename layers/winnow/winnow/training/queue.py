"""The queue of trainings. At most MostTrainings (a template parameter) run at the same time; the others wait."""

from __future__ import annotations

from dataclasses import asdict
from operator import attrgetter
from typing import TYPE_CHECKING

from winnow.aws import queue, resources
from winnow.aws.log import logged_only
from winnow.domain.errors import VersionNotFoundError
from winnow.domain.job import TrainingJob
from winnow.domain.model import VersionStatus

if TYPE_CHECKING:
    from winnow.registry.slots import Wanted


def start_waiting() -> int:
    """Start trainings while there are free slots. Returns how many trainings still wait."""
    return queue.start_waiting(resources.slots(), resources.most_trainings(), _wanted, _start)


def _wanted() -> list[Wanted]:
    return sorted(resources.pending_trainings().wanted(), key=attrgetter("queued_at"))


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
