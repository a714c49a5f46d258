"""Choose the margins from which the early stages of a cascade answer, on texts that were not trained on. numpy only."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from winnow.evaluation.report import predicted_flags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.evaluation.measures import Flags
    from winnow.recipes.artifact import TrainedClassifier
    from winnow.training.held_out import Asked

# The early stages together may lose so much accuracy (micro-F1 of several labels) against the last stage.
_MOST_LOST = 0.001
# The weight of a stage's own scores, in texts, beside the counted losses. Few texts without a loss prove little: with 40 of them a stage
# would answer all, and lose a point. Found on folds of training sets.
_DOUBT = 100.0


def with_margins(trained: TrainedClassifier, held_out: Asked) -> TrainedClassifier:
    """The calibrated classifier with the lowest margins that lose little enough on held-out texts."""
    if not trained.early or not held_out.truth.any():
        return trained
    last = _Labels.of(trained, len(trained.early), held_out)
    early = []
    for number, stage in enumerate(trained.early):
        margin = _margin(_Labels.of(trained, number, held_out), last, held_out.truth, _MOST_LOST / len(trained.early), stage.floor)
        early.append(replace(stage, margin=margin))
    return replace(trained, early=tuple(early))


def with_floors(trained: TrainedClassifier, strange: Asked | None) -> TrainedClassifier:
    """The calibrated classifier with the lowest margins at which no early stage lets a stranger through that the last stage refuses.

    strange: the answers of a fitting that hasn't learnt the strangers' labels (`Folds.strange`). Without it the early stages answer nothing
    if labels are exclusive: how they receive strangers isn't known.
    """
    if trained.least_familiarity is None:
        return trained
    if strange is None:
        return replace(trained, early=tuple(replace(stage, floor=math.inf) for stage in trained.early))
    last = trained.judge_at(len(trained.early), strange.logits, strange.nearness)
    refused = ~strange.truth.any(axis=1) & ~trained.accepts(last)
    early = []
    for number, stage in enumerate(trained.early):
        sure = trained.sure(stage, trained.judge_at(number, strange.logits, strange.nearness))[refused]
        largest = sure.max(initial=np.float32(-1))
        early.append(replace(stage, floor=float(np.nextafter(largest, np.float32(np.inf))) if largest >= 0 else 0.0))
    return replace(trained, early=tuple(early))


def with_floors_of(trained: TrainedClassifier, other: TrainedClassifier) -> TrainedClassifier:
    """The calibrated classifier with the floors of another one with the same stages."""
    return replace(trained, early=tuple(replace(one, floor=each.floor) for one, each in zip(trained.early, other.early, strict=False)))


class _Labels(NamedTuple):
    """The labels that a stage gives n texts, and how sure it is.

    flags: of shape (n, C). doubts: the number of wrong labels that its scores expect, and sure: its margins; both of shape (n,).
    """

    flags: Flags
    doubts: NDArray[np.float32]
    sure: NDArray[np.float32]

    @classmethod
    def of(cls, trained: TrainedClassifier, number: int, asked: Asked) -> _Labels:
        judged = trained.judge_at(number, asked.logits, asked.nearness)
        flags = predicted_flags(judged.scores, trained.thresholds_of(judged), exclusive=trained.exclusive)
        missing = np.float32(0) if trained.exclusive else judged.scores
        doubts = np.where(flags, 1 - judged.scores, missing).sum(axis=1)
        sure = trained.sure(trained.early[number], judged) if number < len(trained.early) else doubts
        return cls(flags, doubts, sure)


def _margin(stage: _Labels, last: _Labels, truth: Flags, budget: float, floor: float) -> float:
    """The lowest margin from which a stage may answer. Infinity if it may not. floor: the lowest allowed one.

    The texts that it would answer are taken in the order of falling margins, as long as the expected loss is at most the budget. That is
    the mean of two: of the counted loss over the texts so far, and of the wrong labels that the stage's own scores expect there, with the
    weight of _DOUBT texts. The second takes the last stage for faultless, which errs on the safe side.
    """
    order = np.argsort(-stage.sure, kind="stable")[: int((stage.sure >= max(0.0, floor)).sum())]
    there, said, right = (int(each.sum()) for each in (truth, last.flags, last.flags & truth))
    more = np.cumsum((stage.flags.sum(axis=1) - last.flags.sum(axis=1))[order])
    gained = np.cumsum(((stage.flags & truth).sum(axis=1) - (last.flags & truth).sum(axis=1))[order])
    # The micro-F1 is 2 right / (said + there). For exclusive labels that is the accuracy.
    counted = there * (2 * right / (said + there) - 2 * (right + gained) / (said + more + there))
    answered = np.arange(1, len(order) + 1)
    doubted = np.cumsum(stage.doubts[order]) / answered
    expected = answered * (counted + _DOUBT * doubted) / (answered + _DOUBT) / there
    too_much = np.flatnonzero(expected > budget)
    taken = int(too_much[0]) if len(too_much) else len(order)
    if not taken:
        return math.inf
    lowest = float(stage.sure[order[taken - 1]])
    return max(floor, (lowest + float(stage.sure[order[taken]])) / 2) if taken < len(order) else lowest
