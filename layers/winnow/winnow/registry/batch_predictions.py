"""Batch predictions: their rows, and the marks of those that are under way.

The registry accepts a write only while the batch is queued or running. If the batch was cancelled, has failed or was deleted, the write
of a task that still runs is refused with JobSupersededError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from winnow.domain.batch import ACTIVE_BATCH, BatchJob, BatchPrediction, BatchStatus
from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.dataset import Layout
from winnow.domain.errors import BatchPredictionNotFoundError, JobSupersededError
from winnow.domain.job import IdempotencyKey
from winnow.domain.model import Model
from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded, each_of_images
from winnow.registry.idempotency import answered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# How long a batch may report nothing. A queued batch's workflow starts within seconds. A running batch reports at the start of each of
# its Lambdas. A Lambda runs at most 15 minutes, and Step Functions tries to start the next one for at most 46 minutes.
_QUEUED_LEASE = timedelta(minutes=5)
RUNNING_LEASE = timedelta(minutes=65)
# How much longer the row is kept than the result, which the workflow writes within at most three days.
_ROW_OUTLIVES = timedelta(days=4)


class BatchPredictions:
    """The batch predictions of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, model: Model, batch: BatchPrediction, days: int, key: IdempotencyKey | None = None) -> bool:
        """Queue a batch. days: how long its result is kept. False if the model was deleted or the key was used meanwhile."""
        expires = utc_now() + timedelta(days=days) + _ROW_OUTLIVES
        row = {
            **rows.batch_prediction_key(batch.job.uid, batch.job.batch),
            **batch.job.as_event(),
            "revision": 1,
            "batch_status": batch.status,
            "version": batch.version,
            "n_top": batch.n_top,
            "s3bucket": batch.s3bucket,
            "object": batch.object,
            **({"layout": said} if (said := batch.layout.as_dict()) else {}),
            **({} if batch.policy is None else {"policy": batch.policy}),
            "created_at": batch.created_at,
            "lease_until": _lease(_QUEUED_LEASE),
            "expires": int(expires.timestamp()),
        }
        mark = {**rows.batch_under_way_key(batch.job.uid, batch.job.batch), **batch.job.as_event()}
        there = rows.checked(rows.model_key(model.model_id), "#uid = :uid", {"uid": model.uid})
        known = [] if key is None else [answered(key, {**batch.job.as_event(), "version": batch.version})]
        try:
            rows.transact(self._table, there, rows.put_new(row), rows.put_new(mark), *known)
        except rows.ConditionFailedError:
            return False
        return True

    def get(self, job: BatchJob) -> BatchPrediction:
        """A batch. BatchPredictionNotFoundError if there is none or it has expired; DamagedRowError."""
        item = self._table.get_item(Key=rows.batch_prediction_key(job.uid, job.batch), ConsistentRead=True).get("Item")
        batch = decoded(item, _unexpired) if item else None
        if batch is None:
            raise BatchPredictionNotFoundError(job.model_id, job.batch)
        return batch

    def list(self, model: Model, limit: int, before: str | None = None) -> tuple[list[BatchPrediction], str | None]:
        """At most `limit` batches of the model before the batch `before`, newest first; and the `before` of the next page.

        Without damaged rows.
        """
        start = {} if before is None else {"ExclusiveStartKey": rows.batch_prediction_key(model.uid, before)}
        partition = rows.batch_predictions_partition(model.uid)
        found = rows.partition(self._table, partition, Limit=limit + 1, ScanIndexForward=False, **start)
        there = (batch for batch in each_decoded(found, _unexpired) if batch is not None)
        batches: list[BatchPrediction] = list(islice(there, limit + 1))
        return batches[:limit], batches[limit - 1].job.batch if len(batches) > limit else None

    def under_way(self, *, as_of_now: bool = True) -> Iterator[BatchJob]:
        """The batches of all models that are queued or running. as_of_now: read consistently, with changes of the last second."""
        found = rows.partition(self._table, rows.BATCHES, **({} if as_of_now else rows.SOMEWHAT_LATE))
        return each_decoded(found, BatchJob.from_event)

    def note(self, job: BatchJob, **known: int | str) -> BatchPrediction:
        """Mark the batch as running, and renew its lease. known: what the object's split found, by the names of BatchPrediction."""
        change = _guarded(job, {"batch_status": BatchStatus.RUNNING, "lease_until": _lease(RUNNING_LEASE), **known})
        try:
            rows.update(self._table, change)
        except rows.ConditionFailedError as error:
            raise _superseded(job) from error
        return self.get(job)

    def commit(self, job: BatchJob) -> None:
        """Mark the batch as ready. Its result must be written before, so that a ready batch always has one."""
        self._end(job, BatchStatus.READY)

    def fail(self, job: BatchJob, error: str) -> None:
        """Mark the batch as failed. error: a sentence with the reason."""
        self._end(job, BatchStatus.FAILED, error=error)

    def expire(self, batch: BatchPrediction, error: str) -> None:
        """Mark the batch as failed because its lease ran out. JobSupersededError if the lease was renewed since the batch was read."""
        self._end(batch.job, BatchStatus.FAILED, lease=batch.lease_until, error=error)

    def cancel(self, job: BatchJob) -> None:
        """Mark the batch as cancelled."""
        self._end(job, BatchStatus.CANCELLED)

    def forget_mark(self, job: BatchJob) -> None:
        """Remove the mark of a batch that is not under way any more."""
        rows.delete(self._table, rows.batch_under_way_key(job.uid, job.batch))

    def _end(self, job: BatchJob, status: BatchStatus, *, lease: str | None = None, **known: str) -> None:
        ended = _guarded(job, {"batch_status": status, "finished_at": now(), **known}, lease, ends=True)
        mark = rows.deleted(rows.batch_under_way_key(job.uid, job.batch))
        try:
            rows.transact(self._table, rows.updated(ended), mark)
        except rows.ConditionFailedError as error:
            raise _superseded(job) from error


def batches_of_images(images: Iterable[Mapping[str, Any]]) -> Iterator[BatchPrediction]:
    """The batches from rows of the table's stream. Without damaged and expired rows."""
    return (batch for batch in each_of_images(images, _unexpired) if batch is not None)


def _guarded(job: BatchJob, assign: Mapping[str, Any], lease: str | None = None, *, ends: bool = False) -> rows.Update:
    active, where = rows.one_of("batch_status", ACTIVE_BATCH)
    return rows.Update(
        key=rows.batch_prediction_key(job.uid, job.batch),
        assign=assign,
        condition=active if lease is None else f"{active} AND #lease_until = :lease",
        where=where if lease is None else {**where, "lease": lease},
        remove=["lease_until"] if ends else [],
    )


def _lease(length: timedelta) -> str:
    return timestamp(utc_now() + length)


def _superseded(job: BatchJob) -> JobSupersededError:
    return JobSupersededError(f"Batch {job.batch!r} of model {job.model_id!r} was cancelled or deleted, or has ended.")


def _unexpired(row: Mapping[str, Any]) -> BatchPrediction | None:
    """None if the row has expired: DynamoDB removes it some time after that."""
    if row["expires"] <= utc_now().timestamp():
        return None
    return BatchPrediction(
        job=BatchJob.from_event(row),
        version=row["version"],
        n_top=row["n_top"],
        s3bucket=row["s3bucket"],
        object=row["object"],
        status=BatchStatus(row["batch_status"]),
        created_at=row["created_at"],
        finished_at=row.get("finished_at"),
        lines=row.get("lines"),
        errors=row.get("errors"),
        shards=row.get("shards"),
        error=row.get("error"),
        lease_until=row.get("lease_until"),
        # Only a table has a delimiter, and batches of earlier releases have none at all.
        layout=Layout.of(row.get("layout", {})),
        delimiter=row.get("delimiter"),
        warning=row.get("warning"),
        policy=row.get("policy"),
    )
