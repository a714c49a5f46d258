"""Calibrate a classifier on answers about texts that it, or another one of the same scale, had not learnt. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from winnow.evaluation.measures import whole
from winnow.evaluation.report import predicted_flags
from winnow.recipes.artifact import Answering, TrainedClassifier
from winnow.recipes.calibration import fit_temperature, fit_thresholds, scores_of
from winnow.recipes.familiarity import SCORE_WEIGHT, familiarity, least_familiarity
from winnow.recipes.label_matrix import label_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from winnow.domain.dataset import Example
    from winnow.evaluation.measures import Flags
    from winnow.training.held_out import HeldOut

    Floats = NDArray[np.float32]

# The temperatures that trainings with exclusive labels mostly have.
_USUAL = {"linear": 0.65, "cnn": 2.5, "sentence": 1.0, "best": 1.0}


def calibrated(
    recipe: str, classifier: Answering, logits: Floats, truth: Flags, nearness: Floats | None, *, min_precision: float
) -> TrainedClassifier:
    """The classifier with a temperature and thresholds from held-out texts.

    logits, truth: of shape (texts, labels). nearness: of shape (texts,), or None if labels aren't exclusive.
    """
    exclusive = classifier.exclusive
    temperature = fit_temperature(logits, truth, exclusive=exclusive, usual=_USUAL[recipe] if exclusive else None)
    scores = scores_of(logits, temperature, exclusive=exclusive)
    thresholds = fit_thresholds(scores, truth, exclusive=exclusive, min_precision=min_precision)
    least = None if nearness is None else least_familiarity(familiarity(nearness, scores, SCORE_WEIGHT))
    return TrainedClassifier(recipe, classifier, temperature, thresholds, least)


@dataclass(frozen=True, slots=True)
class Answers:
    """A version's answers about n examples that the answering classifier had not learnt.

    truth, logits, scores, thresholds: of shape (n, C). accepted: whether any label is accepted, of shape (n,). folds: the fold that held
    out each example, of shape (n,); None if they were held out of the whole training.
    """

    examples: Sequence[Example]
    exclusive: bool
    truth: Flags
    logits: Floats
    scores: Floats
    thresholds: Floats
    accepted: NDArray[np.bool_]
    folds: NDArray[np.int8] | None = None

    @property
    def uncalibrated(self) -> Floats:
        """The scores without a temperature, of shape (n, C)."""
        return scores_of(self.logits, 1.0, exclusive=self.exclusive)

    @property
    def predicted(self) -> Flags:
        """The predicted labels, of shape (n, C)."""
        return predicted_flags(self.scores, self.thresholds, exclusive=self.exclusive)


def answers_of(trained: TrainedClassifier, examples: Sequence[Example]) -> Answers:
    """The answers about examples that were held out of the whole training: those of the classifier itself."""
    judged, truth = trained.judged([example.text for example in examples]), label_flags(examples, trained.labels)
    thresholds = np.tile(np.array(trained.thresholds, np.float32), (len(examples), 1))
    return Answers(examples, trained.exclusive, truth, judged.logits, judged.scores, thresholds, trained.accepts(judged))


def right_by_size(
    trained: TrainedClassifier, learnt: Sequence[Example], points: Sequence[tuple[int, HeldOut]], min_precision: float
) -> list[tuple[int, NDArray[np.bool_]]]:
    """The points of a learning curve: for each number of learnt examples, which examples the folds answer right, of shape (n,)."""
    return [(size, _right_in_folds(trained, learnt, held_out, min_precision)) for size, held_out in points]


def _right_in_folds(trained: TrainedClassifier, learnt: Sequence[Example], held_out: HeldOut, min_precision: float) -> NDArray[np.bool_]:
    if trained.exclusive:
        # The best label is the best one at every temperature, so there is nothing to calibrate.
        truth = label_flags([learnt[place] for place in held_out.places], trained.labels)
        return np.asarray(truth.argmax(axis=1) == held_out.logits.argmax(axis=1), np.bool_)
    answers = answers_of_folds(trained, learnt, held_out, min_precision)
    return whole(answers.truth, answers.predicted)


def answers_of_folds(trained: TrainedClassifier, learnt: Sequence[Example], held_out: HeldOut, min_precision: float) -> Answers:
    """The answers about the training examples, each by a classifier that had not learnt it.

    Temperature and thresholds of a fold's answers come from the other folds. So no example has a part in its own answer.
    """
    examples = [learnt[place] for place in held_out.places]
    truth, logits, folds = label_flags(examples, trained.labels), held_out.logits, held_out.folds
    # A version with several labels per text has no nearness.
    near = np.zeros(len(examples), np.float32) if held_out.nearness is None else held_out.nearness
    scores, thresholds, accepted = np.empty_like(logits), np.empty_like(logits), np.empty(len(examples), np.bool_)
    for fold in np.unique(folds):
        own = folds == fold
        # A training that ran out of its minutes may have a single fold.
        rest = own if own.all() else ~own
        measured = None if held_out.nearness is None else near[rest]
        of_rest = calibrated(trained.recipe, trained.classifier, logits[rest], truth[rest], measured, min_precision=min_precision)
        judged = of_rest.judge(logits[own], near[own])
        scores[own], thresholds[own], accepted[own] = judged.scores, of_rest.thresholds, of_rest.accepts(judged)
    return Answers(examples, trained.exclusive, truth, logits, scores, thresholds, accepted, folds)
