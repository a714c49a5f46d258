"""Start and cancel batch predictions, and what the sweeper does for those that stopped reporting. Works without the spaCy layer."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from enum import StrEnum

from winnow.aws import resources
from winnow.aws.log import logged_only
from winnow.aws.tasks import OF_BATCH, ended
from winnow.aws.workflow import ENDED
from winnow.batch import queue
from winnow.domain.batch import ACTIVE_BATCH, BatchJob, BatchPrediction, BatchRequest, BatchStatus
from winnow.domain.clock import now, sortable_id, timestamp, utc_now
from winnow.domain.errors import BatchPredictionNotFoundError, JobSupersededError, ModelNotReadyError, NotCancellableError
from winnow.domain.job import IdempotencyKey
from winnow.domain.model import Model
from winnow.domain.retrying import retry_on_conflict
from winnow.registry.batch_predictions import RUNNING_LEASE
from winnow.registry.versions import check_ready

# A batch that has reported nothing for this long may have no workflow any more.
_QUIET = timedelta(minutes=5)
# A batch that has a slot and can't be started for this long fails. The sweeper tries every five minutes.
_LONGEST_QUEUED = timedelta(days=1)
_SILENT = (
    "The batch stopped: it reported nothing for longer than one of its steps can take. Send it again; if it fails again, ask the operator."
)
_NEVER_STARTED = "The batch could not be started for a day: the sweeper's log says why. Send it again."


class BatchCare(StrEnum):
    """What the sweeper did for a batch."""

    STARTED = "BatchesStarted"
    FAILED = "BatchesFailed"


def start_batch(request: BatchRequest, key: IdempotencyKey | None = None) -> tuple[BatchJob, int]:
    """Register the batch that the request asks for, and start it if there is a free slot. Returns the job and the number of its version.

    A known key gets its earlier job and version.
    ModelNotFoundError, VersionNotFoundError, VersionNotReadyError; ModelNotReadyError if no version is named and none is live; GoneError if
    the earlier job's model was deleted; TooManyBatchesError; BusyError.
    A registered batch will end as ready or failed. If its workflow doesn't start now, it starts later.
    """

    def try_to_register() -> tuple[BatchJob, int, bool] | None:
        before = None if key is None else resources.answered_requests().find(key)
        if before is not None:
            job = BatchJob.from_event(before)
            resources.models().still_there(job.model_id, job.uid)
            return job, before["version"], False
        model = resources.models().get(request.model_id)
        batch = _wanted(model, request)
        queue.check_room()
        created = resources.batch_predictions().create(model, batch, resources.batch_days(), key)
        return (batch.job, batch.version, True) if created else None

    job, version, new = retry_on_conflict(try_to_register, request.model_id)
    if new:
        # The batch is registered, so the answer is 202. The next end of a batch starts it, or the sweeper.
        with logged_only("not started"):
            queue.start_waiting()
    return job, version


def _wanted(model: Model, request: BatchRequest) -> BatchPrediction:
    number = request.version if request.version is not None else model.live_version
    if number is None:
        raise ModelNotReadyError(
            f"No version of model {model.model_id!r} is live: name a ready version, or promote one with PUT /models/{model.model_id}/live."
        )
    check_ready(resources.versions().get(model, number))
    job = BatchJob(model.model_id, model.uid, sortable_id())
    queued, where = BatchStatus.QUEUED, (request.s3bucket, request.object)
    return BatchPrediction(job, number, request.n_top, *where, queued, now(), layout=request.layout, policy=model.policy)


def cancel_batch(model_id: str, batch: str) -> BatchPrediction:
    """Stop a batch. NotCancellableError if it has ended; BatchPredictionNotFoundError, ModelNotFoundError."""
    job = BatchJob(model_id, resources.models().get(model_id).uid, batch)
    resources.batch_predictions().get(job)
    try:
        resources.batch_predictions().cancel(job)
    except JobSupersededError as error:
        found = resources.batch_predictions().get(job)
        raise NotCancellableError(
            f"Batch {batch!r} of model {model_id!r} is already {found.status}: there is nothing to cancel."
        ) from error
    _try_to_stop(job)
    return resources.batch_predictions().get(job)


def care_for_batch(job: BatchJob, since: str | None) -> BatchCare | None:
    """Start or fail a batch that is marked as under way and whose lease or workflow has ended. None: nothing to do.

    since: when it got its slot. Without one, a queued batch waits, for as long as it takes.
    """
    batch = _under_way(job)
    if batch is None or batch.lease_until is None:
        return None
    if batch.status is BatchStatus.RUNNING:
        return _care_for_running(batch, batch.lease_until)
    return None if since is None or batch.lease_until > now() else _care_for_queued(batch, since)


def _care_for_queued(batch: BatchPrediction, since: str) -> BatchCare | None:
    """The same for a batch that has a slot but whose first task hasn't begun."""
    status = resources.batch_workflow().status(queue.execution_name(batch.job))
    if status in ENDED:
        return _give_up(batch, _SILENT)
    if status is not None:
        return None
    if since <= timestamp(utc_now() - _LONGEST_QUEUED):
        return _give_up(batch, _NEVER_STARTED)
    return BatchCare.STARTED if queue.try_to_start_batch(batch.job) else None


def _care_for_running(batch: BatchPrediction, lease_until: str) -> BatchCare | None:
    """The same for a batch whose first task has begun."""
    if lease_until > timestamp(utc_now() + RUNNING_LEASE - _QUIET):
        return None
    # If the execution has ended, the lease would be waited for in vain.
    end = resources.batch_workflow().how_it_ended(queue.execution_name(batch.job))
    if end:
        return _give_up(batch, ended(end, OF_BATCH))
    return _give_up(batch, _SILENT) if lease_until <= now() else None


def _under_way(job: BatchJob) -> BatchPrediction | None:
    """The batch, if it is under way; otherwise None. Removes the mark of a batch that has ended."""
    batches = resources.batch_predictions()
    try:
        batch = batches.get(job)
    except BatchPredictionNotFoundError:
        batch = None
    if batch is None or batch.status not in ACTIVE_BATCH:
        batches.forget_mark(job)
        return None
    return batch


def _give_up(batch: BatchPrediction, error: str) -> BatchCare:
    resources.batch_predictions().expire(batch, error)
    _try_to_stop(batch.job)
    return BatchCare.FAILED


def end_batches(model: Model) -> None:
    """End all batches of a deleted model, also those that wait: none of them starts any more, and their slots are free at once."""
    for job in resources.batch_predictions().under_way():
        if job.uid == model.uid:
            with suppress(JobSupersededError):
                resources.batch_predictions().cancel(job)
            _try_to_stop(job)


def _try_to_stop(job: BatchJob) -> None:
    """Stop the workflow of a batch that has ended in the registry."""
    resources.batch_workflow().try_to_stop(queue.execution_name(job))
