"""Feedback: batches of examples that clients sent for a model after its training, and the model's record of them.

A batch never changes. It is pending until a version takes it. Two marks in the model's row say up to which batch the version in training
and the last ready version take feedback. So a failed training leaves nothing to undo.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import now
from winnow.domain.errors import FeedbackBatchNotFoundError
from winnow.domain.feedback import FeedbackBatch, Retrain, TakenFeedback
from winnow.domain.history import Deed
from winnow.domain.job import IdempotencyKey
from winnow.domain.model import Model
from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded
from winnow.registry.history import recorded
from winnow.registry.idempotency import answered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_ASKED: Mapping[Retrain, Mapping[str, bool]] = {
    Retrain.NOW: {"retrain_now": True},
    Retrain.AUTO: {"retrain_auto": True},
    Retrain.NO: {},
}

# A new batch must sort after both marks, so that no batch is ever added that a version should already have taken.
_WAITS = " AND ".join(f"(attribute_not_exists(#{mark}) OR #{mark}.#through < :batch)" for mark in ("feedback_taking", "feedback_taken"))


class FeedbackBatches:
    """The feedback batches of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(
        self,
        model: Model,
        batch: FeedbackBatch,
        retrain: Retrain,
        key: IdempotencyKey | None = None,
        kept: Mapping[str, Any] | None = None,
        *,
        dismissed: Collection[str] = (),
        exactly: bool = False,
    ) -> bool:
        """Add a pending batch, its wish for a training, and the record of the request under the key. Its object must exist already.

        dismissed: the ids of the suspects that it dismisses, `keeps` of the batch in number.

        False if the model was deleted or the key was used meanwhile, or if a version has already taken later batches. exactly: or if the
        model changed, other than by feedback.
        """
        row = rows.put_new({**rows.feedback_key(model.uid, batch.batch), **_item(batch)})
        known = [] if key is None else [answered(key, kept or {})]
        if dismissed:
            known.append(rows.put_new({**rows.kept_key(model.uid, batch.batch), "kept": sorted(dismissed)}))
        entry = recorded(model.model_id, model.history, Deed.ADD_EXAMPLES, batch=batch.batch, examples=batch.examples)
        try:
            counted = rows.updated(_counted(model, batch, batch.examples, _ASKED[retrain], exactly))
            rows.transact(self._table, counted, row, *known, entry.row)
        except rows.ConditionFailedError:
            return False
        return True

    def remove(self, model: Model, batch: FeedbackBatch, *, exactly: bool) -> bool:
        """Take a batch back. False if meanwhile the model was deleted, a version took the batch, or it was taken back.

        exactly: as in `add`.
        """
        row = rows.deleted(rows.feedback_key(model.uid, batch.batch), "#examples = :examples", {"examples": batch.examples})
        dismissed = [rows.deleted(rows.kept_key(model.uid, batch.batch))] if batch.keeps else []
        entry = recorded(model.model_id, model.history, Deed.TAKE_BACK_EXAMPLES, batch=batch.batch, examples=batch.examples)
        try:
            counted = rows.updated(_counted(model, batch, -batch.examples, {}, exactly))
            rows.transact(self._table, counted, row, *dismissed, entry.row)
        except rows.ConditionFailedError:
            return False
        return True

    def replace_digest(self, model: Model, batch: str, sha256: str | None) -> bool:
        """Note the digest of a batch's new object, or None: nobody checks it. False if the batch was taken back."""
        assign, remove = ({}, ["sha256"]) if sha256 is None else ({"sha256": sha256}, [])
        key = rows.feedback_key(model.uid, batch)
        change = rows.Update(key, {"changed_at": now(), **assign}, "attribute_exists(#examples)", {}, remove)
        try:
            rows.update(self._table, change)
        except rows.ConditionFailedError:
            return False
        return True

    def get(self, model: Model, batch: str) -> FeedbackBatch:
        """The batch with this id, pending or not. FeedbackBatchNotFoundError if there is none."""
        item = self._table.get_item(Key=rows.feedback_key(model.uid, batch), ConsistentRead=True).get("Item")
        if not item:
            raise FeedbackBatchNotFoundError(model.model_id, batch)
        return decoded(item, _feedback_batch)

    def newest(self, model: Model) -> str | None:
        """The id of the newest batch, pending or not. None if there is none."""
        found = rows.partition(self._table, rows.feedback_partition(model.uid), Limit=1, ScanIndexForward=False)
        return next((each.batch for each in each_decoded(found, _feedback_batch)), None)

    def waiting(self, model: Model, limit: int, after: str | None = None) -> tuple[list[FeedbackBatch], str | None]:
        """At most `limit` pending batches after the batch `after`, oldest first; and the `after` of the next page, None at the end."""
        found = list(islice(self._after(model.uid, max(after or "", model.feedback.watermark.through), limit + 1), limit + 1))
        return found[:limit], found[limit - 1].batch if len(found) > limit else None

    def since(self, model: Model, time: str) -> Iterator[FeedbackBatch]:
        """All batches since a time, pending or not, oldest first. time: as `sorts_before` writes it; "" for all."""
        return self._after(model.uid, time)

    def taken(self, uid: str, feedback: TakenFeedback) -> Iterator[FeedbackBatch]:
        """The batches that a version takes, oldest first."""
        return takewhile(lambda batch: batch.batch <= feedback.through, self._after(uid, feedback.after))

    def _after(self, uid: str, batch: str, limit: int = 1_000) -> Iterator[FeedbackBatch]:
        start = {"ExclusiveStartKey": rows.feedback_key(uid, batch)} if batch else {}
        return each_decoded(rows.partition(self._table, rows.feedback_partition(uid), Limit=limit, **start), _feedback_batch)


def _counted(model: Model, batch: FeedbackBatch, examples: int, asked: Mapping[str, bool], exactly: bool) -> rows.Update:
    condition, where = rows.of_life(model.uid, model.revision if exactly else None)
    return rows.Update(
        key=rows.model_key(model.model_id),
        assign={"updated_at": now(), **asked},
        condition=f"{condition} AND {_WAITS}",
        where={**where, "batch": batch.batch},
        add={"feedback_received": examples},
        revision="feedback_revision",
    )


def _item(batch: FeedbackBatch) -> dict[str, Any]:
    return {name: value for name, value in asdict(batch).items() if value is not None}


def _feedback_batch(item: Mapping[str, Any]) -> FeedbackBatch:
    return FeedbackBatch(item["batch"], item["examples"], item["labels"], item["created_at"], item.get("sha256"), item.get("keeps", 0))
