"""The nouns: what the rest of the package speaks of. Frozen, and made of the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from winnow.object_keys import version_prefix

MAX_TEXT_CHARACTERS = 20_000
MAX_LABEL_CHARACTERS = 200
MAX_LABELS = 1_000

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


class Promote(StrEnum):
    """Whether a version goes live by itself when it becomes ready. IF_BETTER: if it passes the gate, or no other is live."""

    AUTO = "auto"
    NEVER = "never"
    IF_BETTER = "if-better"


class VersionSource(StrEnum):
    """What a version is trained on: the data set that a request named, or another version's examples with feedback."""

    REQUEST = "request"
    FEEDBACK = "feedback"


class Retrain(StrEnum):
    """When the examples of a request for feedback are trained on: at once; when as many wait as the model's retrain_after says; or
    whenever another request, or the sweeper, begins a training."""

    NOW = "now"
    AUTO = "auto"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its labels: exactly one where labels are exclusive, none or more where they are not.

    row: its place in the data set, from 1 (the line, or the element of the array); 0 where that isn't known.
    """

    text: str
    labels: tuple[str, ...]
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """How much a data set may hold. bytes: of the file, and of what it unpacks to; unpacked_ratio: so many bytes out of one."""

    rows: int = 4_000_000
    bytes: int = 400_000_000
    unpacked_ratio: int = 200
    text_characters: int = MAX_TEXT_CHARACTERS
    labels: int = MAX_LABELS


@dataclass(frozen=True, slots=True)
class DatasetReference:
    """Where a data set lies, and in the same bucket the client's own test set, if there is one. The names are those of the API."""

    s3bucket: str
    training_object: str
    test_object: str | None = None

    def as_dict(self) -> dict[str, str]:
        """What the API shows of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a client may choose. None: chosen by the recipe for the size of the data; for n_texts: all; for exclusive: found from the data.

    min_precision: the share of right answers, among those it accepts, that an exclusive model's threshold is chosen for.
    keep_texts: whether the evaluation may quote the texts that went wrong.
    patience: the training ends when so many epochs have gone by without a better score on held-out examples, and takes the best one.
    max_minutes: it ends after so many minutes of training, and takes the best so far.
    """

    n_iter: int | None = None
    n_texts: int | None = None
    spacy_model: str = "en"
    dropout: float | None = None
    batch_size: int | None = None
    learn_rate: float | None = None
    seed: int = 0
    exclusive: bool | None = None
    min_precision: float = 0.9
    keep_texts: bool = False
    patience: int | None = None
    max_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class TakenFeedback:
    """The feedback that a version takes: the batches after the one called `after` ("" for the first) up to the one called `through`,
    added to the examples of the version `base`. examples: how many the model had received up to then, those before `after` too."""

    base: int
    after: str
    through: str
    examples: int


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """A wish for a version of a model. feedback: None where it is trained on the data set alone; else the data set is that of its base.

    properties: those of the model's own that are to be set with it, `retrain_after` and `tolerance`.
    """

    model_id: str
    dataset: DatasetReference
    hyperparameters: Hyperparameters
    recipe: str
    force_update: bool = False
    promote: Promote = Promote.AUTO
    feedback: TakenFeedback | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for one request. digest: of what the request says, so that the name isn't taken for another."""

    value: str
    digest: str


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """The making of one version, and the input of the workflow.

    uid names this life of the model: a deleted and re-created model_id gets another, and so shares no key and no prefix with the old.
    fence grows each time the job is started anew; a write under an older fence is refused.
    """

    model_id: str
    uid: str
    version: int
    fence: int

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> TrainingJob:
        return cls(model_id=event["model_id"], uid=event["uid"], version=int(event["version"]), fence=int(event["fence"]))

    @property
    def prefix(self) -> str:
        """The S3 prefix of this job alone."""
        return f"{version_prefix(self.uid, self.version)}{self.fence}/"


@dataclass(frozen=True, slots=True)
class Batch:
    """The examples of one request for feedback. batch: its id, which sorts by time; labels: how many different ones they have."""

    batch: str
    examples: int
    labels: int
    created_at: str


class Stage(StrEnum):
    """What a training job is busy with."""

    QUEUED = "queued"
    PREPARING = "preparing"
    TRAINING = "training"
    EVALUATING = "evaluating"
    READY = "ready"


_BEGINS_AT = {Stage.QUEUED: 0, Stage.PREPARING: 1, Stage.TRAINING: 5, Stage.EVALUATING: 92, Stage.READY: 100}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training job is. percent: 0 to 100; eta_seconds: what is left of the stage, None where nobody can know yet.

    While it trains, also the passes over the examples that are done, and how many it makes; the loss and the score after the last one.
    """

    stage: Stage
    percent: int
    eta_seconds: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    score: float | None = None

    @classmethod
    def of(cls, stage: Stage, share: float = 0.0) -> Progress:
        """The progress when this share (0 to 1) of the stage is done."""
        later = [percent for percent in _BEGINS_AT.values() if percent > _BEGINS_AT[stage]]
        begin, end = _BEGINS_AT[stage], min(later, default=100)
        return cls(stage, round(begin + (end - begin) * share))


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a version has taken the feedback: up to and with the batch `through`, when so many examples had been received."""

    through: str = ""
    examples: int = 0


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a model knows of its feedback.

    received: all examples that ever came, less those taken back. taken: how far the last ready version took them; taking: how far the
    one in training does, None where none is or it takes none. asked_now, asked_auto: that a request since then asked for a training, at
    once or when there are enough. revision: grows with every batch that comes or goes.
    """

    received: int = 0
    taken: Watermark = Watermark()
    taking: Watermark | None = None
    asked_now: bool = False
    asked_auto: bool = False
    revision: int = 0

    @property
    def watermark(self) -> Watermark:
        """What lies beyond it waits."""
        return self.taking or self.taken

    @property
    def waiting(self) -> int:
        """The number of examples that no version has or is being trained on."""
        return self.received - self.watermark.examples


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
    feedback: Feedback = Feedback()

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


def _wall_clock() -> datetime:
    return datetime.now(UTC)


# Where the time comes from, for all of the package. A test that moves the time replaces this and nothing else.
clock: Callable[[], datetime] = _wall_clock


def utc_now() -> datetime:
    """The time, in UTC."""
    return clock()


def timestamp(at: datetime) -> str:
    """A time in UTC as the API and the registry write it: ISO 8601, to the millisecond, with Z. Timestamps sort as their times do."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The time as the API and the registry write it."""
    return timestamp(utc_now())


def sortable_id() -> str:
    """A new id for something. Such ids sort by time, to the millisecond."""
    return f"{utc_now():%Y%m%dT%H%M%S%f}"[:-3] + f"-{uuid4().hex[:8]}"
