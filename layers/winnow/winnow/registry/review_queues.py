"""Review queues: one row for each model that has one. It names the queue's object, and says which items are handed out or answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import utc_now
from winnow.domain.errors import ReviewQueueNotFoundError
from winnow.domain.model import Model
from winnow.domain.review import ReviewQueue
from winnow.registry import table as rows
from winnow.registry.decoding import decoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class ReviewQueues:
    """The review queues of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, model: Model) -> ReviewQueue | None:
        """The model's queue, also an expired one that DynamoDB hasn't removed yet. None if there is none. DamagedRowError."""
        item = self._table.get_item(Key=rows.review_queue_key(model.uid), ConsistentRead=True).get("Item")
        return decoded(item, _queue) if item else None

    def get(self, model: Model) -> ReviewQueue:
        """The model's queue. ReviewQueueNotFoundError if there is none or it has expired."""
        queue = self.find(model)
        if queue is None or queue.expires <= utc_now().timestamp():
            raise ReviewQueueNotFoundError(model.model_id)
        return queue

    def replace(self, model: Model, queue: ReviewQueue, before: ReviewQueue | None) -> bool:
        """Make this the model's queue in place of `before`. Its object must exist already.

        False if the model was deleted meanwhile, or if another request has changed or replaced the queue before.
        """
        known, where = ("attribute_not_exists(#queue)", {}) if before is None else _unchanged(before)
        change = rows.Update(
            key=rows.review_queue_key(model.uid),
            assign={name: value for name, value in asdict(queue).items() if name != "revision"},
            condition=known,
            where=where,
        )
        there = rows.checked(rows.model_key(model.model_id), *rows.of_life(model.uid))
        try:
            rows.transact(self._table, there, rows.updated(change))
        except rows.ConditionFailedError:
            return False
        return True

    def remove(self, uid: str, queue: str) -> None:
        """Remove a model's queue, if it is still this one. uid: of one life of the model."""
        with suppress(rows.ConditionFailedError):
            rows.transact(self._table, rows.deleted(rows.review_queue_key(uid), "#queue = :queue", {"queue": queue}))

    def note(
        self,
        model: Model,
        queue: ReviewQueue,
        leases: Mapping[str, Sequence[str]],
        answered: Mapping[str, Sequence[str]],
        read_through: str,
    ) -> bool:
        """Write which items are handed out and answered. False if another request has changed or replaced the queue meanwhile."""
        condition, where = _unchanged(queue)
        change = rows.Update(
            key=rows.review_queue_key(model.uid),
            assign={"leases": leases, "answered": answered, "read_through": read_through},
            condition=condition,
            where=where,
        )
        try:
            rows.update(self._table, change)
        except rows.ConditionFailedError:
            return False
        return True


def _unchanged(queue: ReviewQueue) -> tuple[str, dict[str, Any]]:
    """The condition that the row is still as it was read, and its values."""
    return "#queue = :queue AND #revision = :revision", {"queue": queue.queue, "revision": queue.revision}


def _queue(item: Mapping[str, Any]) -> ReviewQueue:
    return ReviewQueue(
        queue=item["queue"],
        sha256=item["sha256"],
        version=item["version"],
        exclusive=item["exclusive"],
        texts=item["texts"],
        created_at=item["created_at"],
        expires=item["expires"],
        leases=item["leases"],
        answered=item["answered"],
        read_through=item["read_through"],
        revision=item["revision"],
    )
