"""The suspects that clients dismissed for good: the ids of examples, in a row for each feedback batch that dismisses some.

A batch and its row come and go in one transaction (registry/feedback_batches.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from winnow.registry import table as rows
from winnow.registry.decoding import each_decoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# The most ids of a model that a request may reach.
MOST_KEPT = 10_000


class KeptExamples:
    """The dismissed suspects of a table's models."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def ids(self, uid: str) -> frozenset[str]:
        """The ids of the model's examples that are no suspects."""
        found = each_decoded(rows.partition(self._table, rows.kept_partition(uid)), lambda row: tuple(row["kept"]))
        return frozenset(example for kept in found for example in kept)
