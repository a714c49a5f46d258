"""What was measured of each day of the models' prediction logs: one row for each day, which expires and goes with its model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from winnow.domain.drift import KEPT_FOR, DriftDay, LabelShare, UsualFigures
from winnow.registry import table as rows
from winnow.registry.decoding import each_decoded, each_of_images

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from winnow.domain.model import Model


class DriftDays:
    """The measured days of a table's models."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def has(self, uid: str, day: str) -> bool:
        """Whether the day is measured."""
        return "Item" in self._table.get_item(Key=rows.drift_key(uid, day))

    def add(self, model: Model, day: DriftDay) -> bool:
        """Write a day, once. False if the model was deleted meanwhile, or if the day is written already."""
        until = datetime.fromisoformat(f"{day.day}T00:00:00Z") + KEPT_FOR
        told = {name: value for name, value in asdict(day).items() if name != "day" and value is not None}
        row = {**rows.drift_key(model.uid, day.day), **told, "uid": model.uid, "expires": int(until.timestamp())}
        there = rows.checked(rows.model_key(model.model_id), *rows.of_life(model.uid))
        try:
            rows.transact(self._table, there, rows.put_new(row))
        except rows.ConditionFailedError:
            return False
        return True

    def list(self, uid: str, limit: int, before: str | None = None) -> tuple[list[DriftDay], str | None]:
        """At most `limit` days before the day `before`, newest first; and the `before` of the next page. Without damaged rows."""
        start = {} if before is None else {"ExclusiveStartKey": rows.drift_key(uid, before)}
        found = rows.partition(self._table, rows.drift_partition(uid), Limit=limit + 1, ScanIndexForward=False, **start)
        days: list[DriftDay] = list(islice(each_decoded(found, _day), limit + 1))
        return days[:limit], days[limit - 1].day if len(days) > limit else None


def days_of_images(images: Iterable[Mapping[str, Any]]) -> Iterator[DriftDay]:
    """The days from rows of the table's stream. Without damaged rows."""
    return each_of_images(images, _day)


def _day(item: Mapping[str, Any]) -> DriftDay:
    usual = item.get("usual")
    return DriftDay(
        model_id=item["model_id"],
        day=rows.day_of(item),
        version=item.get("version"),
        texts=item["texts"],
        other_texts=item["other_texts"],
        accepted_share=item.get("accepted_share"),
        mean_score=item.get("mean_score"),
        mean_familiarity=item.get("mean_familiarity"),
        labels=tuple(LabelShare(**each) for each in item["labels"]),
        more_labels=item["more_labels"],
        usual=None if usual is None else UsualFigures(**usual),
        psi=item.get("psi"),
        p_labels=item.get("p_labels"),
        p_scores=item.get("p_scores"),
        drifted=item["drifted"],
        reason=item["reason"],
        measured_at=item["measured_at"],
    )
