"""Versions of models: read, change and delete them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from winnow.domain.clock import now
from winnow.domain.errors import NotMeasuredError, ReportNotFoundError, VersionNotFoundError, VersionNotReadyError, WinnowError
from winnow.domain.feedback import TakenFeedback
from winnow.domain.history import Deed
from winnow.domain.job import Progress, Promote, Stage, TrainingJob
from winnow.domain.lifecycle import TRANSITIONS, Event
from winnow.domain.model import ACTIVE, Gate, Model, TrainedOn, Version, VersionStatus
from winnow.domain.retrying import TRIES
from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded, each_of_images
from winnow.registry.history import recorded
from winnow.registry.models import Models
from winnow.registry.upkeep import Deletion, noted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Versions:
    """The versions of the models of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, model: Model, number: int) -> Version:
        """A version of the model. VersionNotFoundError if there is none."""
        return self.of_life(model.model_id, model.uid, number)

    def in_training(self, model: Model) -> Version | None:
        """The version of the model that is queued or in training. None if there is none."""
        if model.training_version is None:
            return None
        try:
            return self.get(model, model.training_version)
        except VersionNotFoundError:
            return None

    def get_ready(self, model_id: str, number: int) -> Version:
        """A version that is ready. ModelNotFoundError, VersionNotFoundError, or VersionNotReadyError with the reason."""
        version = self.get(Models(self._table).get(model_id), number)
        check_ready(version)
        return version

    def base_of_feedback(self, model: Model) -> Version | None:
        """The version that a version from feedback builds on: the live one, otherwise the latest ready one. None if there is none."""
        if model.live_version is not None:
            return self.get(model, model.live_version)
        before: int | None = None
        while True:
            page, before = self.list(model, 100, before)
            ready = [version for version in page if version.status is VersionStatus.READY]
            if ready or before is None:
                return ready[0] if ready else None

    def of_job(self, job: TrainingJob) -> Version:
        """The version that the job makes. VersionNotFoundError if its model was deleted; DamagedRowError."""
        return self.of_life(job.model_id, job.uid, job.version)

    def of_life(self, model_id: str, uid: str, number: int) -> Version:
        """A version of this life of a model. VersionNotFoundError if there is none; DamagedRowError."""
        item = self._table.get_item(Key=rows.version_key(uid, number), ConsistentRead=True).get("Item")
        if not item:
            raise VersionNotFoundError(model_id, number)
        return decoded(item, _version)

    def list(self, model: Model, limit: int, before: int | None = None) -> tuple[list[Version], int | None]:
        """At most `limit` versions of the model before the number `before`, newest first; and the `before` of the next page.

        Without damaged rows.
        """
        start = {} if before is None else {"ExclusiveStartKey": rows.version_key(model.uid, before)}
        found = rows.partition(self._table, rows.versions_partition(model.uid), Limit=limit + 1, ScanIndexForward=False, **start)
        versions: list[Version] = list(islice(each_decoded(found, _version), limit + 1))
        return versions[:limit], versions[limit - 1].job.version if len(versions) > limit else None

    def latest_with_model(self, model_id: str) -> tuple[Model, Version | None]:
        """The model and its latest version that wasn't deleted (None if none is left), as they were at one moment.

        ModelNotFoundError if there is no such model.
        """

        def agree(model: Model, versions: Sequence[Version]) -> bool:
            active = [version.job.version for version in versions if version.status in ACTIVE]
            return active == ([] if model.training_version is None else [model.training_version])

        model, latest = self._at_one_moment(model_id, lambda model: self.list(model, 1)[0], agree)
        return model, latest[0] if latest else None

    def get_with_model(self, model_id: str, number: int) -> tuple[Model, Version]:
        """The model and one of its versions, as they were at one moment. ModelNotFoundError or VersionNotFoundError if there is none."""
        model, [version] = self._at_one_moment(model_id, lambda model: [self.get(model, number)], _agree)
        return model, version

    def list_with_model(
        self, model_id: str, limit: int, before: Callable[[Model], int | None]
    ) -> tuple[Model, Sequence[Version], int | None]:
        """The model and a page of its versions, as they were at one moment; and the `before` of the next page. ModelNotFoundError.

        before: the place of the page, which may depend on the model.
        """
        more: int | None = None

        def read(model: Model) -> Sequence[Version]:
            nonlocal more
            page, more = self.list(model, limit, before(model))
            return page

        model, page = self._at_one_moment(model_id, read, _agree)
        return model, page, more

    def _at_one_moment(
        self, model_id: str, read: Callable[[Model], Sequence[Version]], agree: Callable[[Model, Sequence[Version]], bool]
    ) -> tuple[Model, Sequence[Version]]:
        """The model, and versions that are read after it. agree: whether the two can be of one moment.

        One transaction ends a version and releases its model. If it came between the two reads, they contradict each other, and are read
        again. Rows that contradict each other each time were damaged. They are returned as they are, and the sweeper repairs them.
        """
        for _ in range(TRIES):
            model = Models(self._table).get(model_id)
            versions = read(model)
            if agree(model, versions):
                break
        return model, versions

    def needing_encoders(self) -> Iterator[Version]:
        """The versions that need a sentence encoder, or whose training began with one. Reads every version."""
        in_use = Attr("encoder").attribute_type("M") & Attr("status").is_in([VersionStatus.READY, *sorted(ACTIVE)])
        for uid in each_decoded(rows.partition(self._table, rows.MODELS), lambda model: str(model["uid"])):
            found = rows.partition(self._table, rows.versions_partition(uid), FilterExpression=in_use)
            yield from each_decoded(found, _version)

    def delete(self, model: Model, version: Version) -> Deletion | None:
        """Delete a version's row, and write the row of its deletion, in one transaction. None if the model changed meanwhile.

        So if the version was neither live nor in training when the model was read, it still isn't.
        """
        return self._delete(model, version, [], None)

    def take_down(self, model: Model, live: Version) -> Deletion | None:
        """The same for the live version: from then on, no version is live."""
        return self._delete(model, live, ["live_version", "labels"], live.job.version)

    def _delete(self, model: Model, version: Version, pointers: Sequence[str], before: int | None) -> Deletion | None:
        number = version.job.version
        deletion = Deletion.of(model, number)
        condition, where = rows.of_life(model.uid, model.revision)
        looked_at = rows.Update(
            key=rows.model_key(model.model_id),
            assign={"updated_at": now()},
            remove=[*pointers, *(["ready_version"] if model.ready_version == number else [])],
            condition=condition,
            where=where,
        )
        row = rows.deleted(rows.version_key(model.uid, number), *rows.one_of("status", TRANSITIONS[Event.DELETE].sources))
        entry = recorded(model.model_id, model.history, Deed.DELETE_VERSION, version=number, before=before)
        try:
            rows.transact(self._table, rows.updated(entry.named_in(looked_at)), row, noted(deletion), entry.row)
        except rows.ConditionFailedError:
            return None
        return deletion

    def change(self, model: Model, version: Version, note: str | None, *, exactly: bool) -> bool:
        """Set the version's note. False if it or its model was deleted. exactly: or if one of them changed in any way."""
        condition, where = rows.of_life(model.uid, version.revision if exactly else None)
        noted_down = rows.Update(rows.version_key(model.uid, version.job.version), {"note": note}, condition, where)
        there = rows.checked(rows.model_key(model.model_id), *rows.of_life(model.uid, model.revision if exactly else None))
        entry = recorded(model.model_id, model.history, Deed.CHANGE_VERSION, version=version.job.version)
        try:
            rows.transact(self._table, rows.updated(noted_down), there, entry.row)
        except rows.ConditionFailedError:
            return False
        return True


def _agree(model: Model, versions: Sequence[Version]) -> bool:
    """Whether of these versions exactly the one that the model names is active."""
    return all((version.status in ACTIVE) == (version.job.version == model.training_version) for version in versions)


def check_ready(version: Version) -> None:
    """VersionNotReadyError, with the reason, if the version isn't ready."""
    if version.status is VersionStatus.READY:
        return
    name, path = f"Version {version.job.version} of model {version.job.model_id!r}", f"/models/{version.job.model_id}"
    if version.status in ACTIVE:
        raise VersionNotReadyError(f"{name} is still in training: GET {path} shows its progress.")
    ended = "was cancelled" if version.status is VersionStatus.CANCELLED else "failed"
    raise VersionNotReadyError(f"{name} is not ready, because its training {ended}: train a new version with force_update.")


def check_measured(version: Version) -> None:
    """NotMeasuredError if the version is ready and was never measured."""
    if version.evaluation is None:
        raise NotMeasuredError(version.job.model_id, version.job.version)


def versions_of_images(images: Iterable[Mapping[str, Any]]) -> Iterator[Version]:
    """The versions from rows of the table's stream. Without damaged rows."""
    return each_of_images(images, _version)


def dataset_never_read(version: Version) -> WinnowError:
    """The error for a version that has no report on its data set, with the reason."""
    name, path = f"Version {version.job.version} of model {version.job.model_id!r}", f"/models/{version.job.model_id}"
    if version.feedback is not None:
        base = version.feedback.base
        return ReportNotFoundError(
            f"{name} has no report, because it is trained on feedback and the examples of version {base}."
            f" GET {path}/versions/{base}/report has the report on that version's data set."
        )
    if "artifact" in version.dataset:
        return ReportNotFoundError(f"{name} has no report, because it was imported: it has no data set.")
    if version.status in ACTIVE:
        return VersionNotReadyError(f"{name} hasn't read its data set yet: GET {path} shows its progress.")
    return ReportNotFoundError(f"{name} has no report: its data set was never read. GET {path}/versions/{version.job.version} says why.")


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
        # Versions of earlier releases have one encoder, or none.
        encoders=item.get("encoders") or ([item["encoder"]] if item.get("encoder") else []),
        warnings=item.get("warnings", ()),
        digests=item.get("digests", {}),
        note=item.get("note"),
        forgetting=item.get("forgetting"),
        trained_on=TrainedOn(item["trained_on"]) if "trained_on" in item else None,
    )


def _progress(item: Mapping[str, Any]) -> Progress:
    return Progress(**{**item, "stage": Stage(item["stage"])})
