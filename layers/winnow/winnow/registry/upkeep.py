"""The sweeper's rows in the registry: deletions that aren't finished, and when it last did its daily tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.model import Model, VersionStatus
from winnow.registry import table as rows
from winnow.registry.decoding import decoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# A Lambda that trains a version while it is deleted can still write an object, until its time ends at most 15 minutes later.
_LAST_WRITE = timedelta(minutes=16)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deleted model or version whose objects and rows are still to be removed.

    at: when it was deleted (ISO 8601). final_after: the time after which no training job of it can write objects. version: None for the
    whole model.
    """

    model_id: str
    uid: str
    at: str
    final_after: str
    version: int | None = None

    @classmethod
    def of(cls, model: Model, version: int | None = None) -> Deletion:
        """The deletion of the model, or of one of its versions, at this moment."""
        return cls(model.model_id, model.uid, now(), timestamp(utc_now() + _LAST_WRITE), version)


def noted(deletion: Deletion) -> Callable[[str], dict[str, Any]]:
    """For `transact`: the row of a deletion, for the transaction that deletes the row of the model or version."""
    version = {} if deletion.version is None else {"version": deletion.version}
    return rows.put_new(
        {
            **rows.deletion_key(deletion.uid, deletion.version),
            "model_id": deletion.model_id,
            "uid": deletion.uid,
            "final_after": deletion.final_after,
            "at": deletion.at,
            **version,
        }
    )


class Upkeep:
    """The sweeper's rows of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def deletions(self) -> Iterator[str]:
        """The names of the unfinished deletions, for `deletion`."""
        for item in rows.partition(self._table, rows.DELETIONS, **rows.SOMEWHAT_LATE):
            yield item["sk"]

    def deletion(self, name: str) -> Deletion | None:
        """A deletion by its name. None if it was finished meanwhile. DamagedRowError."""
        item = self._table.get_item(Key=rows.deletion_key(name), ConsistentRead=True).get("Item")
        return decoded(item, _deletion) if item else None

    def remove_rows(self, deletion: Deletion) -> None:
        """Remove the rows of a deletion: a version's row, or a model's versions, feedback batches with what they dismiss, policies, days
        of drift, review queue and batch predictions."""
        if deletion.version is not None:
            rows.delete(self._table, rows.version_key(deletion.uid, deletion.version))
            return
        with self._table.batch_writer() as batch:
            uid = deletion.uid
            owned = (rows.versions_partition, rows.feedback_partition, rows.kept_partition, rows.policies_partition, rows.drift_partition)
            for name in (partition(uid) for partition in owned):
                for item in rows.partition(self._table, name):
                    batch.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
            batch.delete_item(Key=rows.review_queue_key(deletion.uid))
            for item in rows.partition(self._table, rows.batch_predictions_partition(deletion.uid)):
                # Only batches under way have a mark. Deleting an absent one is no error.
                batch.delete_item(Key=rows.batch_under_way_key(deletion.uid, item["sk"]))
                batch.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})

    def finish(self, deletion: Deletion) -> None:
        """Remove the row of the deletion, when nothing else is left."""
        rows.delete(self._table, rows.deletion_key(deletion.uid, deletion.version))

    def job(self, uid: str, version: int) -> tuple[int, VersionStatus] | None:
        """The fence and the status of a version. None if the registry has no such version. DamagedRowError."""
        item = self._table.get_item(Key=rows.version_key(uid, version), ConsistentRead=True).get("Item")
        return decoded(item, lambda row: (int(row["fence"]), VersionStatus(row["status"]))) if item else None

    def feedback_batches(self, uid: str) -> frozenset[str]:
        """The ids of a model's feedback batches. uid: of one life of the model."""
        return frozenset(item["sk"] for item in rows.partition(self._table, rows.feedback_partition(uid)))

    def review_queue(self, uid: str) -> str | None:
        """The id of a model's review queue. None if it has none. uid: of one life of the model."""
        item = self._table.get_item(Key=rows.review_queue_key(uid), ConsistentRead=True).get("Item", {})
        return str(item["queue"]) if "queue" in item else None

    def is_time_for(self, name: str, every: timedelta) -> bool:
        """Whether a task was last done at least `every` ago. If so, it counts as done now, so only one of two callers gets True."""
        before = timestamp(utc_now() - every)
        # Read first, because even a refused write costs ten times as much as a read.
        last = self._table.get_item(Key=rows.upkeep_key(name)).get("Item", {}).get("at")
        if last is not None and str(last) > before:
            return False
        done = rows.Update(rows.upkeep_key(name), {"at": now()}, "attribute_not_exists(#at) OR #at <= :before", {"before": before})
        try:
            rows.update(self._table, done)
        except rows.ConditionFailedError:
            return False
        return True


def _deletion(note: Mapping[str, Any]) -> Deletion:
    return Deletion(note["model_id"], note["uid"], note["at"], note["final_after"], note.get("version"))
