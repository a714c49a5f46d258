"""Requests that were answered under an Idempotency-Key: for a day, the same request again gets the same answer.

As in draft-ietf-httpapi-idempotency-key-header (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from winnow.domain import IdempotencyKey, TrainingJob, utc_now
from winnow.errors import IdempotencyKeyReusedError
from winnow.registry import table as rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEPT_FOR = timedelta(hours=24)


class AnsweredRequests:
    """The requests of a table that were answered under a key."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def job(self, key: IdempotencyKey) -> TrainingJob | None:
        """The job that was started under the key. None where there is none. IdempotencyKeyReusedError where another request had the key."""
        item = self._table.get_item(Key=rows.idempotency_key(key.value), ConsistentRead=True).get("Item")
        answered = rows.from_item(item) if item else {"expires": 0}
        # DynamoDB removes a row some time after it has expired.
        if answered["expires"] <= _seconds():
            return None
        if answered["digest"] != key.digest:
            raise IdempotencyKeyReusedError
        return TrainingJob.from_event(answered)


def answered(key: IdempotencyKey, job: TrainingJob) -> Callable[[str], dict[str, Any]]:
    """For `transact`: that the job was started under the key, which nobody used in the last day."""
    expires = _seconds() + int(_KEPT_FOR.total_seconds())
    row = {**rows.idempotency_key(key.value), **asdict(job), "digest": key.digest, "expires": expires}
    return rows.put_new(row, or_expired_at=_seconds())


def _seconds() -> int:
    return int(utc_now().timestamp())
