"""For the sweeper and the queue: versions that are queued or in training, and models with a wish for a retraining."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from winnow.registry import table as rows
from winnow.registry.decoding import each_decoded
from winnow.registry.slots import Wanted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_IN_TRAINING = Attr("training_version").exists()
_ASKED_TO_RETRAIN = Attr("retrain_now").exists() | (Attr("retrain_auto").exists() & Attr("retrain_after").gte(1))


class PendingTrainings:
    """The pending trainings of all models of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def any(self) -> bool:
        """Whether any version may be queued or in training, or any model may wait for a retraining."""
        either = _IN_TRAINING | _ASKED_TO_RETRAIN
        return any(True for _ in rows.partition(self._table, rows.MODELS, FilterExpression=either, **rows.SOMEWHAT_LATE))

    def wanted(self) -> Iterator[Wanted]:
        """The versions that are queued or in training. Without damaged rows."""
        return each_decoded(rows.partition(self._table, rows.MODELS, FilterExpression=_IN_TRAINING), _wanted)

    def asked_to_retrain(self) -> Iterator[str]:
        """The ids of the models for which a feedback request asked for a retraining, now or later, and none has started since."""
        asked = _ASKED_TO_RETRAIN & Attr("training_version").not_exists()
        for item in rows.partition(self._table, rows.MODELS, FilterExpression=asked):
            yield rows.model_id_of(item)

    def scheduled(self, until: str) -> Iterator[str]:
        """The ids of the models whose schedule has come by this time (ISO 8601)."""
        due = Attr("scheduled_for").lte(until)
        for item in rows.partition(self._table, rows.MODELS, FilterExpression=due, **rows.SOMEWHAT_LATE):
            yield rows.model_id_of(item)


def _wanted(item: Mapping[str, Any]) -> Wanted:
    # A row without `queued_at` is from an older deployment and comes first.
    return Wanted(rows.model_id_of(item), item["uid"], item["training_version"], item.get("queued_at", ""))
