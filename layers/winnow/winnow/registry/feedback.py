"""Feedback: batches of examples that came for a model after its training, and what the model knows of them.

A batch is never changed. It waits until a version takes it, and that is told by two marks in the model's row alone: how far the version
in training takes the batches, and how far the last ready one took them. So a training that fails leaves nothing to be undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import now
from winnow.domain.errors import BatchNotFoundError
from winnow.domain.feedback import Batch, Retrain, TakenFeedback
from winnow.domain.job import IdempotencyKey
from winnow.domain.model import Model
from winnow.registry import table as rows
from winnow.registry.idempotency import answered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_ASKED: Mapping[Retrain, Mapping[str, bool]] = {
    Retrain.NOW: {"retrain_now": True},
    Retrain.AUTO: {"retrain_auto": True},
    Retrain.NO: {},
}

# Whoever takes batches up to a mark has seen all that will ever be up to it.
_WAITS = " AND ".join(f"(attribute_not_exists(#{mark}) OR #{mark}.#through < :batch)" for mark in ("feedback_taking", "feedback_taken"))


class Batches:
    """The batches of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(
        self, model: Model, batch: Batch, retrain: Retrain, key: IdempotencyKey | None = None, kept: Mapping[str, Any] | None = None
    ) -> bool:
        """A batch that waits; what it asks for; and what is kept of the request under the key. Its object is written before.

        False where the model was deleted or the key was taken meanwhile, or a version takes batches beyond this one's id.
        """
        row = rows.put_new({**rows.batch_key(model.uid, batch.batch), **_item(batch)})
        known = [] if key is None else [answered(key, kept or {})]
        try:
            rows.transact(self._table, rows.updated(_counted(model, batch, batch.examples, _ASKED[retrain])), row, *known)
        except rows.ConditionFailedError:
            return False
        return True

    def remove(self, model: Model, batch: Batch) -> bool:
        """Take a batch back. False where the model was deleted, or a version took the batch, or it was taken back, meanwhile."""
        row = rows.deleted(rows.batch_key(model.uid, batch.batch), "#examples = :examples", {"examples": batch.examples})
        try:
            rows.transact(self._table, rows.updated(_counted(model, batch, -batch.examples, {})), row)
        except rows.ConditionFailedError:
            return False
        return True

    def get(self, model: Model, batch: str) -> Batch:
        """A batch, whether or not it waits. BatchNotFoundError where there is none."""
        item = self._table.get_item(Key=rows.batch_key(model.uid, batch), ConsistentRead=True).get("Item")
        if not item:
            raise BatchNotFoundError(model.model_id, batch)
        return _batch(rows.from_item(item))

    def newest(self, model: Model) -> str | None:
        """The id of the newest batch, whether or not it waits. None where there is none."""
        found = rows.partition(self._table, rows.feedback_partition(model.uid), Limit=1, ScanIndexForward=False)
        return next((_batch(item).batch for item in found), None)

    def waiting(self, model: Model, limit: int, after: str | None = None) -> tuple[list[Batch], str | None]:
        """At most `limit` batches that wait, oldest first, those after the batch `after`; and the one to go on after, None at the end."""
        found = list(islice(self._after(model.uid, max(after or "", model.feedback.watermark.through), limit + 1), limit + 1))
        return found[:limit], found[limit - 1].batch if len(found) > limit else None

    def taken(self, uid: str, feedback: TakenFeedback) -> Iterator[Batch]:
        """The batches that a version takes, oldest first."""
        return takewhile(lambda batch: batch.batch <= feedback.through, self._after(uid, feedback.after))

    def _after(self, uid: str, batch: str, limit: int = 1_000) -> Iterator[Batch]:
        start = {"ExclusiveStartKey": rows.batch_key(uid, batch)} if batch else {}
        return map(_batch, rows.partition(self._table, rows.feedback_partition(uid), Limit=limit, **start))


def _counted(model: Model, batch: Batch, examples: int, asked: Mapping[str, bool]) -> rows.Update:
    return rows.Update(
        key=rows.model_key(model.model_id),
        assign={"updated_at": now(), **asked},
        condition=f"#uid = :uid AND {_WAITS}",
        where={"uid": model.uid, "batch": batch.batch},
        add={"feedback_received": examples},
        revision="feedback_revision",
    )


def _item(batch: Batch) -> dict[str, Any]:
    return {"batch": batch.batch, "examples": batch.examples, "labels": batch.labels, "created_at": batch.created_at}


def _batch(item: Mapping[str, Any]) -> Batch:
    return Batch(item["batch"], item["examples"], item["labels"], item["created_at"])
