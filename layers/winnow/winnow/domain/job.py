"""Training jobs: a client's request for a version, and the job that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from winnow.domain.dataset import ArtifactReference, DatasetReference
from winnow.domain.feedback import TakenFeedback
from winnow.domain.keys import version_prefix
from winnow.domain.label_names import LabelList


class Promote(StrEnum):
    """Whether a version goes live when it becomes ready. IF_BETTER: only if it passes the gate, or if no version is live."""

    AUTO = "auto"
    NEVER = "never"
    IF_BETTER = "if-better"


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The settings that a client may choose. None: the recipe chooses by the size of the data.

    n_texts: the largest number of texts to train on; None for all.
    exclusive: whether each text has exactly one label; None to decide from the data.
    rare_labels: "drop" leaves out labels with fewer than two distinct texts, "refuse" refuses the data set.
    min_precision: the share of right answers among the accepted ones, from which an exclusive model's threshold follows.
    keep_texts: whether the evaluation, the suspects and the list of examples may show texts.
    patience: stop after this many epochs without a better score on held-out examples, and take the best epoch.
    max_minutes: stop after this many minutes of training, and take the best epoch so far.
    """

    n_iter: int | None = None
    n_texts: int | None = None
    spacy_model: str = "en"
    dropout: float | None = None
    batch_size: int | None = None
    learn_rate: float | None = None
    seed: int = 0
    exclusive: bool | None = None
    rare_labels: str = "drop"
    min_precision: float = 0.9
    keep_texts: bool = False
    patience: int | None = None
    max_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """A request for a version of a model.

    dataset: None if the client has no examples yet: it sent `labels` or an `artifact`, or the version is made from feedback on such a
    version.
    feedback: None if the version is trained on the data set alone; otherwise the data set is that of its base version.
    properties: properties of the model to set at the same time, such as `retrain_after`.
    note: the client's words about the version.
    label_changes: for a version on the examples of another one, the new label of each one that changes.
    forgetting: the id of the forgetting that wants the version, None if a client does.
    """

    model_id: str
    dataset: DatasetReference | None
    hyperparameters: Hyperparameters
    recipe: str
    force_update: bool = False
    promote: Promote = Promote.AUTO
    feedback: TakenFeedback | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    labels: LabelList | None = None
    artifact: ArtifactReference | None = None
    label_changes: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    forgetting: str | None = None

    @property
    def source(self) -> dict[str, Any]:
        """What the version is made from, as the registry keeps it before anything is read."""
        located = {"s3bucket": None, "training_object": None} if self.dataset is None else self.dataset.as_dict()
        changes = {"label_changes": dict(self.label_changes)} if self.label_changes else {}
        imported = {} if self.artifact is None else {"artifact": asdict(self.artifact)}
        return located | changes | imported | ({} if self.labels is None else self.labels.as_dict())


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for one request.

    value: the name, and whose it is. digest: a digest of the request, so that another request with the same name is refused.
    known_for: how long the request is known.
    """

    value: str
    digest: str
    known_for: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """The job that makes one version, and the input of the workflow.

    uid: the id of this life of the model. A model that is deleted and created again gets another uid, and so shares no row key and
    no S3 prefix with the old one.
    fence: grows each time the job is restarted. The registry refuses a write under an older fence.
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
class TrainingLimits:
    """What the deployment gives to a training.

    memory_mb, seconds: of one Lambda. minutes: of a whole training. containers: whether it has them (LargeTrainings).
    """

    memory_mb: int
    seconds: int
    minutes: int
    containers: bool


class Stage(StrEnum):
    """The step that a training job is at."""

    QUEUED = "queued"
    PREPARING = "preparing"
    TRAINING = "training"
    EVALUATING = "evaluating"
    READY = "ready"


_BEGINS_AT = {Stage.QUEUED: 0, Stage.PREPARING: 1, Stage.TRAINING: 5, Stage.EVALUATING: 92, Stage.READY: 100}


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a training job. percent: 0 to 100; eta_seconds: the time left in the stage, None if unknown.

    During training also: epoch, the finished passes over the examples; epochs, their planned number; loss and score after the last.
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
        """The progress after this share (0 to 1) of the stage."""
        later = [percent for percent in _BEGINS_AT.values() if percent > _BEGINS_AT[stage]]
        begin, end = _BEGINS_AT[stage], min(later, default=100)
        return cls(stage, round(begin + (end - begin) * share))
