"""Models and their versions: reading them, and deleting a model with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from winnow.domain import ACTIVE, Model, Progress, Stage, TrainingJob, Version, VersionStatus
from winnow.errors import EvaluationNotReadyError, ModelNotFoundError, VersionNotFoundError
from winnow.registry import table as rows
from winnow.registry.upkeep import Deletion, noted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


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

    def get_with_latest_version(self, model_id: str) -> tuple[Model, Version]:
        """The model and its latest version, as they were at one moment. ModelNotFoundError where there is no such model."""
        while True:
            model = self.get(model_id)
            version = self.version(model, model.latest_version)
            # One transaction ends a version and releases its model. Where it fell between the two reads, they contradict each other.
            if (version.status in ACTIVE) == (model.training_version == version.job.version):
                return model, version

    def list(self, limit: int, after: str | None = None) -> tuple[list[Model], str | None]:
        """At most `limit` models by id, those after the id `after`; and the id to go on after, None at the end."""
        start = {"ExclusiveStartKey": rows.model_key(after)} if after is not None else {}
        # One more than asked for tells whether there are more: LastEvaluatedKey alone may point at an empty page.
        condition = Key("pk").eq(rows.MODELS)
        page = self._table.query(KeyConditionExpression=condition, Limit=limit + 1, ConsistentRead=True, **start)  # type: ignore[arg-type]
        models = [_model(rows.from_item(item)) for item in page["Items"]]
        more = len(models) > limit
        return models[:limit], models[limit - 1].model_id if more else None

    def training(self) -> Iterator[str]:
        """The ids of the models of which a version is queued or being trained."""
        for item in rows.partition(self._table, rows.MODELS, FilterExpression=Attr("training_version").exists()):
            yield item["sk"]

    def version(self, model: Model, number: int) -> Version:
        """A version of the model. VersionNotFoundError where there is none."""
        return self._version(model.model_id, model.uid, number)

    def version_in_training(self, model: Model) -> Version | None:
        """The version of the model that is queued or being trained. None where there is none, or none any more."""
        if model.training_version is None:
            return None
        try:
            return self.version(model, model.training_version)
        except VersionNotFoundError:
            return None

    def evaluated_version(self, model_id: str, number: int) -> Version:
        """A version that was evaluated. ModelNotFoundError, VersionNotFoundError, or EvaluationNotReadyError with the reason."""
        version = self.version(self.get(model_id), number)
        if version.status is VersionStatus.READY:
            return version
        name = f"Version {number} of model {model_id!r}"
        if version.status in ACTIVE:
            raise EvaluationNotReadyError(f"{name} is still being trained: GET /models/{model_id} shows how far it is.")
        ended = "was cancelled" if version.status is VersionStatus.CANCELLED else "failed"
        raise EvaluationNotReadyError(f"{name} was never evaluated, because its training {ended}: train another with force_update.")

    def version_of_job(self, job: TrainingJob) -> Version:
        """The version that the job makes. VersionNotFoundError where its model was deleted."""
        return self._version(job.model_id, job.uid, job.version)

    def _version(self, model_id: str, uid: str, number: int) -> Version:
        item = self._table.get_item(Key=rows.version_key(uid, number), ConsistentRead=True).get("Item")
        if not item:
            raise VersionNotFoundError(model_id, number)
        return _version(rows.from_item(item))

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


def _model(item: Mapping[str, Any]) -> Model:
    return Model(
        model_id=item["sk"],
        uid=item["uid"],
        live_version=item.get("live_version"),
        latest_version=item["latest_version"],
        training_version=item.get("training_version"),
        labels=item.get("labels"),
        created_at=item["created_at"],
        updated_at=item["updated_at"],
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
    )


def _progress(item: Mapping[str, Any]) -> Progress:
    return Progress(**{**item, "stage": Stage(item["stage"])})
