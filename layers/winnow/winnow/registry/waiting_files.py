"""Files in the inbox that are to be classified or trained on and weren't yet: one row each, until a batch or a training has begun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from winnow.domain.dropped_file import DroppedFile, Folder
from winnow.registry import table as rows
from winnow.registry.decoding import each_decoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class WaitingFiles:
    """The waiting files of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, file: DroppedFile) -> None:
        """Write the file down. If it waits already, nothing changes. BusyError."""
        told = {"folder": file.folder, "object": file.key, "state": file.state, "dropped_at": file.dropped_at}
        with suppress(rows.ConditionFailedError):
            rows.transact(self._table, rows.put_new({**rows.waiting_file_key(file.dropped_at, file.digest), **told}))

    def remove(self, file: DroppedFile) -> None:
        """The file waits no more. BusyError."""
        rows.delete(self._table, rows.waiting_file_key(file.dropped_at, file.digest))

    def list(self) -> Iterator[DroppedFile]:
        """The files that wait, in the order in which they were dropped. Without damaged rows."""
        return each_decoded(rows.partition(self._table, rows.INBOX), _file)


def _file(item: Mapping[str, Any]) -> DroppedFile:
    return DroppedFile(Folder(item["folder"]), item["object"], item["state"], item["dropped_at"])
