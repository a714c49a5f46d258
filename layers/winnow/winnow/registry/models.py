"""Models and their versions: reading them, and deleting a model with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from winnow.domain import ACTIVE, Model, Progress, Stage, TrainingJob, Version, VersionStatus, now
from winnow.errors import EvaluationNotReadyError, ModelNotFoundError, VersionNotFoundError
from winnow.registry import table as rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deleted model. final_after (ISO 8601): from then on no training job of it can still be writing objects."""

    model_id: str
    uid: str
    final_after: str


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

    def training(self) -> Iterator[Model]:
        """The models of which a version is queued or being trained."""
        for item in self._partition(rows.MODELS):
            model = _model(item)
            if model.training_version is not None:
                yield model

    def version(self, model: Model, number: int) -> Version:
        """A version of the model. VersionNotFoundError where there is none."""
        return self._version(model.model_id, model.uid, number)

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

    def delete(self, model: Model, final_after: str) -> Deletion:
        """Take the model out of sight, and note what is still to be removed, in one transaction. ModelNotFoundError: another was faster."""
        note = {**rows.deletion_key(model.uid), "model_id": model.model_id, "uid": model.uid, "final_after": final_after, "at": now()}
        try:
            rows.transact(self._table, rows.deleted(rows.model_key(model.model_id), model.uid), rows.put_new(note))
        except rows.ConditionFailedError as error:
            raise ModelNotFoundError(model.model_id) from error
        return Deletion(model.model_id, model.uid, final_after)

    def deletions(self) -> Iterator[Deletion]:
        """The deletions that are still to be finished."""
        for item in self._partition(rows.DELETIONS):
            yield Deletion(item["model_id"], item["uid"], item["final_after"])

    def remove_versions(self, deletion: Deletion) -> None:
        """Remove the version rows of a deleted model."""
        with self._table.batch_writer() as batch:
            for item in self._partition(rows.versions_partition(deletion.uid)):
                batch.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})

    def finish(self, deletion: Deletion) -> None:
        """Forget the deletion: nothing of the model is left."""
        self._table.delete_item(Key=rows.deletion_key(deletion.uid))

    def _partition(self, name: str) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = self._table.query(KeyConditionExpression=Key("pk").eq(name), ConsistentRead=True, **start)
            yield from (rows.from_item(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


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
    )


def _progress(item: Mapping[str, Any]) -> Progress:
    return Progress(**{**item, "stage": Stage(item["stage"])})
