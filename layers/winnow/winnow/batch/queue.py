"""The queue of batch predictions of all models. At most MostBatches (a template parameter) run at the same time; the others wait."""

from __future__ import annotations

from operator import attrgetter

from winnow.aws import queue, resources
from winnow.domain.batch import BatchJob, BatchStatus
from winnow.domain.errors import BatchPredictionNotFoundError, TooManyBatchesError

# How many batches may wait. A client with a lesser role may start batches, so their number has a limit.
MOST_WAITING = 100


def check_room() -> None:
    """TooManyBatchesError if as many batches wait as may. Requests at the same time can pass it, by as many as they are."""
    if sum(1 for _ in resources.batch_predictions().under_way()) >= resources.most_batches() + MOST_WAITING:
        raise TooManyBatchesError(MOST_WAITING)


def start_waiting() -> int:
    """Start batches while there are free slots. Returns how many batches still wait."""
    return queue.start_waiting(resources.batch_slots(), resources.most_batches(), _wanted, _start)


def ahead(job: BatchJob) -> int | None:
    """How many batches have their turn before a queued one. None if it has its turn already."""
    # In this order: what is counted and has no slot has not had one before.
    others = list(resources.batch_predictions().under_way())
    since = resources.batch_slots().read().since
    return None if job.key in since else sum(other.batch < job.batch and other.key not in since for other in others)


def _wanted() -> list[BatchJob]:
    # Ids sort by time.
    return sorted(resources.batch_predictions().under_way(), key=attrgetter("batch"))


def _start(job: BatchJob) -> None:
    try:
        batch = resources.batch_predictions().get(job)
    except BatchPredictionNotFoundError:
        # Its model was deleted meanwhile.
        return
    # A batch that began before the deployment had slots only takes a slot; it runs already.
    if batch.status is BatchStatus.QUEUED:
        try_to_start_batch(job)


def try_to_start_batch(job: BatchJob) -> bool:
    """Start the workflow for the batch, once, because each batch has its own execution name. If that fails, the batch stays queued."""
    return resources.batch_workflow().try_to_start(execution_name(job), {"batch": job.as_event()})


def execution_name(job: BatchJob) -> str:
    # Step Functions refuses a name for 90 days after its execution closed. The uid and the random part of the id make each name new.
    return f"{job.uid}-{job.batch}"
