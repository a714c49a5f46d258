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
from winnow.recipes.stages import EarlyStage
from winnow.training.cascade import cascaded, with_floors_of, with_margins
from winnow.training.held_out import Asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from winnow.domain.dataset import Example
    from winnow.evaluation.measures import Flags
    from winnow.training.held_out import HeldOut

    Floats = NDArray[np.float32]

# The temperatures that trainings with exclusive labels mostly have.
_USUAL = {"linear": 0.65, "light": 1.0, "cnn": 2.5, "sentence": 1.0, "best": 1.0}


def calibrated(recipe: str, classifier: Answering, held_out: Asked, strange: Asked | None, *, min_precision: float) -> TrainedClassifier:
    """The classifier with temperatures, thresholds and margins from the answers about held-out texts.

    strange: the answers of a fitting without the labels of some texts (`Folds.strange`), None if there is none.
    """
    return cascaded(_calibrated(recipe, classifier, held_out, min_precision), held_out, strange)


def _calibrated(recipe: str, classifier: Answering, held_out: Asked, min_precision: float) -> TrainedClassifier:
    """The classifier with each stage calibrated by itself, without margins."""
    logits, truth, nearness = held_out
    exclusive, stages = classifier.exclusive, []
    # The stages before the last one answer as these recipes.
    for number, name in enumerate([*("linear", "light")[: len(logits) - 1], recipe]):
        temperature = fit_temperature(logits[number], truth, exclusive=exclusive, usual=_USUAL[name] if exclusive else None)
        scores = scores_of(logits[number], temperature, exclusive=exclusive)
        thresholds = fit_thresholds(scores, truth, exclusive=exclusive, min_precision=min_precision)
        least = None if nearness is None else least_familiarity(familiarity(nearness[number], scores, SCORE_WEIGHT))
        stages.append(EarlyStage(temperature, thresholds, least))
    *early, last = stages
    return TrainedClassifier(recipe, classifier, last.temperature, last.thresholds, last.least_familiarity, early=tuple(early))


@dataclass(frozen=True, slots=True)
class Answers:
    """A version's answers about n examples that the answering classifier had not learnt.

    truth, logits, scores, thresholds: of shape (n, C). accepted: whether any label is accepted, of shape (n,). folds: the fold that held
    out each example, of shape (n,); None if they were held out of the whole training. stages: the number of the stage that answered, of
    shape (n,); None if the classifier has no stages. places: of the examples among those that the version learnt, of shape
    (n,); None if they were held out of the whole training. familiar: whether a text is near enough to the learnt ones to accept a label,
    of shape (n,); None if that isn't checked. surplus: by how much its familiarity exceeds the lowest one at which that is so.
    """

    examples: Sequence[Example]
    exclusive: bool
    truth: Flags
    logits: Floats
    scores: Floats
    thresholds: Floats
    accepted: NDArray[np.bool_]
    folds: NDArray[np.int8] | None = None
    stages: NDArray[np.int8] | None = None
    places: NDArray[np.int32] | None = None
    familiar: NDArray[np.bool_] | None = None
    surplus: Floats | None = None

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
    thresholds, accepted = trained.thresholds_of(judged), trained.accepts(judged)
    return Answers(
        *(examples, trained.exclusive, truth, judged.logits, judged.scores, thresholds, accepted, None, judged.stages),
        familiar=judged.familiar,
        surplus=judged.surplus,
    )


def right_by_size(
    trained: TrainedClassifier, learnt: Sequence[Example], points: Sequence[tuple[int, HeldOut]], min_precision: float
) -> list[tuple[int, NDArray[np.bool_]]]:
    """The points of a learning curve: for each number of learnt examples, which examples the folds answer right, of shape (n,)."""
    return [(size, _right_in_folds(trained, learnt, held_out, min_precision)) for size, held_out in points]


def _right_in_folds(trained: TrainedClassifier, learnt: Sequence[Example], held_out: HeldOut, min_precision: float) -> NDArray[np.bool_]:
    if trained.exclusive:
        # The best label is the best one at every temperature, so there is nothing to calibrate.
        truth = label_flags([learnt[place] for place in held_out.places], trained.labels)
        return np.asarray(truth.argmax(axis=1) == held_out.logits[-1].argmax(axis=1), np.bool_)
    answers = answers_of_folds(trained, learnt, held_out, min_precision)
    return whole(answers.truth, answers.predicted)


def answers_of_folds(trained: TrainedClassifier, learnt: Sequence[Example], held_out: HeldOut, min_precision: float) -> Answers:
    """The answers about the training examples, each by a classifier that had not learnt it.

    Temperatures, thresholds and margins of a fold's answers come from the other folds. So no example has a part in its own answer.
    """
    examples, folds = [learnt[place] for place in held_out.places], held_out.folds
    asked = Asked(held_out.logits, label_flags(examples, trained.labels), held_out.nearness)
    logits, scores, thresholds = (np.empty(asked.truth.shape, np.float32) for _ in range(3))
    accepted, familiar = np.empty(len(examples), np.bool_), np.ones(len(examples), np.bool_)
    stages, surplus = np.zeros(len(examples), np.int8), np.full(len(examples), np.nan, np.float32)
    for fold in np.unique(folds):
        own = folds == fold
        # A training that ran out of its minutes may have a single fold.
        rest = asked.of(own if own.all() else ~own)
        # What is known of strangers comes from another fitting.
        of_rest = _calibrated(trained.recipe, trained.classifier, rest, min_precision)
        if of_rest.early and trained.early:
            of_rest = with_margins(with_floors_of(of_rest, trained), rest)
        judged = of_rest.judge(asked.logits[:, own], asked.of(own).nearness)
        logits[own], scores[own], thresholds[own] = judged.logits, judged.scores, of_rest.thresholds_of(judged)
        accepted[own] = of_rest.accepts(judged)
        if judged.stages is not None:
            stages[own] = judged.stages
        if judged.familiar is not None:
            familiar[own] = judged.familiar
        if judged.surplus is not None:
            surplus[own] = judged.surplus
    by = stages if trained.early else None
    return Answers(
        *(examples, trained.exclusive, asked.truth, logits, scores, thresholds, accepted, folds, by),
        places=held_out.places,
        familiar=familiar,
        surplus=None if np.isnan(surplus).any() else surplus,
    )
