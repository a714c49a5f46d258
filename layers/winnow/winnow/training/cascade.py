"""Choose the margins from which the early stages of a cascade answer, on texts that were not trained on. numpy only."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from winnow.evaluation.report import predicted_flags
from winnow.recipes.familiarity import familiarity, least_familiarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from winnow.evaluation.measures import Flags
    from winnow.recipes.artifact import TrainedClassifier
    from winnow.training.held_out import Asked

# The early stages together may lose so much accuracy (micro-F1 of several labels) against the last stage.
_MOST_LOST = 0.001
# The weight of a stage's own scores, in texts, beside the counted losses. Few texts without a loss prove little: with 40 of them a stage
# would answer nearly all, and lose a point. Found on folds of training sets.
_DOUBT = 50.0
# The last stage may refuse this share of the held-out texts more, so that no more strangers pass. Without it, a few strangers that an early
# stage accepts can send most texts to the last stage. Too few held-out texts can't show such a share: then it refuses no more.
_MORE_REFUSED = 0.005


def cascaded(trained: TrainedClassifier, held_out: Asked, strange: Asked | None) -> TrainedClassifier:
    """The calibrated classifier with the lowest margins that lose little enough and let no more strangers through than its last stage.

    strange: the answers of a fitting that hasn't learnt the strangers' labels (`Folds.strange`). Without it the early stages answer nothing
    if labels are exclusive: how they receive strangers isn't known.
    """
    if not trained.early or not held_out.truth.any():
        return trained
    if trained.least_familiarity is None:
        return with_margins(trained, held_out)
    if strange is None:
        return replace(trained, early=tuple(replace(stage, floor=math.inf) for stage in trained.early))
    unknown, last = ~strange.truth.any(axis=1), len(trained.early)
    alone = trained.accepts(trained.judge_at(last, strange.logits, strange.nearness))
    passing = int((alone & unknown).sum())
    fewest_accepted = trained.accepts(trained.judge_at(last, held_out.logits, held_out.nearness)).mean() - _MORE_REFUSED
    # The margins of the strangers that only the early stages would let through, the largest first.
    margins = []
    for number, stage in enumerate(trained.early):
        sure = trained.sure(stage, trained.judge_at(number, strange.logits, strange.nearness))
        margins.append(-np.sort(-sure[unknown & ~alone & (sure >= 0)]))
    best, fewest, most = trained, 0, max(map(len, margins))
    # By halving: how many of them may pass, so that all stages together let no more through.
    tried = most
    while fewest <= most:
        made = with_margins(_with_floors(trained, [_floor(each, tried) for each in margins]), held_out)
        if len(held_out.truth) * _MORE_REFUSED >= 1:
            made = _refusing(made, strange, unknown, passing)
        fewer = (made.accepts(made.judge(strange.logits, strange.nearness)) & unknown).sum() <= passing
        if fewer and made.accepts(made.judge(held_out.logits, held_out.nearness)).mean() >= fewest_accepted:
            best, fewest = made, tried + 1
        else:
            most = tried - 1
        tried = (fewest + most) // 2
    return best


def with_margins(trained: TrainedClassifier, held_out: Asked) -> TrainedClassifier:
    """The calibrated classifier with the lowest margins, above the floors, that lose little enough on held-out texts.

    The early stages answer only what they accept. So the last stage may refuse more: all together, as many of the texts as it would alone.
    """
    last = _Labels.of(trained, len(trained.early), held_out)
    early = []
    for number, stage in enumerate(trained.early):
        margin = _margin(_Labels.of(trained, number, held_out), last, held_out.truth, _MOST_LOST / len(trained.early), stage.floor)
        early.append(replace(stage, margin=margin))
    made = replace(trained, early=tuple(early))
    if trained.least_familiarity is None or held_out.nearness is None:
        return made
    judged = made.judge(held_out.logits, held_out.nearness)
    # A text that the last stage found strange, and that kept an earlier answer, came to it too.
    left = np.flatnonzero((judged.stages == len(early)) | ~made.accepts(judged))
    if not len(left):
        return made
    scores = trained.judge_at(len(early), held_out.logits, held_out.nearness).scores
    least = least_familiarity(familiarity(held_out.nearness[-1, left], scores[left], trained.score_weight), len(scores))
    return replace(made, least_familiarity=max(trained.least_familiarity, least))


def with_floors_of(trained: TrainedClassifier, other: TrainedClassifier) -> TrainedClassifier:
    """The calibrated classifier with the floors of another one with the same stages. It asks for at least the same familiarity."""
    made = _with_floors(trained, [stage.floor for stage in other.early])
    if made.least_familiarity is None or other.least_familiarity is None:
        return made
    return replace(made, least_familiarity=max(made.least_familiarity, other.least_familiarity))


def _refusing(made: TrainedClassifier, strange: Asked, unknown: NDArray[np.bool_], passing: int) -> TrainedClassifier:
    """The classifier whose last stage asks for so much familiarity that only `passing` strangers pass; unchanged if that isn't enough."""
    judged = made.judge(strange.logits, strange.nearness)
    accepted = made.accepts(judged) & unknown
    by_last = accepted & (judged.stages == len(made.early))
    excess = int(accepted.sum()) - passing
    if strange.nearness is None or made.least_familiarity is None or not 0 < excess <= by_last.sum():
        return made
    found = np.sort(familiarity(strange.nearness[-1, by_last], judged.scores[by_last], made.score_weight))
    return replace(made, least_familiarity=float(np.nextafter(found[excess - 1], np.float32(np.inf))))


def _with_floors(trained: TrainedClassifier, floors: Sequence[float]) -> TrainedClassifier:
    return replace(trained, early=tuple(replace(stage, floor=floor) for stage, floor in zip(trained.early, floors, strict=True)))


def _floor(margins: NDArray[np.float32], passed: int) -> float:
    """The lowest margin that at most this number of these margins reach. They are sorted, the largest first."""
    return float(np.nextafter(margins[passed], np.float32(np.inf))) if passed < len(margins) else 0.0


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
