"""The history of models: one row for each deed, written in the same transaction as the deed.

The rows are under the model's id and not its uid, so they outlive the model. Each expires by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import sortable_id, time_of_id, utc_now
from winnow.domain.history import Caller, CallerKind, Deed, Entry, calling
from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEPT_FOR = timedelta(days=400)


class History:
    """The histories of the models of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def list(self, model_id: str, limit: int, before: str | None = None) -> tuple[list[Entry], str | None]:
        """At most `limit` entries before the entry `before`, newest first; and the `before` of the next page. Without damaged rows.

        The entries of all models that had this id, also of deleted ones.
        """
        start = {} if before is None else {"ExclusiveStartKey": rows.history_key(model_id, before)}
        found = rows.partition(self._table, rows.history_partition(model_id), Limit=limit + 1, ScanIndexForward=False, **start)
        entries: list[Entry] = list(islice(each_decoded(found, _entry), limit + 1))
        return entries[:limit], entries[limit - 1].entry_id if len(entries) > limit else None

    def newest(self, model_id: str) -> str:
        """The id of the newest entry, "" if there is none."""
        entries, _ = self.list(model_id, 1)
        return entries[0].entry_id if entries else ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A new entry, for the transaction of its deed. row: the entry's own write.

    entry_id, after: the ids of this entry, and of the last one that the model's row named when it was read.
    """

    row: Callable[[str], dict[str, Any]]
    entry_id: str
    after: str

    @property
    def is_next(self) -> tuple[str, dict[str, Any]]:
        """The condition that the model's row still names `after`; and its values for `where`.

        So entries are in the order of the changes, whatever the clocks say, and what an entry says of the model was true.
        """
        return ("#history = :after", {"after": self.after}) if self.after else ("attribute_not_exists(#history)", {})

    def named_in(self, change: rows.Update) -> rows.Update:
        """The update of a model's row under that condition. The row names this entry afterwards."""
        condition, where = self.is_next
        return replace(
            change,
            assign={**change.assign, "history": self.entry_id},
            condition=f"{change.condition} AND {condition}",
            where={**change.where, **where},
        )


def recorded(model_id: str, after: str, deed: Deed, by: Callable[[], Caller | None] = calling.get, **facts: Any) -> Recorded:
    """The entry of a deed. after: the last entry that the model's row names, "" if there is none. facts: other members of `Entry`."""
    entry_id, caller = sortable_id(after), by()
    row = {
        **rows.history_key(model_id, entry_id),
        "deed": deed,
        **({} if caller is None else {"by": caller_row(caller)}),
        **{name: value for name, value in facts.items() if value is not None},
        "expires": int((utc_now() + KEPT_FOR).timestamp()),
    }
    return Recorded(rows.put_new(row), entry_id, after)


def caller_row(caller: Caller) -> dict[str, str]:
    """A caller as an attribute of a row."""
    return {name: value for name, value in asdict(caller).items() if value is not None}


def caller_in(row: Mapping[str, Any], name: str) -> Caller | None:
    """The caller in an attribute of a row. None if there is none. DamagedRowError."""
    return decoded(row, lambda item: _caller(item[name])) if name in row else None


def checked_id(entry_id: str) -> str:
    """The id. ValueError if it isn't one: then no entry could be made after it."""
    if entry_id:
        time_of_id(entry_id)
    return entry_id


def _entry(item: Mapping[str, Any]) -> Entry:
    by = item.get("by")
    return Entry(
        entry_id=checked_id(rows.entry_id_of(item)),
        deed=Deed(item["deed"]),
        by=None if by is None else _caller(by),
        **{name: item[name] for name in ("version", "before", "batch", "examples", "settings") if name in item},
    )


def _caller(stored: Mapping[str, Any]) -> Caller:
    return Caller(**{**stored, "kind": CallerKind(stored["kind"])})
