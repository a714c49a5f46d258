"""Feedback: newly labelled examples for a model that is ready, and the versions that are trained on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from winnow.aws import resources
from winnow.domain.clock import now, sortable_id
from winnow.domain.dataset import DatasetReference, Example
from winnow.domain.errors import FeedbackBatchTakenError, InvalidFieldError, ModelNotFoundError, ModelNotReadyError
from winnow.domain.feedback import FeedbackBatch, Retrain, TakenFeedback
from winnow.domain.job import Hyperparameters, IdempotencyKey, Promote, TrainingJob, TrainingRequest
from winnow.domain.model import Model, Version
from winnow.domain.retrying import TRIES, retry_on_conflict
from winnow.recipes.catalogue import AUTO
from winnow.training import queue

# Of the labels that are new. A row of the registry holds 400 KB.
MOST_NEW_LABELS = 100


class Retraining(StrEnum):
    """What became of a request's wish for a training. UNDERWAY: one is on, and the examples are in it or wait for its end."""

    STARTED = "started"
    UNDERWAY = "underway"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to a request for feedback. new_labels: those that the model doesn't know, the first 100; waiting: how many examples wait,
    these among them or not; version: the one that was started or is underway."""

    model_id: str
    batch: str
    examples: int
    new_labels: Sequence[str]
    waiting: int
    retrain: Retraining
    version: int | None


def receive(model_id: str, examples: Sequence[Example], retrain: Retrain, key: IdempotencyKey | None = None) -> Received:
    """Keep the examples, and then train a version on all that wait, if it is time. Under a key that was used already: the answer then.

    When it returns, and even where it fails after that, the examples are kept. ModelNotFoundError; ModelNotReadyError where there is no
    version whose examples these could join; InvalidFieldError for one that has not exactly one label where labels are exclusive.
    """

    def find_or_add() -> dict[str, Any] | None:
        found = None if key is None else resources.answered_requests().find(key)
        return found or _try_to_add(model_id, examples, retrain, key)

    return _answer(retry_on_conflict(find_or_add, model_id), retrain, key)


def _try_to_add(model_id: str, examples: Sequence[Example], retrain: Retrain, key: IdempotencyKey | None) -> dict[str, Any] | None:
    """What is kept of the request; None where the registry has changed meanwhile."""
    model = resources.models().get(model_id)
    base = resources.versions().base_of_feedback(model)
    if base is None:
        raise ModelNotReadyError(
            f"Model {model_id!r} has no version that is ready, and so no examples that these could join:"
            f" GET /models/{model_id} shows whether one is being trained."
        )
    if base.dataset["exclusive"]:
        _check_exclusive(examples)
    labels = {label for example in examples for label in example.labels}
    known = resources.artifacts().description(base.job, base.manifest_sha256 or "")["labels"]
    # An id that sorts before one that a version has taken already is refused, and the examples get another.
    batch = FeedbackBatch(sortable_id(), len(examples), len(labels), now())
    resources.feedback_objects().write(model.uid, batch.batch, examples)
    kept = {
        "model_id": model_id,
        "uid": model.uid,
        "batch": batch.batch,
        "examples": batch.examples,
        "new_labels": sorted(labels.difference(known))[:MOST_NEW_LABELS],
    }
    return kept if resources.feedback_batches().add(model, batch, retrain, key, kept) else None


def _check_exclusive(examples: Sequence[Example]) -> None:
    for place, example in enumerate(examples):
        if len(example.labels) != 1:
            raise InvalidFieldError(
                f"examples[{place}] has {len(example.labels)} labels, and each text of this model has exactly one: give it one.",
                field=f"examples[{place}]",
            )


def _answer(kept: Mapping[str, Any], retrain: Retrain, key: IdempotencyKey | None) -> Received:
    """The answer; where it isn't known yet, after the training is begun that may be due."""
    answer = kept.get("answer") or _begun(kept["model_id"], kept["uid"], kept["batch"], retrain)
    if key is not None and "answer" not in kept:
        answer = resources.answered_requests().complete(key, answer)
    return Received(
        model_id=kept["model_id"],
        batch=kept["batch"],
        examples=kept["examples"],
        new_labels=kept["new_labels"],
        waiting=answer["waiting"],
        retrain=Retraining(answer["retrain"]),
        version=answer["version"],
    )


def _begun(model_id: str, uid: str, batch: str, retrain: Retrain) -> dict[str, Any]:
    """Train a version if it is time, and say what becomes of the batch."""
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
    # The model's row says what was asked for. The sweeper starts it.
    return waiting


def retrain_if_due(model_id: str) -> bool:
    """Train a version on the feedback that waits, where a request asked for that and none has been trained since. False: nothing to do."""
    model = resources.models().find(model_id)
    return model is not None and model.retraining_due and _try_to_retrain(model) is not None


def _try_to_retrain(model: Model) -> TrainingJob | None:
    """Register a version that takes all the feedback that waits, and start its training. None where the model changed meanwhile, or
    no version is left that it could build on."""
    base = resources.versions().base_of_feedback(model)
    newest = resources.feedback_batches().newest(model)
    if base is None or newest is None:
        return None
    job = TrainingJob(model.model_id, model.uid, model.latest_version + 1, fence=1)
    if not resources.jobs().create_version(model, job, _request(model, base, newest)):
        return None
    queue.start_waiting()
    return job


def _request(model: Model, base: Version, newest: str) -> TrainingRequest:
    # What was best for the base's examples needn't be for more of them: where the client left it open, it is chosen anew.
    recipe, chosen = (base.recipe, base.hyperparameters) if base.chosen is None else (AUTO, base.chosen)
    return TrainingRequest(
        model.model_id,
        DatasetReference(base.dataset["s3bucket"], base.dataset["training_object"]),
        Hyperparameters(**chosen),
        recipe,
        # Nobody looked at the new labels: what would go live by itself has to pass the gate.
        promote=Promote.IF_BETTER if base.promote is Promote.AUTO else base.promote,
        feedback=TakenFeedback(base.job.version, model.feedback.taken.through, newest, model.feedback.received),
    )


def take_back(model_id: str, batch: str) -> None:
    """Remove a batch that waits, and its examples. ModelNotFoundError, FeedbackBatchNotFoundError;
    FeedbackBatchTakenError where a version has it."""

    def try_to_take_back() -> bool:
        model = resources.models().get(model_id)
        found = resources.feedback_batches().get(model, batch)
        if batch <= model.feedback.watermark.through:
            raise FeedbackBatchTakenError(model_id, batch)
        removed = resources.feedback_batches().remove(model, found)
        if removed:
            # After the row: a crash between the two leaves an object that no row knows, which the sweeper removes.
            resources.feedback_objects().remove(model.uid, batch)
        return removed

    retry_on_conflict(try_to_take_back, model_id)
