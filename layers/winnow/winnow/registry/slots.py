"""The slots of training jobs: so many versions are trained at once. One row, which changes only as who writes it last read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from winnow.registry import table as rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


Key = tuple[str, int]
"""A version, by the uid of its model's life and its number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version that is queued or being trained, and when it was asked for (ISO 8601)."""

    model_id: str
    uid: str
    version: int
    queued_at: str

    @property
    def key(self) -> Key:
        return self.uid, self.version


@dataclass(frozen=True, slots=True)
class Held:
    """Which versions hold a slot, each since when (ISO 8601). revision: of the row, 0 where there is none yet.

    One that ended may still be among them.
    """

    since: Mapping[Key, str]
    revision: int


class Slots:
    """The slots of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self) -> Held:
        item = rows.from_item(self._table.get_item(Key=rows.SLOTS_KEY, ConsistentRead=True).get("Item", {}))
        since = {(uid, int(version)): at for name, at in item.get("since", {}).items() for uid, version in [name.split("#")]}
        return Held(since, item.get("revision", 0))

    def give(self, since: Mapping[Key, str], read: Held) -> bool:
        """These hold a slot from now on, and no others. False where the row changed since it was read."""
        condition, where = (
            ("#revision = :revision", {"revision": read.revision}) if read.revision else ("attribute_not_exists(#revision)", {})
        )
        held = {f"{uid}#{version}": at for (uid, version), at in since.items()}
        try:
            rows.update(self._table, rows.Update(rows.SLOTS_KEY, {"since": held}, condition, where))
        except rows.ConditionFailedError:
            return False
        return True
