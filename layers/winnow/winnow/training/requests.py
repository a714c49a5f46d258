"""Start and cancel training jobs, and what the sweeper does for jobs that stopped reporting. Works without the spaCy layer."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from winnow.aws import resources
from winnow.aws.tasks import ended
from winnow.aws.workflow import ENDED
from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.conditions import Condition, VersionCondition, check_condition
from winnow.domain.errors import (
    GoneError,
    JobSupersededError,
    ModelExistsError,
    NotCancellableError,
    StaleError,
    TrainingUnderwayError,
    VersionNotFoundError,
)
from winnow.domain.job import IdempotencyKey, TrainingJob, TrainingRequest
from winnow.domain.model import ACTIVE, Version, VersionStatus
from winnow.domain.retrying import retry_on_conflict
from winnow.registry.training_jobs import WORKING_LEASE
from winnow.training import queue

if TYPE_CHECKING:
    from winnow.registry.slots import Wanted

# A version that has reported nothing for this long may have no workflow any more.
_QUIET = timedelta(minutes=5)
# A version that can't be started for this long fails. The sweeper tries every five minutes.
_LONGEST_QUEUED = timedelta(days=1)

_SILENT = (
    "The training stopped: it reported nothing for longer than one of its steps can take."
    " Train again with force_update; if it fails again, ask the operator."
)
_TOO_LONG = (
    "The training took longer than the {minutes} minutes that this deployment allows: train on fewer texts (n_texts) or in fewer epochs"
    " (n_iter), or raise the template's parameter LongestTraining."
)
_NEVER_STARTED = "The training could not be started for a day: the sweeper's log says why. Train again with force_update."


class Care(StrEnum):
    """What the sweeper did for a training."""

    STARTED = "TrainingsStarted"
    RESTARTED = "TrainingsRestarted"
    FAILED = "TrainingsFailed"
    RELEASED = "TrainingsReleased"


def start_training(request: TrainingRequest, key: IdempotencyKey | None = None, condition: Condition | None = None) -> TrainingJob:
    """Register the version that the request asks for, and start its training. A known key gets its earlier job.

    condition: must hold for the model that gets the version, otherwise StaleError.
    ModelExistsError if the id exists and force_update isn't set; TrainingUnderwayError if a version of the model is in training;
    IdempotencyKeyReusedError if the key was used for another request; GoneError if the earlier job's version was deleted; BusyError.
    A registered version will be trained or fail. If the workflow doesn't start now, it starts later.
    """
    job, new = _register(request, key, condition)
    if new:
        queue.try_to_start_waiting()
    return job


def care_for_training(wanted: Wanted, since: str | None) -> Care | None:
    """Restart or fail a training that takes too long or whose lease ran out; release a model whose version in training isn't active.

    since: when it got its slot, None if it waits for one. Returns None if there is nothing to do.
    JobSupersededError if the version changed meanwhile. A crash after any step is safe, and each step can be repeated: the execution's
    name has the fence, so no execution starts twice, and the fence grows only after the previous execution ended.
    """
    try:
        version = resources.versions().of_life(wanted.model_id, wanted.uid, wanted.version)
    except VersionNotFoundError:
        version = None
    if version is None or version.status not in ACTIVE:
        return Care.RELEASED if resources.jobs().release(wanted) else None
    if since is None:
        return None
    return _care_for_queued(version, since) if version.status is VersionStatus.QUEUED else _care_for_working(version, since)


def _care_for_queued(version: Version, since: str) -> Care | None:
    """The same for a version that has a slot but whose first task hasn't begun."""
    if not _is_silent(version):
        return None
    if since <= timestamp(utc_now() - _LONGEST_QUEUED):
        return _give_up(version, _NEVER_STARTED)
    status = resources.training_workflow().status(queue.execution_name(version.job))
    if status is None:
        return Care.STARTED if queue.try_to_start_training(version.job) else None
    if status in ENDED:
        return Care.RESTARTED if queue.try_to_start_training(resources.jobs().restart(version.job)) else None
    return None


def _care_for_working(version: Version, since: str) -> Care | None:
    """The same for a version in training."""
    longest = resources.longest_training()
    if since <= timestamp(utc_now() - longest):
        resources.jobs().fail(version.job, _TOO_LONG.format(minutes=longest // timedelta(minutes=1)))
        try_to_stop_workflow(version.job)
        return Care.FAILED
    if version.lease_until is None or version.lease_until > timestamp(utc_now() + WORKING_LEASE - _QUIET):
        return None
    # If the execution has ended, the lease would be waited for in vain.
    end = resources.training_workflow().how_it_ended(queue.execution_name(version.job))
    if end:
        return _give_up(version, ended(end))
    return _give_up(version, _SILENT) if _is_silent(version) else None


def _is_silent(version: Version) -> bool:
    return version.lease_until is not None and version.lease_until <= now()


def _give_up(version: Version, error: str) -> Care:
    resources.jobs().expire(version, error)
    try_to_stop_workflow(version.job)
    return Care.FAILED


def _register(request: TrainingRequest, key: IdempotencyKey | None, condition: Condition | None) -> tuple[TrainingJob, bool]:
    """Queue a version. False: its job was registered before, under the same key."""
    models, jobs = resources.models(), resources.jobs()

    def try_to_register() -> tuple[TrainingJob, bool] | None:
        model = models.find(request.model_id)
        # Read the key after the model: if a request with the same key has already changed the model, the key is visible here.
        before = None if key is None else resources.answered_requests().find(key)
        if before is not None:
            return made_before(TrainingJob.from_event(before)), False
        check_condition(condition, request.model_id, model)
        if model is None:
            job = TrainingJob(request.model_id, uuid4().hex, version=1, fence=1)
            _keep_labels(job, request)
            created = jobs.create_model(job, request, key)
        elif model.training_version is not None:
            raise TrainingUnderwayError(model.model_id, model.training_version)
        elif not request.force_update:
            raise ModelExistsError(model.model_id)
        else:
            job = TrainingJob(model.model_id, model.uid, model.latest_version + 1, fence=1)
            _keep_labels(job, request)
            created = jobs.create_version(model, job, request, key, exactly=condition is not None)
        return (job, True) if created else None

    return retry_on_conflict(try_to_register, request.model_id)


def made_before(job: TrainingJob) -> TrainingJob:
    """The job. GoneError if its version was deleted."""
    model = resources.models().still_there(job.model_id, job.uid)
    try:
        resources.versions().get(model, job.version)
    except VersionNotFoundError as error:
        raise GoneError(f"Version {job.version} of model {job.model_id!r}") from error
    return job


def _keep_labels(job: TrainingJob, request: TrainingRequest) -> None:
    """Write the request's labels before the version's row, so that a row never lacks them. The sweeper removes lists without a row."""
    if request.labels is not None:
        resources.label_lists().write(job, request.labels)


def cancel_training(model_id: str, number: int, condition: VersionCondition | None) -> Version:
    """Stop the training of a version. The live version stays.

    condition: must hold for the version, otherwise StaleError. NotCancellableError if the training has ended; BusyError.
    """
    versions = resources.versions()

    def try_to_cancel() -> Version | None:
        model = resources.models().get(model_id)
        version = versions.get(model, number)
        if condition is not None and not condition(model, version):
            raise StaleError(model_id)
        if version.status not in ACTIVE:
            raise NotCancellableError(f"Version {number} of model {model_id!r} is already {version.status}: there is nothing to cancel.")
        try:
            resources.jobs().cancel(version.job, None if condition is None else model.revision)
        except JobSupersededError:
            # It ended or was restarted between our read and our write.
            return None
        try_to_stop_workflow(version.job)
        return versions.of_job(version.job)

    return retry_on_conflict(try_to_cancel, model_id)


def try_to_stop_workflow(job: TrainingJob) -> None:
    """Stop the workflow of a job that has ended in the registry."""
    resources.training_workflow().try_to_stop(queue.execution_name(job))
