"""What the sweeper and the queue look for: versions that are queued or in training, and models that are to be trained again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from winnow.registry import table as rows
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
        """Whether there may be a version that is queued or in training, or a model that is to be trained again."""
        either = _IN_TRAINING | _ASKED_TO_RETRAIN
        return any(True for _ in rows.partition(self._table, rows.MODELS, FilterExpression=either, **rows.SOMEWHAT_LATE))

    def wanted(self) -> Iterator[Wanted]:
        """The versions that are queued or in training."""
        for item in rows.partition(self._table, rows.MODELS, FilterExpression=_IN_TRAINING):
            # A row from before `queued_at` was kept counts as the first.
            yield Wanted(rows.model_id_of(item), item["uid"], item["training_version"], item.get("queued_at", ""))

    def asked_to_retrain(self) -> Iterator[str]:
        """The ids of the models for which a request asked for a retraining, now or when enough feedback waits, and none began since."""
        asked = _ASKED_TO_RETRAIN & Attr("training_version").not_exists()
        for item in rows.partition(self._table, rows.MODELS, FilterExpression=asked):
            yield rows.model_id_of(item)
