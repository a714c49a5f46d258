"""Keys that the deployment makes for itself, once, at random."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from winnow.registry import table as rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Keys:
    """The keys of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def cursors(self) -> bytes:
        """The key that signs the cursors of lists: 32 bytes. Of several that ask first at once, the one whose row is written makes it."""
        while True:
            item = self._table.get_item(Key=rows.CURSOR_KEY, ConsistentRead=True).get("Item")
            if item:
                return bytes.fromhex(str(item["key"]))
            rows.put(self._table, {**rows.CURSOR_KEY, "key": secrets.token_hex(32)})
