"""Training jobs: the transitions of a version, each one conditional write or one transaction.

Every write has the job's fence and the states that domain/lifecycle.py allows as its condition. A job that was cancelled, deleted or
restarted gets JobSupersededError and must stop. That is needed because StopExecution doesn't stop a running Lambda.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.errors import BusyError, JobSupersededError
from winnow.domain.feedback import TakenFeedback, Watermark
from winnow.domain.history import Caller, Deed, calling, without_texts
from winnow.domain.job import IdempotencyKey, Progress, Stage, TrainingJob, TrainingRequest
from winnow.domain.lifecycle import TRANSITIONS, Event
from winnow.domain.model import Gate, Model, Version, VersionStatus
from winnow.domain.retrying import TRIES
from winnow.registry import table as rows
from winnow.registry.history import History, Recorded, caller_in, caller_row, recorded
from winnow.registry.idempotency import answered
from winnow.registry.models import Models

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from winnow.registry.slots import Wanted

# How long a job may report nothing. A queued job's workflow starts within seconds. A running job reports at the start of each of its
# Lambdas. A Lambda runs at most 15 minutes, and Step Functions tries to start the next one for at most 46 minutes.
_QUEUED_LEASE = timedelta(minutes=5)
WORKING_LEASE = timedelta(minutes=65)

_NOTED = {VersionStatus.TRAINING: Event.TRAIN, VersionStatus.EVALUATING: Event.EVALUATE}


class Jobs:
    """The training jobs of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create_model(self, job: TrainingJob, request: TrainingRequest, key: IdempotencyKey | None = None) -> bool:
        """Create a model with its first version, queued. False if the id or the key was used meanwhile."""
        at = now()
        # The id may have been another model's before.
        entry = _asked_for(job, request, History(self._table).newest(job.model_id))
        model = {
            **rows.model_key(job.model_id),
            "uid": job.uid,
            "revision": 1,
            "latest_version": job.version,
            "training_version": job.version,
            "queued_at": at,
            "created_at": at,
            "updated_at": at,
            "history": entry.entry_id,
            **request.properties,
        }
        return self._create(job, key, rows.put_new(model), rows.put_new(_version_item(job, request, at)), entry.row)

    def create_version(
        self, model: Model, job: TrainingJob, request: TrainingRequest, key: IdempotencyKey | None = None, *, exactly: bool = False
    ) -> bool:
        """Create the model's next version, queued. False if another version was created or the key was used meanwhile.

        exactly: or if the model changed in any way.
        A version from feedback takes all pending batches, and ends the wish for a training. If a batch came or went since the model was
        read, nothing is written.
        """
        at = now()
        condition, where = rows.of_life(model.uid, model.revision if exactly else None)
        advance = rows.Update(
            key=rows.model_key(job.model_id),
            assign={
                "latest_version": job.version,
                "training_version": job.version,
                "queued_at": at,
                "updated_at": at,
                **request.properties,
            },
            condition=f"{condition} AND #latest_version = :latest AND attribute_not_exists(#training_version)",
            where={**where, "latest": model.latest_version},
        )
        if request.feedback is not None:
            # A model that never got feedback has no revision of it.
            unchanged, revision = (
                ("#feedback_revision = :feedback_revision", {"feedback_revision": model.feedback.revision})
                if model.feedback.revision
                else ("attribute_not_exists(#feedback_revision)", {})
            )
            advance = replace(
                advance,
                assign={**advance.assign, **_mark("feedback_taking", request.feedback)},
                # A version for a forgetting takes no new feedback.
                remove=[] if request.forgetting else ["retrain_now", "retrain_auto"],
                condition=f"{advance.condition} AND {unchanged}",
                where={**advance.where, **revision},
            )
        entry = _asked_for(job, request, model.history)
        return self._create(job, key, rows.updated(entry.named_in(advance)), rows.put_new(_version_item(job, request, at)), entry.row)

    def _create(self, job: TrainingJob, key: IdempotencyKey | None, *writes: Any) -> bool:
        try:
            rows.transact(self._table, *writes, *([] if key is None else [answered(key, asdict(job))]))
        except rows.ConditionFailedError:
            return False
        return True

    def note(self, job: TrainingJob, status: VersionStatus, progress: Progress | None, **known: Any) -> None:
        """Write the job's progress, and renew its lease. progress: None to keep it.

        known: the version's `recipe`, `dataset`, `hyperparameters`, `encoders`, `warnings` or `digests`, once they are known.
        """
        how_far = {} if progress is None else {"progress": asdict(progress)}
        self._change(job, _NOTED[status], {**how_far, "lease_until": _lease(WORKING_LEASE), **known})

    def restart(self, job: TrainingJob) -> TrainingJob:
        """Give the job the next fence, still queued. Tasks under the old fence can't write any more. Returns the job with its new fence."""
        again = replace(job, fence=job.fence + 1)
        self._change(job, Event.RESTART, {"fence": again.fence, "lease_until": _lease(_QUEUED_LEASE)})
        return again

    def commit(
        self,
        job: TrainingJob,
        evaluation: Mapping[str, Any] | None,
        manifest_sha256: str,
        labels: int,
        *,
        live: bool,
        gate: Gate | None = None,
        against: int | None = None,
        **known: Any,
    ) -> None:
        """Mark the version as ready, and as live if `live`. Its objects must be written before, so that a ready version has all of them.

        evaluation: None if there was nothing to measure the version on.
        gate: the comparison with the live version. If another version is live by now, nothing is written. against: the same without a gate.
        known: the version's `recipe`, the reasons for choosing it, its `encoders` and `digests`, where they are known now.
        """
        measured = {} if evaluation is None else {"evaluation": evaluation}
        ready = {"progress": asdict(Progress.of(Stage.READY)), **measured, "manifest_sha256": manifest_sha256, **known}
        judged = {} if gate is None else {"gate": asdict(gate)}
        pointer = {"live_version": job.version, "labels": labels} if live else {}
        against = against if gate is None else gate.against
        # What is taken from the row never changes, so it may be read before the commit.
        row = self._table.get_item(Key=rows.version_key(job.uid, job.version), ConsistentRead=True).get("Item", {})
        model = {"ready_version": job.version, **pointer, **_taken(row)}
        if live:
            asked_by = caller_in(row, "asked_by")
            self._finish_and_record(job, Event.COMMIT, Deed.GO_LIVE, lambda: asked_by, version=ready | judged, model=model, live=against)
        else:
            self._finish(job, Event.COMMIT, ready | judged, model, live=against)

    def fail(self, job: TrainingJob, error: str) -> None:
        """Mark the version as failed. error: a sentence with the reason. The live version, if any, stays."""
        self._finish(job, Event.FAIL, {"error": error}, {})

    def expire(self, version: Version, error: str) -> None:
        """Mark the version as failed because its lease ran out. JobSupersededError if the lease was renewed since the version was read."""
        self._finish(version.job, Event.EXPIRE, {"error": error}, {}, lease=version.lease_until)

    def cancel(self, job: TrainingJob, revision: int | None = None) -> None:
        """Mark the version as cancelled. The live version, if any, stays. revision: the model's, if it must not have changed."""
        self._finish_and_record(job, Event.CANCEL, Deed.CANCEL, calling.get, revision=revision)

    def release(self, wanted: Wanted) -> bool:
        """Release a model from a version in training that has ended or doesn't exist. False if the model was released or deleted meanwhile.

        One transaction ends a version and releases its model, so only damage makes this necessary. An ended version never becomes active
        again, so the model's own row is the only condition.
        """
        try:
            rows.update(self._table, _released(wanted.model_id, wanted.uid, wanted.version, {"updated_at": now()}))
        except rows.ConditionFailedError:
            return False
        return True

    def _finish_and_record(
        self,
        job: TrainingJob,
        event: Event,
        deed: Deed,
        by: Callable[[], Caller | None],
        *,
        version: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        **conditions: Any,
    ) -> None:
        """`_finish`, with an entry in the model's history. Tries again if only the history went on meanwhile."""
        for _ in range(TRIES):
            seen = Models(self._table).find(job.model_id)
            if seen is None:
                raise _superseded(job)
            before = seen.live_version if deed is Deed.GO_LIVE else None
            entry = recorded(job.model_id, seen.history, deed, by, version=job.version, before=before)
            try:
                return self._finish(job, event, version or {}, model or {}, entry=entry, **conditions)
            except JobSupersededError:
                after = Models(self._table).find(job.model_id)
                if after is None or after.history == seen.history:
                    raise
        raise BusyError(job.model_id)

    def _finish(
        self,
        job: TrainingJob,
        event: Event,
        version: Mapping[str, Any],
        model: Mapping[str, Any],
        *,
        lease: str | None = None,
        live: int | None = None,
        revision: int | None = None,
        entry: Recorded | None = None,
    ) -> None:
        """End a version and release its model.

        lease, live, revision: if given, the version must have this lease, and the model this live version and this revision.
        entry: of the model's history, written too.
        """
        at = now()
        ended = _guarded(job, event, {**version, "finished_at": at}, remove=["lease_until"])
        if lease is not None:
            ended = replace(ended, condition=f"{ended.condition} AND #lease_until = :lease", where={**ended.where, "lease": lease})
        released = _released(job.model_id, job.uid, job.version, {**model, "updated_at": at}, revision)
        if live is not None:
            released = replace(
                released, condition=f"{released.condition} AND #live_version = :live", where={**released.where, "live": live}
            )
        if entry is not None:
            released = entry.named_in(released)
        try:
            rows.transact(self._table, rows.updated(ended), rows.updated(released), *([] if entry is None else [entry.row]))
        except rows.ConditionFailedError as error:
            raise _superseded(job) from error

    def _change(self, job: TrainingJob, event: Event, assign: Mapping[str, Any]) -> None:
        try:
            rows.update(self._table, _guarded(job, event, assign))
        except rows.ConditionFailedError as error:
            raise _superseded(job) from error


def _guarded(job: TrainingJob, event: Event, assign: Mapping[str, Any], remove: Sequence[str] = ()) -> rows.Update:
    transition = TRANSITIONS[event]
    in_sources, sources = rows.one_of("status", transition.sources)
    return rows.Update(
        key=rows.version_key(job.uid, job.version),
        assign={"status": transition.target, **assign},
        condition=f"#fence = :fence AND {in_sources}",
        where={"fence": job.fence, **sources},
        remove=remove,
    )


def _released(model_id: str, uid: str, version: int, assign: Mapping[str, Any], revision: int | None = None) -> rows.Update:
    """The update that releases a model from its version in training. revision: the model's, if it must not have changed."""
    condition, where = rows.of_life(uid, revision)
    return rows.Update(
        key=rows.model_key(model_id),
        assign=assign,
        remove=["training_version", "queued_at", "feedback_taking"],
        condition=f"{condition} AND #training_version = :version",
        where={**where, "version": version},
    )


def _taken(row: Mapping[str, Any]) -> dict[str, Any]:
    """The model's mark of the feedback that a version takes. row: the version's."""
    return _mark("feedback_taken", TakenFeedback(**rows.from_item(row["feedback"]))) if "feedback" in row else {}


def _asked_for(job: TrainingJob, request: TrainingRequest, after: str) -> Recorded:
    """The entry of a request for a training. after: the model's last entry."""
    return recorded(job.model_id, after, Deed.TRAIN, version=job.version, settings=without_texts(request.properties) or None)


def _mark(name: str, feedback: TakenFeedback) -> dict[str, Any]:
    """The model's mark of the feedback that a version takes; nothing if there is no feedback."""
    return {name: asdict(Watermark(feedback.through, feedback.examples))} if feedback.through else {}


def _lease(length: timedelta) -> str:
    return timestamp(utc_now() + length)


def _superseded(job: TrainingJob) -> JobSupersededError:
    return JobSupersededError(f"Version {job.version} of model {job.model_id!r} was cancelled, deleted or restarted, or is a step further.")


def _version_item(job: TrainingJob, request: TrainingRequest, at: str) -> dict[str, Any]:
    caller = calling.get()
    return {
        **rows.version_key(job.uid, job.version),
        **asdict(job),
        "revision": 1,
        "status": TRANSITIONS[Event.CREATE].target,
        "recipe": request.recipe,
        "promote": request.promote,
        "progress": asdict(Progress.of(Stage.QUEUED)),
        "hyperparameters": asdict(request.hyperparameters),
        "dataset": request.source,
        "created_at": at,
        "lease_until": _lease(_QUEUED_LEASE),
        **({} if request.feedback is None else {"feedback": asdict(request.feedback)}),
        **({} if caller is None else {"asked_by": caller_row(caller)}),
        **({} if request.note is None else {"note": request.note}),
        **({} if request.forgetting is None else {"forgetting": request.forgetting}),
    }
