"""Requests that were answered under an Idempotency-Key. For a day (or as the key says), the same request gets the same answer.

As in draft-ietf-httpapi-idempotency-key-header (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import utc_now
from winnow.domain.errors import IdempotencyKeyReusedError
from winnow.domain.job import IdempotencyKey
from winnow.registry import table as rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class AnsweredRequests:
    """The requests of a table that were answered under a key."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, key: IdempotencyKey) -> dict[str, Any] | None:
        """The record of the request with this key. None if there is none. IdempotencyKeyReusedError if another request used the key."""
        item = self._table.get_item(Key=rows.idempotency_key(key.value), ConsistentRead=True).get("Item")
        kept: dict[str, Any] = rows.from_item(item) if item else {"expires": 0}
        # DynamoDB removes a row some time after it has expired.
        if kept["expires"] <= _seconds():
            return None
        if kept["digest"] != key.digest:
            raise IdempotencyKeyReusedError
        return kept

    def complete(self, key: IdempotencyKey, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Add the answer to the record of a request. Returns the answer in the record: if there are two, the first one counts."""
        given = rows.Update(
            key=rows.idempotency_key(key.value),
            assign={"answer": answer},
            condition="#digest = :digest AND attribute_not_exists(#answer)",
            where={"digest": key.digest},
        )
        try:
            rows.update(self._table, given)
        except rows.ConditionFailedError:
            kept = self.find(key) or {}
            return {**answer, **kept.get("answer", {})}
        return dict(answer)


def answered(key: IdempotencyKey, kept: Mapping[str, Any]) -> Callable[[str], dict[str, Any]]:
    """For `transact`: the record of a request with this key. The write fails if the request is known."""
    expires = _seconds() + int(key.known_for.total_seconds())
    row = {**rows.idempotency_key(key.value), **kept, "digest": key.digest, "expires": expires}
    return rows.put_new(row, or_expired_at=_seconds())


def _seconds() -> int:
    return int(utc_now().timestamp())
