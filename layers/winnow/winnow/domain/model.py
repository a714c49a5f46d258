"""Models and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from winnow.domain.feedback import Feedback, TakenFeedback
from winnow.domain.job import Progress, Promote, TrainingJob
from winnow.domain.prediction_log import LogSetting

# The JSON file of an artifact that describes the classifier: its labels and more.
DESCRIPTION = "classifier.json"


# The figures of an evaluation, by their names in the API.
FIGURES = ("confusion.svg", "reliability.svg", "learning.svg", "examples.svg")


class VersionStatus(StrEnum):
    """The status of a version. The first three are active: a training job still works on it."""

    QUEUED = "queued"
    TRAINING = "training"
    EVALUATING = "evaluating"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (VersionStatus.QUEUED, VersionStatus.TRAINING, VersionStatus.EVALUATING)


class ModelStatus(StrEnum):
    """Whether a model answers, or why not.

    A model whose last training succeeded and that was never promoted is READY too: nothing failed, and no client has to wait.
    """

    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"


class VersionSource(StrEnum):
    """The examples of a version: a request's data set, or another version's examples with feedback."""

    REQUEST = "request"
    FEEDBACK = "feedback"


class TrainedOn(StrEnum):
    """What a training ran on: Lambdas, or a container, because it was too large for a Lambda."""

    LAMBDA = "lambda"
    FARGATE = "fargate"


@dataclass(frozen=True, slots=True)
class Model:
    """A named classifier with a history.

    labels: the number of labels of the live version; None if no version is live.
    revision: grows with every change, except changes of the feedback, which has its own revision.
    ready_version: the last version that became ready, live or not; None if there was none or it was deleted.
    retrain_after: train a new version when this many feedback examples are pending; None for never.
    schedule: when to train a version on the pending feedback, as an expression of EventBridge Scheduler; None for never by the clock.
    scheduled_for: the next such time (ISO 8601).
    tolerance: a version from feedback may go live if its macro-F1 is at most this much below that of the live version.
    log: what is kept of the predictions; None for nothing.
    policy: the revision of the policy that says what is accepted; None if each version's own thresholds do. policies: how many revisions of
    the policy there have been.
    title, note, tags: words of the clients about the model; Winnow does nothing with them, except to list models by a tag.
    history: the id of the last entry of its history, "" if there is none. Feedback, and notes on versions, are not counted.
    """

    model_id: str
    uid: str
    revision: int
    live_version: int | None
    latest_version: int
    training_version: int | None
    ready_version: int | None
    labels: int | None
    created_at: str
    updated_at: str
    retrain_after: int | None = None
    schedule: str | None = None
    scheduled_for: str | None = None
    tolerance: float = 0.0
    log: LogSetting | None = None
    policy: int | None = None
    policies: int = 0
    feedback: Feedback = field(default_factory=Feedback)
    title: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    history: str = ""

    @property
    def retraining_due(self) -> bool:
        """Whether to train a version on the pending feedback: a request asked for it, and no version is in training."""
        asked = self.feedback.asked_now or (self.feedback.asked_auto and self.has_enough_feedback)
        return self.training_version is None and self.feedback.waiting > 0 and asked

    @property
    def has_enough_feedback(self) -> bool:
        """Whether at least `retrain_after` examples are pending."""
        return self.retrain_after is not None and self.feedback.waiting >= self.retrain_after

    @property
    def status(self) -> ModelStatus:
        if self.live_version is not None:
            return ModelStatus.READY
        if self.training_version is not None:
            return ModelStatus.TRAINING
        return ModelStatus.READY if self.ready_version == self.latest_version else ModelStatus.FAILED


@dataclass(frozen=True, slots=True)
class Gate:
    """The comparison of a new version with the live one.

    against: the number of the live version. examples: the number of examples on which both were measured.
    live_macro_f1, macro_f1: their macro-F1; None if there was no example. reason: a sentence.
    """

    against: int
    passed: bool
    examples: int
    reason: str
    live_macro_f1: float | None = None
    macro_f1: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One trained, immutable state of a model, or one in training.

    dataset, evaluation: the headline figures; the full reports are in S3 under the job's prefix. A ready version without an evaluation
    was made from labels alone or imported, so that there was nothing to measure it on.
    manifest_sha256: the digest of the artifact's manifest. Files that don't match it are not loaded.
    revision: grows with every change.
    lease_until: if the version is active, the time after which nothing works on it any more. Each write of the job renews it.
    selection: the recipes that were tried, and why this one was chosen. chosen: the hyperparameters of the request; `hyperparameters`
    are those that the recipe made of them. Both are None if the client named the recipe.
    encoder: name and digest of the version's main sentence encoder, known once training begins; None if it needs none.
    encoders: of all encoders that it needs, the main one last.
    warnings: sentences about what the version was made from, beside those of its evaluation.
    digests: the SHA-256 of the version's other objects, by their keys under the job's prefix. A version of an earlier release has none.
    note: a client's words about the version. forgetting: the id of the forgetting that it was made for, None if a client asked for it.
    trained_on: known once the version is ready; None before, and for versions of earlier releases.
    """

    job: TrainingJob
    status: VersionStatus
    recipe: str
    progress: Progress
    hyperparameters: Mapping[str, Any]
    dataset: Mapping[str, Any]
    evaluation: Mapping[str, Any] | None
    error: str | None
    created_at: str
    finished_at: str | None
    manifest_sha256: str | None = None
    lease_until: str | None = None
    promote: Promote = Promote.AUTO
    revision: int = 1
    gate: Gate | None = None
    feedback: TakenFeedback | None = None
    selection: Mapping[str, Any] | None = None
    chosen: Mapping[str, Any] | None = None
    encoder: Mapping[str, str] | None = None
    encoders: Sequence[Mapping[str, str]] = ()
    warnings: Sequence[str] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    forgetting: str | None = None
    trained_on: TrainedOn | None = None

    @property
    def without_examples(self) -> bool:
        """Whether it has learnt nothing here: it was made from labels alone, or imported. False until that is known."""
        return self.dataset.get("examples") == 0

    @property
    def source(self) -> VersionSource:
        return VersionSource.REQUEST if self.feedback is None else VersionSource.FEEDBACK
