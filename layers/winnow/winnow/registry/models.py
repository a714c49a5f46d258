"""Models and their versions: reading them, and deleting a model with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr
from boto3.dynamodb.types import TypeDeserializer

from winnow.domain.clock import now
from winnow.domain.errors import ModelNotFoundError, ReportNotFoundError, VersionNotFoundError, VersionNotReadyError, WinnowError
from winnow.domain.feedback import Feedback, TakenFeedback, Watermark
from winnow.domain.job import Progress, Promote, Stage, TrainingJob
from winnow.domain.lifecycle import TRANSITIONS, Event
from winnow.domain.model import ACTIVE, Gate, Model, Version, VersionStatus
from winnow.registry import table as rows
from winnow.registry.slots import Wanted
from winnow.registry.upkeep import Deletion, noted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_ASKED_TO_RETRAIN = Attr("retrain_now").exists() | (Attr("retrain_auto").exists() & Attr("retrain_after").gte(1))


class Models:
    """The models of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, model_id: str) -> Model | None:
        """The model, or None. Read consistently: what was just created or deleted is seen."""
        item = self._table.get_item(Key=rows.model_key(model_id), ConsistentRead=True).get("Item")
        return _model(rows.from_item(item)) if item else None

    def get(self, model_id: str) -> Model:
        """The model. ModelNotFoundError where there is none."""
        model = self.find(model_id)
        if model is None:
            raise ModelNotFoundError(model_id)
        return model

    def get_with_latest_version(self, model_id: str) -> tuple[Model, Version | None]:
        """The model and the latest of its versions that was not deleted, None where none is left, as they were at one moment.

        ModelNotFoundError where there is no such model.
        """
        while True:
            model = self.get(model_id)
            latest, _ = self.versions(model, 1)
            active = latest[0].job.version if latest and latest[0].status in ACTIVE else None
            # One transaction ends a version and releases its model. Where it fell between the two reads, they contradict each other.
            if active == model.training_version:
                return model, latest[0] if latest else None

    def versions(self, model: Model, limit: int, before: int | None = None) -> tuple[list[Version], int | None]:
        """At most `limit` versions of the model, newest first, those before the number `before`; and the number to go on before."""
        start = {} if before is None else {"ExclusiveStartKey": rows.version_key(model.uid, before)}
        found = rows.partition(self._table, rows.versions_partition(model.uid), Limit=limit + 1, ScanIndexForward=False, **start)
        versions = [_version(item) for item in islice(found, limit + 1)]
        return versions[:limit], versions[limit - 1].job.version if len(versions) > limit else None

    def list(self, limit: int, after: str | None = None) -> tuple[list[Model], str | None]:
        """At most `limit` models by id, those after the id `after`; and the id to go on after, None at the end."""
        start = {} if after is None else {"ExclusiveStartKey": rows.model_key(after)}
        found = rows.partition(self._table, rows.MODELS, Limit=limit + 1, **start)
        models = [_model(item) for item in islice(found, limit + 1)]
        # One more than asked for tells whether there are more.
        return models[:limit], models[limit - 1].model_id if len(models) > limit else None

    def any_for_the_sweeper(self) -> bool:
        """Whether there may be a version that is queued or being trained, or a model that is to be trained anew."""
        either = Attr("training_version").exists() | _ASKED_TO_RETRAIN
        return any(True for _ in rows.partition(self._table, rows.MODELS, FilterExpression=either, **rows.SOMEWHAT_LATE))

    def wanted(self) -> Iterator[Wanted]:
        """The versions that are queued or being trained."""
        for item in rows.partition(self._table, rows.MODELS, FilterExpression=Attr("training_version").exists()):
            # One of before this was kept counts as the first.
            yield Wanted(item["sk"], item["uid"], item["training_version"], item.get("queued_at", ""))

    def needing_encoders(self) -> Iterator[Version]:
        """The versions that need a sentence encoder, or whose training began with one. A look at every version that there is."""
        in_use = Attr("encoder").attribute_type("M") & Attr("status").is_in([VersionStatus.READY, *sorted(ACTIVE)])
        for model in rows.partition(self._table, rows.MODELS):
            for item in rows.partition(self._table, rows.versions_partition(model["uid"]), FilterExpression=in_use):
                yield _version(item)

    def asked_to_retrain(self) -> Iterator[str]:
        """The ids of the models that a request for feedback asked to be trained anew, now or when enough waits, and that weren't since."""
        for item in rows.partition(self._table, rows.MODELS, FilterExpression=_ASKED_TO_RETRAIN & Attr("training_version").not_exists()):
            yield item["sk"]

    def version(self, model: Model, number: int) -> Version:
        """A version of the model. VersionNotFoundError where there is none."""
        return self.version_of(model.model_id, model.uid, number)

    def version_in_training(self, model: Model) -> Version | None:
        """The version of the model that is queued or being trained. None where there is none, or none any more."""
        if model.training_version is None:
            return None
        try:
            return self.version(model, model.training_version)
        except VersionNotFoundError:
            return None

    def ready_version(self, model_id: str, number: int) -> Version:
        """A version that is ready. ModelNotFoundError, VersionNotFoundError, or VersionNotReadyError with the reason."""
        version = self.version(self.get(model_id), number)
        check_ready(version)
        return version

    def base_of_feedback(self, model: Model) -> Version | None:
        """The version to whose examples feedback is added: the live one, else the latest that is ready. None where there is none."""
        if model.live_version is not None:
            return self.version(model, model.live_version)
        before: int | None = None
        while True:
            page, before = self.versions(model, 100, before)
            ready = [version for version in page if version.status is VersionStatus.READY]
            if ready or before is None:
                return ready[0] if ready else None

    def version_of_job(self, job: TrainingJob) -> Version:
        """The version that the job makes. VersionNotFoundError where its model was deleted."""
        return self.version_of(job.model_id, job.uid, job.version)

    def version_of(self, model_id: str, uid: str, number: int) -> Version:
        """A version of this life of a model. VersionNotFoundError where there is none."""
        item = self._table.get_item(Key=rows.version_key(uid, number), ConsistentRead=True).get("Item")
        if not item:
            raise VersionNotFoundError(model_id, number)
        return _version(rows.from_item(item))

    def promote(self, model: Model, version: Version, *, exactly: bool) -> bool:
        """The version is live. False where the model was deleted or the version isn't ready any more; exactly: or the model changed."""
        live = rows.Update(
            key=rows.model_key(model.model_id),
            assign={"live_version": version.job.version, "labels": version.dataset["labels"], "updated_at": now()},
            condition="#uid = :uid AND #revision = :revision" if exactly else "#uid = :uid",
            where={"uid": model.uid} | ({"revision": model.revision} if exactly else {}),
        )
        ready = rows.checked(rows.version_key(model.uid, version.job.version), "#status = :ready", {"ready": VersionStatus.READY})
        try:
            rows.transact(self._table, rows.updated(live), ready)
        except rows.ConditionFailedError:
            return False
        return True

    def change(self, model: Model, properties: Mapping[str, Any], *, exactly: bool) -> bool:
        """Set properties of the model. False where it was deleted; exactly: or changed."""
        change = rows.Update(
            key=rows.model_key(model.model_id),
            assign={**properties, "updated_at": now()},
            condition="#uid = :uid AND #revision = :revision" if exactly else "#uid = :uid",
            where={"uid": model.uid} | ({"revision": model.revision} if exactly else {}),
        )
        try:
            rows.update(self._table, change)
        except rows.ConditionFailedError:
            return False
        return True

    def delete(self, model: Model) -> Deletion | None:
        """Take the model out of sight, and note what is still to be removed, in one transaction. None where it changed meanwhile.

        The row of the version that is being made goes with it: from then on no write of its job is let through.
        """
        deletion = Deletion.of(model)
        where: dict[str, Any] = {"uid": model.uid}
        if model.training_version is None:
            row = rows.deleted(rows.model_key(model.model_id), "#uid = :uid AND attribute_not_exists(#training_version)", where)
            training = []
        else:
            seen = {**where, "training": model.training_version}
            row = rows.deleted(rows.model_key(model.model_id), "#uid = :uid AND #training_version = :training", seen)
            training = [rows.deleted(rows.version_key(model.uid, model.training_version), "#uid = :uid", where)]
        try:
            rows.transact(self._table, row, *training, noted(deletion))
        except rows.ConditionFailedError:
            return None
        return deletion

    def delete_version(self, model: Model, version: Version) -> Deletion | None:
        """Take a version out of sight, and note what is still to be removed, in one transaction. None where the model changed meanwhile.

        So it is neither live nor being made, if it was neither in the model as it was looked at.
        """
        number = version.job.version
        deletion = Deletion.of(model, number)
        looked_at = rows.Update(
            key=rows.model_key(model.model_id),
            assign={"updated_at": now()},
            remove=["ready_version"] if model.ready_version == number else [],
            condition="#uid = :uid AND #revision = :revision",
            where={"uid": model.uid, "revision": model.revision},
        )
        row = rows.deleted(rows.version_key(model.uid, number), *rows.one_of("status", TRANSITIONS[Event.DELETE].sources))
        try:
            rows.transact(self._table, rows.updated(looked_at), row, noted(deletion))
        except rows.ConditionFailedError:
            return None
        return deletion


def check_ready(version: Version) -> None:
    """VersionNotReadyError, with the reason, where the version isn't ready."""
    if version.status is VersionStatus.READY:
        return
    name, path = f"Version {version.job.version} of model {version.job.model_id!r}", f"/models/{version.job.model_id}"
    if version.status in ACTIVE:
        raise VersionNotReadyError(f"{name} is still being trained: GET {path} shows how far it is.")
    ended = "was cancelled" if version.status is VersionStatus.CANCELLED else "failed"
    raise VersionNotReadyError(f"{name} never became ready, because its training {ended}: train another with force_update.")


def version_of_image(image: Mapping[str, Any]) -> Version:
    """The version of a row as the table's stream has it, with DynamoDB's own types."""
    read = TypeDeserializer()
    return _version(rows.from_item({name: read.deserialize(value) for name, value in image.items()}))


def dataset_never_read(version: Version) -> WinnowError:
    """The error for a version of whose data set there is no report, with the reason."""
    name, path = f"Version {version.job.version} of model {version.job.model_id!r}", f"/models/{version.job.model_id}"
    if version.feedback is not None:
        base = version.feedback.base
        return ReportNotFoundError(
            f"{name} has no report: it is made of the examples of version {base} and of feedback."
            f" GET {path}/versions/{base}/report says what that one's data set held."
        )
    if version.status in ACTIVE:
        return VersionNotReadyError(f"The data set of {name[0].lower()}{name[1:]} is still to be read: GET {path} shows how far it is.")
    return ReportNotFoundError(f"{name} has no report: its data set was never read. GET {path}/versions/{version.job.version} says why.")


def _model(item: Mapping[str, Any]) -> Model:
    return Model(
        model_id=item["sk"],
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
        tolerance=float(item.get("tolerance", 0)),
        feedback=_feedback(item),
    )


def _feedback(item: Mapping[str, Any]) -> Feedback:
    taking, taken = item.get("feedback_taking"), item.get("feedback_taken")
    return Feedback(
        received=item.get("feedback_received", 0),
        taken=Watermark(**taken) if taken else Watermark(),
        taking=Watermark(**taking) if taking else None,
        asked_now="retrain_now" in item,
        asked_auto="retrain_auto" in item,
        revision=item.get("feedback_revision", 0),
    )


def _version(item: Mapping[str, Any]) -> Version:
    return Version(
        job=TrainingJob.from_event(item),
        status=VersionStatus(item["status"]),
        recipe=item["recipe"],
        progress=_progress(item["progress"]),
        hyperparameters=item["hyperparameters"],
        dataset=item["dataset"],
        evaluation=item.get("evaluation"),
        error=item.get("error"),
        created_at=item["created_at"],
        finished_at=item.get("finished_at"),
        manifest_sha256=item.get("manifest_sha256"),
        lease_until=item.get("lease_until"),
        promote=Promote(item["promote"]),
        revision=item["revision"],
        gate=Gate(**item["gate"]) if "gate" in item else None,
        feedback=TakenFeedback(**item["feedback"]) if "feedback" in item else None,
        selection=item.get("selection"),
        chosen=item.get("chosen"),
        encoder=item.get("encoder"),
    )


def _progress(item: Mapping[str, Any]) -> Progress:
    return Progress(**{**item, "stage": Stage(item["stage"])})
