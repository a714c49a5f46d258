"""Feedback: labelled examples that clients send to an existing model, and the model's record of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from winnow.domain.dataset import Example


class Retrain(StrEnum):
    """When to train on the examples of a feedback request.

    NOW: at once. AUTO: when `retrain_after` examples are pending. NO: when another request or the sweeper starts a training.
    """

    NOW = "now"
    AUTO = "auto"
    NO = "no"


class Action(StrEnum):
    """What a line of feedback does to its text.

    LABEL: the text has these labels. DROP: no version learns the text, or is tested on it, until it is sent again. KEEP: its labels are
    right as they are, so it is no suspect.
    """

    LABEL = "label"
    DROP = "drop"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class FeedbackLine:
    """One example of a feedback batch. With DROP and KEEP, it has the labels that it had."""

    example: Example
    action: Action = Action.LABEL


@dataclass(frozen=True, slots=True)
class TakenFeedback:
    """The feedback that a version is trained on, besides the examples of the version `base`.

    after, through: the batches later than the batch `after` ("" for all) up to and including the batch `through`.
    examples: the number of examples that the model had received by then, including those up to `after`.
    """

    base: int
    after: str
    through: str
    examples: int


@dataclass(frozen=True, slots=True)
class FeedbackBatch:
    """The examples of one feedback request. batch: its id; ids sort by time. labels: the number of different labels.

    sha256: the digest of its object. A batch of an earlier release has none. keeps: the number of suspects that it dismisses.
    """

    batch: str
    examples: int
    labels: int
    created_at: str
    sha256: str | None = None
    keeps: int = 0


@dataclass(frozen=True, slots=True)
class Watermark:
    """How much feedback a version was trained on.

    through: the last batch, included. examples: the number of examples that the model had received by then.
    """

    through: str = ""
    examples: int = 0


@dataclass(frozen=True, slots=True)
class Feedback:
    """A model's record of its feedback.

    received: the number of examples ever received, without those taken back.
    taken: how much of them the last ready version was trained on.
    taking: the same for the version in training; None if there is none, or if it takes no feedback.
    asked_now, asked_auto: a later request asked for a training, at once or when enough examples are pending.
    revision: grows when a batch comes or goes.
    """

    received: int = 0
    taken: Watermark = Watermark()
    taking: Watermark | None = None
    asked_now: bool = False
    asked_auto: bool = False
    revision: int = 0

    @property
    def watermark(self) -> Watermark:
        """Everything after it is pending."""
        return self.taking or self.taken

    @property
    def waiting(self) -> int:
        """The number of pending examples: no version was trained on them, and none is being trained on them."""
        return self.received - self.watermark.examples
