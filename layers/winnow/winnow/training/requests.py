"""Starting and cancelling training jobs, and what the sweeper does for those of which nothing is heard. Never needs the spaCy layer."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from winnow.aws import resources
from winnow.aws.workflow import ENDED
from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.errors import JobSupersededError, ModelExistsError, NotCancellableError, TrainingUnderwayError
from winnow.domain.job import IdempotencyKey, TrainingJob, TrainingRequest
from winnow.domain.model import ACTIVE, Version, VersionStatus
from winnow.domain.retrying import retry_on_conflict
from winnow.training import queue

if TYPE_CHECKING:
    from winnow.registry.slots import Wanted

# A version that could not be started for so long is given up. The sweeper tries every five minutes.
_LONGEST_QUEUED = timedelta(days=1)

_SILENT = (
    "The training stopped without a word: nothing was heard of it for longer than one of its steps can take."
    " Train again with force_update, or report it if it stays."
)
_TOO_LONG = (
    "The training took longer than the {minutes} minutes that this deployment allows: train on fewer texts (n_texts) or in fewer epochs"
    " (n_iter), or raise the template's parameter LongestTraining."
)
_NEVER_STARTED = "The training could not be started for a day: the sweeper's log has the reason. Train again with force_update."


class Care(StrEnum):
    """What the sweeper did for a training."""

    STARTED = "TrainingsStarted"
    RESTARTED = "TrainingsRestarted"
    FAILED = "TrainingsFailed"


def start_training(request: TrainingRequest, key: IdempotencyKey | None = None) -> TrainingJob:
    """Register the version that the request asks for, and start its training. Under a key that was used already: the job started then.

    ModelExistsError for an id that exists without force_update, TrainingUnderwayError while a version of it is being made,
    IdempotencyKeyReusedError for a key that stands for another request.
    Once the version is registered it will be trained or fail: where the workflow doesn't start now, it does when its turn comes.
    """
    job, new = _register(request, key)
    if new:
        queue.start_waiting()
    return job


def care_for_training(wanted: Wanted, since: str) -> Care | None:
    """See to a version that holds a slot since then, where it takes too long, or its lease ran out. None: there was nothing to do.

    JobSupersededError where it changed meanwhile. Each step may be the last before a crash, and be repeated: an execution's name has the
    fence, so that none starts twice; and the fence grows only when the execution before has ended.
    """
    model = resources.models().find(wanted.model_id)
    version = None if model is None else resources.versions().in_training(model)
    if version is None or (version.job.uid, version.job.version) != wanted.key:
        return None
    return _care_for_queued(version, since) if version.status is VersionStatus.QUEUED else _care_for_working(version, since)


def _care_for_queued(version: Version, since: str) -> Care | None:
    """See to a version whose turn it is since then, and of which no task has begun."""
    if not _is_silent(version):
        return None
    if since <= timestamp(utc_now() - _LONGEST_QUEUED):
        return _give_up(version, _NEVER_STARTED)
    status = resources.training_workflow().status(queue.execution_name(version.job))
    if status is None:
        return Care.STARTED if queue.try_to_start(version.job) else None
    if status in ENDED:
        return Care.RESTARTED if queue.try_to_start(resources.jobs().restart(version.job)) else None
    return None


def _care_for_working(version: Version, since: str) -> Care | None:
    """See to a version that is being trained since then."""
    longest = resources.longest_training()
    if since <= timestamp(utc_now() - longest):
        resources.jobs().fail(version.job, _TOO_LONG.format(minutes=longest // timedelta(minutes=1)))
        try_to_stop_workflow(version.job)
        return Care.FAILED
    return _give_up(version, _SILENT) if _is_silent(version) else None


def _is_silent(version: Version) -> bool:
    return version.lease_until is not None and version.lease_until <= now()


def _give_up(version: Version, error: str) -> Care:
    resources.jobs().expire(version, error)
    try_to_stop_workflow(version.job)
    return Care.FAILED


def _register(request: TrainingRequest, key: IdempotencyKey | None) -> tuple[TrainingJob, bool]:
    """Queue a version. False: its job was registered before, under the same key."""
    models, jobs = resources.models(), resources.jobs()

    def try_to_register() -> tuple[TrainingJob, bool] | None:
        model = models.find(request.model_id)
        # After the model: a request that shows in it, and has the same key, shows here too.
        before = None if key is None else resources.answered_requests().find(key)
        if before is not None:
            return TrainingJob.from_event(before), False
        if model is None:
            job = TrainingJob(request.model_id, uuid4().hex, version=1, fence=1)
            created = jobs.create_model(job, request, key)
        elif model.training_version is not None:
            raise TrainingUnderwayError(model.model_id, model.training_version)
        elif not request.force_update:
            raise ModelExistsError(model.model_id)
        else:
            job = TrainingJob(model.model_id, model.uid, model.latest_version + 1, fence=1)
            created = jobs.create_version(model, job, request, key)
        return (job, True) if created else None

    return retry_on_conflict(try_to_register, request.model_id)


def cancel_training(model_id: str, number: int) -> Version:
    """Stop the training of a version; the live version stays. NotCancellableError where it is no longer being trained."""
    versions = resources.versions()

    def try_to_cancel() -> Version | None:
        version = versions.get(resources.models().get(model_id), number)
        if version.status not in ACTIVE:
            raise NotCancellableError(f"Version {number} of model {model_id!r} is {version.status} already: there is nothing to cancel.")
        try:
            resources.jobs().cancel(version.job)
        except JobSupersededError:
            # The training ended, or was restarted, between the look and the write.
            return None
        try_to_stop_workflow(version.job)
        return versions.of_job(version.job)

    return retry_on_conflict(try_to_cancel, model_id)


def try_to_stop_workflow(job: TrainingJob) -> None:
    """Stop the workflow of a job that the registry has ended."""
    resources.training_workflow().try_to_stop(queue.execution_name(job))
