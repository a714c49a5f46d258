"""Training jobs: what a client asks for, and the making of one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from winnow.domain.dataset import DatasetReference
from winnow.domain.feedback import TakenFeedback
from winnow.domain.keys import version_prefix


class Promote(StrEnum):
    """Whether a version goes live by itself when it becomes ready. IF_BETTER: if it passes the gate, or no other is live."""

    AUTO = "auto"
    NEVER = "never"
    IF_BETTER = "if-better"


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
