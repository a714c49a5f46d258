"""Scores that find wrong labels: the answers of the folds, beside those of a second look that trusts doubtful labels less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from winnow.evaluation.suspects import doubts
from winnow.recipes.calibration import scores_of
from winnow.recipes.kernel_ridge import left_out_logits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.artifact import TrainedClassifier
    from winnow.training.calibrate import Answers

# That of "sentence" with many texts. The noise of doubtful labels comes on top.
_STRENGTH = 0.03
_LEAST = 1e-6


def doubting_scores(trained: TrainedClassifier, answers: Answers) -> NDArray[np.float32]:
    """Scores of the answers' examples by classifiers that had not learnt them. Of shape (n, C).

    A fold learns from wrong labels too, and a label that is often given to texts of another one teaches it the mistake. So if the
    classifier keeps the vectors of its texts, and each text has one label, a kernel ridge of all other texts answers again. Each label
    counts less the more the folds doubt it. The scores are the mean of both, by their logarithms. Otherwise they are the answers' own.
    """
    found: list[NDArray[np.float32]] = getattr(trained.classifier, "learnt_vectors", [])
    # A single fold has a tenth of the texts, which is too few to learn from.
    each_was_asked = answers.folds is not None and len(np.unique(answers.folds)) > 1
    if not (found and trained.exclusive and each_was_asked):
        return answers.scores
    # The logistic function of the doubt, which is a difference of logarithms.
    trust = 1 / (1 + np.exp(np.clip(doubts(answers.truth.argmax(axis=1), answers.scores), -9, 9)))
    logits = [left_out_logits(vectors[answers.places], answers.truth, trust.astype(np.float32), _STRENGTH) for vectors in found]
    second = scores_of(np.mean(logits, axis=0), 1.0, exclusive=True)
    both = np.log(np.maximum(answers.scores, _LEAST)) + np.log(np.maximum(second, _LEAST))
    return scores_of((both / 2).astype(np.float32), 1.0, exclusive=True)
