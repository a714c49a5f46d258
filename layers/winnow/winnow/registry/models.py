"""Models: read, change and delete them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import now, time_of_id, timestamp, utc_now
from winnow.domain.errors import GoneError, ModelNotFoundError
from winnow.domain.feedback import Feedback, Watermark
from winnow.domain.history import Deed, without_texts
from winnow.domain.model import Model, Version, VersionStatus
from winnow.domain.prediction_log import DAYS, LogSetting
from winnow.domain.schedule import next_time
from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded
from winnow.registry.history import checked_id, recorded
from winnow.registry.upkeep import Deletion, noted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# The most models that are read for a page of those with a tag.
_MOST_SEEN = 1_000


class Models:
    """The models of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, model_id: str) -> Model | None:
        """The model, or None. DamagedRowError. The read is consistent, so it sees what was just created or deleted."""
        item = self._table.get_item(Key=rows.model_key(model_id), ConsistentRead=True).get("Item")
        return decoded(item, _model) if item else None

    def get(self, model_id: str) -> Model:
        """The model. ModelNotFoundError if there is none."""
        model = self.find(model_id)
        if model is None:
            raise ModelNotFoundError(model_id)
        return model

    def still_there(self, model_id: str, uid: str) -> Model:
        """The model of this life. GoneError if it was deleted, also if another one has its id now."""
        model = self.find(model_id)
        if model is None or model.uid != uid:
            raise GoneError(f"Model {model_id!r}")
        return model

    def list(self, limit: int, after: str | None = None) -> tuple[list[Model], str | None]:
        """At most `limit` models after the id `after`, by id; and the `after` of the next page, None at the end. Without damaged rows."""
        start = {} if after is None else {"ExclusiveStartKey": rows.model_key(after)}
        found = rows.partition(self._table, rows.MODELS, Limit=limit + 1, **start)
        models = list(islice(each_decoded(found, _model), limit + 1))
        # One more than asked for shows whether there is a next page.
        return models[:limit], models[limit - 1].model_id if len(models) > limit else None

    def with_tag(self, tag: str, limit: int, after: str | None = None) -> tuple[Sequence[Model], str | None]:
        """As `list`, the models with this tag. It looks at no more than 1,000 models, so a page that isn't the last may have fewer."""
        seen, more = self.list(_MOST_SEEN, after)
        found = [model for model in seen if tag in model.tags]
        return (found[:limit], found[limit - 1].model_id) if len(found) > limit else (found, more)

    def promote(self, model: Model, version: Version, *, exactly: bool) -> bool:
        """Make the version live. False if a deed came between, or the version isn't ready any more.

        exactly: or if the model changed in any way.
        """
        condition, where = rows.of_life(model.uid, model.revision if exactly else None)
        live = rows.Update(
            key=rows.model_key(model.model_id),
            assign={"live_version": version.job.version, "labels": version.dataset["labels"], "updated_at": now()},
            condition=condition,
            where=where,
        )
        ready = rows.checked(rows.version_key(model.uid, version.job.version), "#status = :ready", {"ready": VersionStatus.READY})
        before = model.live_version
        deed = Deed.ROLL_BACK if before is not None and before > version.job.version else Deed.PROMOTE
        entry = recorded(model.model_id, model.history, deed, version=version.job.version, before=before)
        try:
            rows.transact(self._table, rows.updated(entry.named_in(live)), ready, entry.row)
        except rows.ConditionFailedError:
            return False
        return True

    def change(self, model: Model, properties: Mapping[str, Any], *, exactly: bool) -> bool:
        """Set properties of the model. False if a deed came between. exactly: or if the model changed in any way."""
        condition, where = rows.of_life(model.uid, model.revision if exactly else None)
        change = rows.Update(
            key=rows.model_key(model.model_id),
            assign={**{name: _stored(value) for name, value in properties.items()}, **_scheduled(properties), "updated_at": now()},
            condition=condition,
            where=where,
        )
        entry = recorded(model.model_id, model.history, Deed.CHANGE_MODEL, settings=without_texts(properties))
        try:
            rows.transact(self._table, rows.updated(entry.named_in(change)), entry.row)
        except rows.ConditionFailedError:
            return False
        return True

    def reschedule(self, model: Model) -> bool:
        """Go on to the next time of the model's schedule. False if somebody else has, or if the schedule changed."""
        if model.schedule is None or model.scheduled_for is None:
            return False
        at = next_time(model.schedule, datetime.fromisoformat(model.scheduled_for), utc_now())
        condition, where = rows.of_life(model.uid)
        change = rows.Update(
            key=rows.model_key(model.model_id),
            assign={"scheduled_for": None if at is None else timestamp(at)},
            condition=f"{condition} AND #schedule = :schedule AND #scheduled_for = :scheduled_for",
            where={**where, "schedule": model.schedule, "scheduled_for": model.scheduled_for},
        )
        try:
            rows.update(self._table, change)
        except rows.ConditionFailedError:
            return False
        return True

    def delete(self, model: Model, *, exactly: bool) -> Deletion | None:
        """Delete the model's row, and write the row of its deletion, in one transaction. None if a deed came between, or a training ended.

        exactly: or if the model changed in any way.
        The row of a version in training is deleted too, so that every later write of its job is refused.
        """
        deletion = Deletion.of(model)
        entry = recorded(model.model_id, model.history, Deed.DELETE_MODEL, before=model.live_version)
        condition, where = rows.of_life(model.uid, model.revision if exactly else None)
        is_next, after = entry.is_next
        condition, where = f"{condition} AND {is_next}", {**where, **after}
        if model.training_version is None:
            row = rows.deleted(rows.model_key(model.model_id), f"{condition} AND attribute_not_exists(#training_version)", where)
            training = []
        else:
            seen = {**where, "training": model.training_version}
            row = rows.deleted(rows.model_key(model.model_id), f"{condition} AND #training_version = :training", seen)
            training = [rows.deleted(rows.version_key(model.uid, model.training_version))]
        try:
            rows.transact(self._table, row, *training, noted(deletion), entry.row)
        except rows.ConditionFailedError:
            return None
        return deletion


def _model(item: Mapping[str, Any]) -> Model:
    return Model(
        model_id=rows.model_id_of(item),
        uid=item["uid"],
        revision=item["revision"],
        live_version=item.get("live_version"),
        latest_version=item["latest_version"],
        training_version=item.get("training_version"),
        ready_version=item.get("ready_version"),
        labels=item.get("labels"),
        created_at=item["created_at"],
        updated_at=item["updated_at"],
        retrain_after=item.get("retrain_after"),
        schedule=item.get("schedule"),
        scheduled_for=item.get("scheduled_for"),
        tolerance=float(item.get("tolerance", 0)),
        log=_log(item.get("log")),
        policy=item.get("policy"),
        policies=item.get("policies", 0),
        title=item.get("title"),
        note=item.get("note"),
        tags=tuple(item.get("tags", ())),
        history=checked_id(item.get("history", "")),
        feedback=_feedback(item),
    )


def _scheduled(properties: Mapping[str, Any]) -> dict[str, str | None]:
    """When a schedule that is set comes first."""
    if "schedule" not in properties:
        return {}
    expression, at = properties["schedule"], utc_now()
    first = None if expression is None else next_time(expression, at, at)
    return {"scheduled_for": None if first is None else timestamp(first)}


def _stored(value: Any) -> Any:
    """A property of a model as its row has it."""
    return asdict(value) if isinstance(value, LogSetting) else value


def _log(setting: Mapping[str, Any] | None) -> LogSetting | None:
    # ValueError for other days: nothing would remove the texts.
    return None if setting is None else LogSetting(float(setting["share"]), DAYS[DAYS.index(setting["days"])])


def _feedback(item: Mapping[str, Any]) -> Feedback:
    taking, taken = item.get("feedback_taking"), item.get("feedback_taken")
    return Feedback(
        received=item.get("feedback_received", 0),
        taken=_watermark(taken) if taken else Watermark(),
        taking=_watermark(taking) if taking else None,
        asked_now="retrain_now" in item,
        asked_auto="retrain_auto" in item,
        revision=item.get("feedback_revision", 0),
    )


def _watermark(mark: Mapping[str, Any]) -> Watermark:
    # ValueError if it isn't an id: then no later batch could get one.
    time_of_id(mark["through"])
    return Watermark(**mark)
