"""The slots of training jobs, which limit how many versions are trained at the same time.

They are one row. A write fails if the row changed since the writer read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


Key = tuple[str, int]
"""A version, by the uid of its model's life and its number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version that is queued or in training. queued_at: when it was requested (ISO 8601)."""

    model_id: str
    uid: str
    version: int
    queued_at: str

    @property
    def key(self) -> Key:
        return self.uid, self.version


@dataclass(frozen=True, slots=True)
class Held:
    """The versions that hold a slot. since: the time (ISO 8601) by version. revision: of the row, 0 if there is no row yet.

    A version that has ended may still hold a slot.
    """

    since: Mapping[Key, str]
    revision: int


class Slots:
    """The slots of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self) -> Held:
        """The slots, without damaged ones. DamagedRowError if the row as a whole is damaged."""
        item = self._table.get_item(Key=rows.SLOTS_KEY, ConsistentRead=True).get("Item")
        return decoded(item, _held) if item else Held({}, 0)

    def remove(self) -> None:
        """Remove a damaged row. The next `give` makes it again: the versions that have waited longest get slots, so those that run."""
        rows.delete(self._table, rows.SLOTS_KEY)

    def give(self, since: Mapping[Key, str], read: Held) -> bool:
        """Give the slots to these versions and to no others. False if the row changed since it was read."""
        condition, where = (
            ("#revision = :revision", {"revision": read.revision}) if read.revision else ("attribute_not_exists(#revision)", {})
        )
        held = {f"{uid}#{version}": at for (uid, version), at in since.items()}
        try:
            rows.update(self._table, rows.Update(rows.SLOTS_KEY, {"since": held}, condition, where))
        except rows.ConditionFailedError:
            return False
        return True


def _held(item: Mapping[str, Any]) -> Held:
    slots = [{**rows.SLOTS_KEY, "version": version, "since": since} for version, since in item.get("since", {}).items()]
    return Held(dict(each_decoded(slots, _slot)), item.get("revision", 0))


def _slot(slot: Mapping[str, Any]) -> tuple[Key, str]:
    uid, _, version = slot["version"].partition("#")
    if not version.isdecimal() or not isinstance(slot["since"], str):
        message = f"{slot['version']} holds a slot since {slot['since']}"
        raise ValueError(message)
    return (uid, int(version)), slot["since"]
