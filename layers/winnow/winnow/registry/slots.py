"""The slots of one kind of job, which limit how many jobs run at the same time: trainings have theirs, batch predictions have others.

They are one row. A write fails if the row changed since the writer read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version that is queued or in training. queued_at: when it was requested (ISO 8601)."""

    model_id: str
    uid: str
    version: int
    queued_at: str

    @property
    def key(self) -> str:
        return f"{self.uid}#{self.version}"


@dataclass(frozen=True, slots=True)
class Held:
    """The jobs that hold a slot. since: the time (ISO 8601) by the job's key. revision: of the row, 0 if there is no row yet.

    A job that has ended may still hold a slot.
    """

    since: Mapping[str, str]
    revision: int


class Slots:
    """The slots of a table for one kind of job: trainings, or batch predictions."""

    def __init__(self, table: Table, row: rows.Key) -> None:
        self._table = table
        self._row = row

    @classmethod
    def of_trainings(cls, table: Table) -> Self:
        return cls(table, rows.TRAINING_SLOTS_KEY)

    @classmethod
    def of_batches(cls, table: Table) -> Self:
        return cls(table, rows.BATCH_SLOTS_KEY)

    def read(self) -> Held:
        """The slots, without damaged ones. DamagedRowError if the row as a whole is damaged."""
        item = self._table.get_item(Key=self._row, ConsistentRead=True).get("Item")
        return decoded(item, _held) if item else Held({}, 0)

    def remove(self) -> None:
        """Remove a damaged row. The next `give` makes it again: the jobs that have waited longest get slots, so those that run."""
        rows.delete(self._table, self._row)

    def give(self, since: Mapping[str, str], read: Held) -> bool:
        """Give the slots to these jobs and to no others. False if the row changed since it was read."""
        condition, where = (
            ("#revision = :revision", {"revision": read.revision}) if read.revision else ("attribute_not_exists(#revision)", {})
        )
        try:
            rows.update(self._table, rows.Update(self._row, {"since": since}, condition, where))
        except rows.ConditionFailedError:
            return False
        return True


def _held(item: Mapping[str, Any]) -> Held:
    slots = [{**item, "job": job, "at": at} for job, at in item.get("since", {}).items()]
    return Held(dict(each_decoded(slots, _slot)), item.get("revision", 0))


def _slot(slot: Mapping[str, Any]) -> tuple[str, str]:
    if not isinstance(slot["at"], str):
        message = f"{slot['job']} holds a slot since {slot['at']}"
        raise TypeError(message)
    return slot["job"], slot["at"]
