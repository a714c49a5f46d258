"""Feedback: labelled examples that come after a version, and what a model knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Retrain(StrEnum):
    """When the examples of a request for feedback are trained on: at once; when as many wait as the model's retrain_after says; or
    whenever another request, or the sweeper, begins a training."""

    NOW = "now"
    AUTO = "auto"
    NO = "no"


@dataclass(frozen=True, slots=True)
class TakenFeedback:
    """The feedback that a version takes: the batches after the one called `after` ("" for the first) up to the one called `through`,
    added to the examples of the version `base`. examples: how many the model had received up to then, those before `after` too."""

    base: int
    after: str
    through: str
    examples: int


@dataclass(frozen=True, slots=True)
class FeedbackBatch:
    """The examples of one request for feedback. batch: its id, which sorts by time; labels: how many different ones they have."""

    batch: str
    examples: int
    labels: int
    created_at: str


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
