"""Models and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from winnow.domain.feedback import Feedback, TakenFeedback
from winnow.domain.job import Progress, Promote, TrainingJob

# The file of an artifact, JSON, that says what the classifier is: its labels, among others.
DESCRIPTION = "classifier.json"


# An evaluation's pictures, as the API names them.
FIGURES = ("confusion.svg", "reliability.svg", "learning.svg")


class VersionStatus(StrEnum):
    """Where a version stands. The first three are active: a training job is still making it."""

    QUEUED = "queued"
    TRAINING = "training"
    EVALUATING = "evaluating"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (VersionStatus.QUEUED, VersionStatus.TRAINING, VersionStatus.EVALUATING)


class ModelStatus(StrEnum):
    """Whether a model answers, and why not. READY is also one whose last training ended well and that waits for its first promotion:
    nothing goes on that a client could wait for, and nothing failed."""

    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"


class VersionSource(StrEnum):
    """What a version is trained on: the data set that a request named, or another version's examples with feedback."""

    REQUEST = "request"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True)
class Model:
    """A named classifier with a history. labels: their number in the live version, else None. revision: grows with every change, but
    for those of the feedback, which has its own.

    ready_version: the last that became ready, whether or not it went live; None also where it was deleted.
    retrain_after: after so many new examples of feedback a version is trained on them; None for never by itself.
    tolerance: by how much a version from feedback may be worse than the live one, in macro-F1, and go live all the same.
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
    tolerance: float = 0.0
    feedback: Feedback = field(default_factory=Feedback)

    @property
    def retraining_due(self) -> bool:
        """Whether a version is to be trained on the feedback that waits: it was asked for since the last one, and no training is on."""
        asked = self.feedback.asked_now or (self.feedback.asked_auto and self.has_enough_feedback)
        return self.training_version is None and self.feedback.waiting > 0 and asked

    @property
    def has_enough_feedback(self) -> bool:
        """Whether as many examples wait as the model is to be trained anew after."""
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
    """How a version came off against the one that was live. against: that one's number; examples: on which both were measured, with
    these macro-F1 (None where there was no example); reason: a sentence."""

    against: int
    passed: bool
    examples: int
    reason: str
    live_macro_f1: float | None = None
    macro_f1: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One trained, immutable state of a model, or its making.

    dataset and evaluation are the headline figures; the rest is in S3 under the job's prefix.
    manifest_sha256 is the digest of the artifact's manifest: what is not so signed is not loaded. revision grows with every change.
    lease_until: while the version is active, the time after which nobody works on it any more, unless its job is heard of before.
    selection: where the recipe was chosen among several, what was tried and why this one; and chosen: the hyperparameters that the client
    asked for, of which those of the version are what the recipe made. None where the client named the recipe.
    encoder: name and digest of the sentence encoder that it needs, as soon as its training began; None where it needs none.
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

    @property
    def source(self) -> VersionSource:
        return VersionSource.REQUEST if self.feedback is None else VersionSource.FEEDBACK
