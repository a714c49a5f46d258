"""The roles of API keys. The registry never has a key itself, only its SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from winnow.domain.access import KeyRole
from winnow.registry import table as rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Roles:
    """The roles of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, digest: str) -> KeyRole | None:
        """The role of the key with this digest, None if it has none."""
        item = self._table.get_item(Key=rows.role_key(digest), ConsistentRead=True).get("Item")
        return None if item is None else _key_role(digest, item)

    def put(self, key: KeyRole) -> None:
        """Give a key its role, and replace the role that it had."""
        values = asdict(key)
        self._table.put_item(Item={**rows.role_key(values.pop("digest")), **values})

    def remove(self, digest: str) -> None:
        """Remove a key's role. A key without a role is no error."""
        self._table.delete_item(Key=rows.role_key(digest))

    def all(self) -> list[KeyRole]:
        """The roles of all keys, by name."""
        found = (_key_role(rows.digest_of(item), item) for item in rows.partition(self._table, rows.ROLES))
        return sorted(found, key=lambda key: key.name)


def _key_role(digest: str, item: Mapping[str, object]) -> KeyRole:
    name, role, key_id, created_at, plan = (str(item.get(member, "")) for member in ("name", "role", "key_id", "created_at", "plan"))
    return KeyRole(digest, name, role, key_id, created_at, plan)
