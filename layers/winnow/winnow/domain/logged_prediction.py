"""A text of a prediction log."""

from __future__ import annotations

from dataclasses import dataclass

from winnow.domain.answer import ScoredLabel


@dataclass(frozen=True, slots=True)
class LoggedPrediction:
    """A text with its answer. labels: the best ones, at least two if there are as many, best first.

    familiarity: how far the text is from being strange to the version, below 0 if it is strange; None if the version doesn't know.
    """

    prediction_id: str
    text: str
    version: int
    labels: tuple[ScoredLabel, ...]
    stage: str | None = None
    familiarity: float | None = None
