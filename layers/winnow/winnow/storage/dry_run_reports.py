"""The reports of dry runs, which belong to no model. By the template, S3 removes them after a week."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


class DryRunReports:
    """The reports in a bucket, by their ids."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, report_id: str, record: Mapping[str, Any]) -> None:
        """Keep the status of a report, and the report when it is ready."""
        self._bucket.put_json(_key(report_id), record)

    def find(self, report_id: str) -> dict[str, Any] | None:
        """What `write` wrote last, or None."""
        body = self._bucket.find(_key(report_id))
        if body is None:
            return None
        record: dict[str, Any] = json.loads(body)
        return record


def _key(report_id: str) -> str:
    return f"reports/{report_id}.json"
