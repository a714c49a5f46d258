"""Start and cancel batch predictions, and what the sweeper does for those that stopped reporting. Works without the spaCy layer."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from winnow.aws import resources
from winnow.aws.workflow import ENDED
from winnow.domain.batch import ACTIVE_BATCH, BatchJob, BatchPrediction, BatchRequest, BatchStatus
from winnow.domain.clock import now, sortable_id, timestamp, utc_now
from winnow.domain.errors import BatchPredictionNotFoundError, JobSupersededError, ModelNotReadyError, NotCancellableError
from winnow.domain.job import IdempotencyKey
from winnow.domain.model import Model
from winnow.domain.retrying import retry_on_conflict
from winnow.registry.versions import check_ready

# A batch that can't be started for this long fails. The sweeper tries every five minutes.
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
    """Register the batch that the request asks for, and start its workflow. Returns the job and the number of its version.

    A known key gets its earlier job and version.
    ModelNotFoundError, VersionNotFoundError, VersionNotReadyError; ModelNotReadyError if no version is named and none is live; GoneError if
    the earlier job's model was deleted; BusyError.
    A registered batch will end as ready or failed. If the workflow doesn't start now, `care_for_batch` starts it later.
    """

    def try_to_register() -> tuple[BatchJob, int] | None:
        before = None if key is None else resources.answered_requests().find(key)
        if before is not None:
            job = BatchJob.from_event(before)
            resources.models().still_there(job.model_id, job.uid)
            return job, before["version"]
        model = resources.models().get(request.model_id)
        batch = _wanted(model, request)
        if not resources.batch_predictions().create(model, batch, resources.batch_days(), key):
            return None
        _try_to_start(batch.job)
        return batch.job, batch.version

    return retry_on_conflict(try_to_register, request.model_id)


def _wanted(model: Model, request: BatchRequest) -> BatchPrediction:
    number = request.version if request.version is not None else model.live_version
    if number is None:
        raise ModelNotReadyError(
            f"No version of model {model.model_id!r} is live: name a ready version, or promote one with PUT /models/{model.model_id}/live."
        )
    check_ready(resources.versions().get(model, number))
    job = BatchJob(model.model_id, model.uid, sortable_id())
    return BatchPrediction(job, number, request.n_top, request.s3bucket, request.object, BatchStatus.QUEUED, now(), layout=request.layout)


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
    try_to_stop_batch(job)
    return resources.batch_predictions().get(job)


def care_for_batch(job: BatchJob) -> BatchCare | None:
    """Start or fail a batch that is marked as under way and whose lease ran out. None: nothing to do."""
    batch = _unheard_of(job)
    if batch is None:
        return None
    if batch.status is BatchStatus.RUNNING:
        return _give_up(batch, _SILENT)
    status = resources.batch_workflow().status(_execution_name(job))
    if status in ENDED:
        return _give_up(batch, _SILENT)
    if status is not None:
        return None
    if batch.created_at <= timestamp(utc_now() - _LONGEST_QUEUED):
        return _give_up(batch, _NEVER_STARTED)
    return BatchCare.STARTED if _try_to_start(job) else None


def _unheard_of(job: BatchJob) -> BatchPrediction | None:
    """The batch, if it is under way and its lease ran out; otherwise None. Removes the mark of a batch that has ended."""
    batches = resources.batch_predictions()
    try:
        batch = batches.get(job)
    except BatchPredictionNotFoundError:
        batch = None
    if batch is None or batch.status not in ACTIVE_BATCH:
        batches.forget_mark(job)
        return None
    return None if batch.lease_until is None or batch.lease_until > now() else batch


def _give_up(batch: BatchPrediction, error: str) -> BatchCare:
    resources.batch_predictions().expire(batch, error)
    try_to_stop_batch(batch.job)
    return BatchCare.FAILED


def try_to_stop_batch(job: BatchJob) -> None:
    """Stop the workflow of a batch that has ended in the registry or was deleted."""
    resources.batch_workflow().try_to_stop(_execution_name(job))


def _try_to_start(job: BatchJob) -> bool:
    return resources.batch_workflow().try_to_start(_execution_name(job), {"batch": job.as_event()})


def _execution_name(job: BatchJob) -> str:
    # Step Functions refuses a name for 90 days after its execution closed. The uid and the random part of the id make each name new.
    return f"{job.uid}-{job.batch}"
