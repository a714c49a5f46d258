"""Feedback: newly labelled examples for a model, and the versions that are trained on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from winnow.aws import resources
from winnow.aws.log import logged_only
from winnow.domain.clock import now, sortable_id, sorts_before
from winnow.domain.conditions import Condition, check_condition
from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import (
    FeedbackBatchNotFoundError,
    FeedbackBatchTakenError,
    GoneError,
    InvalidFieldError,
    ModelNotFoundError,
    ModelNotReadyError,
    NothingPendingError,
    TrainingUnderwayError,
)
from winnow.domain.feedback import FeedbackBatch, Retrain, TakenFeedback
from winnow.domain.job import Hyperparameters, IdempotencyKey, Promote, TrainingJob, TrainingRequest
from winnow.domain.model import Model, Version
from winnow.domain.retrying import TRIES, retry_on_conflict
from winnow.recipes.catalogue import AUTO
from winnow.registry.kept_examples import MOST_KEPT
from winnow.training import queue
from winnow.training.feedback_examples import Examples, Sent
from winnow.training.requests import made_before

# The most new labels that an answer names. The answer is kept in a registry row, which holds at most 400 KB.
MOST_NEW_LABELS = 100


class Retraining(StrEnum):
    """What a feedback request started.

    STARTED: a training. UNDERWAY: one is running; it uses the examples, or they are trained on after it. WAITING: nothing yet.
    """

    STARTED = "started"
    UNDERWAY = "underway"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to a feedback request.

    new_labels: at most 100 labels that the model doesn't know. waiting: the number of pending examples of the model.
    version: the version whose training was started or is underway. file: what was read, if the examples come from a file.
    """

    model_id: str
    batch: str
    examples: int
    new_labels: Sequence[str]
    waiting: int
    retrain: Retraining
    version: int | None
    file: Mapping[str, Any] | None


def receive_feedback(
    model_id: str, examples: Examples, retrain: Retrain, key: IdempotencyKey | None = None, condition: Condition | None = None
) -> Received:
    """Keep the examples. Then train a version on all pending examples, if it is time. A known key gets its earlier answer.

    condition: must hold for the model that gets the examples, otherwise StaleError.
    Once the examples are kept, no later failure loses them.
    ModelNotFoundError; ModelNotReadyError if the model has no version to build on; PredictionNotFoundError; InvalidFieldError or
    DatasetError if the examples can't be trained on; GoneError if the earlier batch was deleted; BusyError.
    """

    def find_or_add() -> dict[str, Any] | None:
        found = None if key is None else resources.answered_requests().find(key)
        return _made_before(found) if found else _try_to_add(model_id, examples, retrain, key, condition)

    return _answer(retry_on_conflict(find_or_add, model_id), retrain, key)


def _made_before(kept: dict[str, Any]) -> dict[str, Any]:
    """The record of an earlier request. GoneError if its batch was taken back, or deleted with its model."""
    model = resources.models().still_there(kept["model_id"], kept["uid"])
    try:
        resources.feedback_batches().get(model, kept["batch"])
    except FeedbackBatchNotFoundError as error:
        raise GoneError(f"Batch {kept['batch']!r} of model {model.model_id!r}") from error
    return kept


def _try_to_add(
    model_id: str, examples: Examples, retrain: Retrain, key: IdempotencyKey | None, condition: Condition | None
) -> dict[str, Any] | None:
    """Keep the examples, and return the record of the request. None if the registry changed meanwhile."""
    model = resources.models().get(model_id)
    check_condition(condition, model_id, model)
    base = resources.versions().base_of_feedback(model)
    if base is None:
        raise ModelNotReadyError(
            f"Model {model_id!r} has no ready version to build on: send the examples again when one is ready."
            f" GET /models/{model_id} shows whether one is in training."
        )
    sent = examples(model, base)
    dismissed = _checked_names(model, base, sent)
    labels = {label for line in sent.lines for label in line.example.labels}
    known = resources.artifacts().description(base.job, base.manifest_sha256 or "")["labels"]
    # The id sorts after all batches that a version has taken. If one takes later ones meanwhile, the registry refuses the id, and the next
    # try makes a new one.
    taken = max(model.feedback.taken.through, model.feedback.watermark.through)
    name = sortable_id(after=taken)
    sha256 = resources.feedback_objects().write(model.uid, name, sent.lines)
    batch = FeedbackBatch(name, len(sent.lines), len(labels), now(), sha256, len(dismissed))
    kept = {
        "model_id": model_id,
        "uid": model.uid,
        "batch": batch.batch,
        "examples": batch.examples,
        "waiting": model.feedback.waiting + batch.examples,
        "new_labels": sorted(labels.difference(known))[:MOST_NEW_LABELS],
    } | ({} if sent.file is None else {"file": sent.file})
    added = resources.feedback_batches().add(model, batch, retrain, key, kept, dismissed=dismissed, exactly=condition is not None)
    return kept if added else None


def _checked_names(model: Model, base: Version, sent: Sent) -> set[str]:
    """Check what a request does to the examples that it names. Returns the ids of the suspects that it dismisses."""
    # While other feedback is pending, only the training knows what it leaves of a label.
    if sent.named and not model.feedback.waiting:
        # Needs numpy, which other feedback doesn't wait for, and which the sweeper lacks.
        from winnow.training.corrections import check_labels_left  # noqa: PLC0415

        check_labels_left(base, sent.lines, sent.named)
    dismissed = sent.dismissed(model.uid)
    if dismissed and len(dismissed | resources.kept_examples().ids(model.uid)) > MOST_KEPT:
        raise InvalidFieldError(
            f"A model has at most {MOST_KEPT:,} dismissed suspects: correct or drop this one instead.", field="examples"
        )
    return dismissed


def _answer(kept: Mapping[str, Any], retrain: Retrain, key: IdempotencyKey | None) -> Received:
    """The answer. If the record has none yet, first start a training if one is due."""
    answer = kept.get("answer") or _try_to_begin(kept, retrain, key)
    return Received(
        model_id=kept["model_id"],
        batch=kept["batch"],
        examples=kept["examples"],
        new_labels=kept["new_labels"],
        waiting=answer["waiting"],
        retrain=Retraining(answer["retrain"]),
        version=answer["version"],
        file=kept.get("file"),
    )


def _try_to_begin(kept: Mapping[str, Any], retrain: Retrain, key: IdempotencyKey | None) -> dict[str, Any]:
    """Train a version if it is time, and add the answer to the record. If that fails, the batch waits: the sweeper starts the training."""
    answer: dict[str, Any] = {"waiting": kept.get("waiting", kept["examples"]), "retrain": Retraining.WAITING, "version": None}
    with logged_only("not trained"):
        answer = _begun(kept["model_id"], kept["uid"], kept["batch"], retrain)
        return answer if key is None else resources.answered_requests().complete(key, answer)
    return answer


def _begun(model_id: str, uid: str, batch: str, retrain: Retrain) -> dict[str, Any]:
    """Train a version if it is time. Returns what happens to the batch."""
    for _ in range(TRIES):
        model = resources.models().get(model_id)
        if model.uid != uid:
            raise ModelNotFoundError(model_id)
        waiting = {"waiting": model.feedback.waiting, "retrain": Retraining.WAITING, "version": None}
        if model.training_version is not None:
            taken = model.feedback.taking is not None and batch <= model.feedback.taking.through
            wanted = retrain is Retrain.NOW or (retrain is Retrain.AUTO and model.has_enough_feedback)
            return waiting | {"retrain": Retraining.UNDERWAY, "version": model.training_version} if taken or wanted else waiting
        if retrain is Retrain.NO or not model.retraining_due:
            return waiting
        job = _try_to_retrain(model)
        if job is not None:
            return {"waiting": 0, "retrain": Retraining.STARTED, "version": job.version}
    # The model's row says that a training was asked for, so the sweeper starts it.
    return waiting


def retrain_if_due(model_id: str) -> bool:
    """Train a version on the pending feedback, if a request asked for that and none was trained since. False: nothing was started."""
    model = resources.models().find(model_id)
    return model is not None and model.retraining_due and _try_to_retrain(model) is not None


def retrain_on_schedule(model_id: str) -> bool:
    """If the model's schedule has come, train a version on its pending feedback, if there is any. False: nothing was started.

    While a version is in training, the schedule waits for its end. A crash after the start repeats nothing: then no feedback waits.
    """
    model = resources.models().find(model_id)
    if model is None or model.scheduled_for is None or model.scheduled_for > now() or model.training_version is not None:
        return False
    job = None
    if model.feedback.waiting:
        job = _try_to_retrain(model)
        if job is None and resources.versions().base_of_feedback(model) is not None:
            # The model changed meanwhile. The next look finds it as it is then.
            return False
    resources.models().reschedule(model)
    return job is not None


def train_on_pending(model_id: str, key: IdempotencyKey | None, condition: Condition | None) -> TrainingJob:
    """Register a version that takes all pending feedback, and start its training. The arguments and other errors are those of `train_on`.

    NothingPendingError; ModelNotReadyError if the model has no version to build on.
    """

    def request_of(model: Model) -> TrainingRequest:
        base, newest = resources.versions().base_of_feedback(model), resources.feedback_batches().newest(model)
        if newest is None or not model.feedback.waiting:
            raise NothingPendingError(model_id)
        if base is None:
            raise ModelNotReadyError(f"Model {model_id!r} has no ready version to build on: train one first.")
        return request_on(model, base, newest)

    return train_on(model_id, request_of, key, condition)


def train_on(
    model_id: str, request_of: Callable[[Model], TrainingRequest], key: IdempotencyKey | None, condition: Condition | None
) -> TrainingJob:
    """Register a version that builds on another one of the model, and start its training. A known key gets its earlier job.

    request_of: makes the request for the model as it is now. condition: must hold for the model, otherwise StaleError.
    ModelNotFoundError; TrainingUnderwayError; GoneError if the earlier job's version was deleted; BusyError.
    """

    def try_to_register() -> tuple[TrainingJob, bool] | None:
        model = resources.models().get(model_id)
        # Read the key after the model: if a request with the same key has already changed the model, the key is visible here.
        before = None if key is None else resources.answered_requests().find(key)
        if before is not None:
            return made_before(TrainingJob.from_event(before)), False
        check_condition(condition, model_id, model)
        if model.training_version is not None:
            raise TrainingUnderwayError(model.model_id, model.training_version)
        job = TrainingJob(model.model_id, model.uid, model.latest_version + 1, fence=1)
        made = resources.jobs().create_version(model, job, request_of(model), key, exactly=condition is not None)
        return (job, True) if made else None

    job, new = retry_on_conflict(try_to_register, model_id)
    if new:
        queue.try_to_start_waiting()
    return job


def _try_to_retrain(model: Model) -> TrainingJob | None:
    """Register a version that takes all pending feedback, and start its training. None if the model changed or has no base."""
    base = resources.versions().base_of_feedback(model)
    newest = resources.feedback_batches().newest(model)
    if base is None or newest is None:
        return None
    job = TrainingJob(model.model_id, model.uid, model.latest_version + 1, fence=1)
    if not resources.jobs().create_version(model, job, request_on(model, base, newest)):
        return None
    queue.try_to_start_waiting()
    return job


def request_on(model: Model, base: Version, newest: str, label_changes: Mapping[str, str] | None = None) -> TrainingRequest:
    """The request for a version on the examples of another one and on feedback, up to the batch `newest` ("": there is none).

    label_changes: the new label of each one that changes.
    """
    # With more examples another recipe may be best. If the client didn't name a recipe, it is chosen again.
    recipe, chosen = (base.recipe, base.hyperparameters) if base.chosen is None else (AUTO, base.chosen)
    after = model.feedback.taken.through
    return TrainingRequest(
        model.model_id,
        # A version without examples has no data set, and neither has a version that builds on it.
        None if base.dataset["s3bucket"] is None else DatasetReference(base.dataset["s3bucket"], base.dataset["training_object"]),
        Hyperparameters(**chosen),
        AUTO if base.without_examples else recipe,
        # Nobody checked the new labels, so a version that would go live at once must pass the gate first.
        promote=Promote.IF_BETTER if base.promote is Promote.AUTO else base.promote,
        # Nothing of a version without examples is learnt, so its feedback counts from the beginning: examples that a version learnt which
        # didn't go live, because some labels had none, would otherwise be lost.
        feedback=TakenFeedback(
            base.job.version, min(after, sorts_before(base.created_at)) if base.without_examples else after, newest, model.feedback.received
        ),
        label_changes=label_changes or {},
    )


def take_back_feedback(model_id: str, batch: str, condition: Condition | None) -> None:
    """Remove a pending batch and its examples.

    condition: must hold for the model, otherwise StaleError.
    ModelNotFoundError; FeedbackBatchNotFoundError; FeedbackBatchTakenError if a version uses it; BusyError.
    """

    def try_to_take_back() -> bool:
        model = resources.models().get(model_id)
        check_condition(condition, model_id, model)
        found = resources.feedback_batches().get(model, batch)
        if batch <= model.feedback.watermark.through:
            raise FeedbackBatchTakenError(model_id, batch)
        removed = resources.feedback_batches().remove(model, found, exactly=condition is not None)
        if removed:
            # The object goes after the row. If that fails, the object has no row, and the sweeper removes it.
            with logged_only("not removed"):
                resources.feedback_objects().remove(model.uid, batch)
        return removed

    retry_on_conflict(try_to_take_back, model_id)
