"""A second look at labels, which trusts the doubtful ones less. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from winnow.evaluation.suspects import doubts
from winnow.recipes.calibration import scores_of
from winnow.recipes.kernel_ridge import left_out_logits

if TYPE_CHECKING:
    from winnow.evaluation.measures import Flags
    from winnow.evaluation.suspects import Scores
    from winnow.recipes.kernel_ridge import Matrix

# That of "sentence" with many texts. The noise of doubtful labels comes on top.
_STRENGTH = 0.03
_LEAST = 1e-6


def second_look(truth: Flags, scores: Scores, vectors: Sequence[Matrix]) -> Scores:
    """Better scores to find wrong labels by, of classifiers that had not learnt the example. Of shape (n, C).

    truth: exclusive labels, and scores: of the folds, both of shape (n, C). vectors: of the texts by each encoder, of shape (n, d).

    A fold learns from wrong labels too, and a label that is often given to texts of another one teaches it the mistake. So a kernel ridge
    of all other texts answers again about each text. Each label counts less the more the folds doubt it. The result is the mean of both
    scores, by their logarithms.
    """
    # The logistic function of the doubt, which is a difference of logarithms.
    trust = 1 / (1 + np.exp(np.clip(doubts(truth.argmax(axis=1), scores), -9, 9)))
    logits = [left_out_logits(each, truth, trust.astype(np.float32), _STRENGTH) for each in vectors]
    again = scores_of(np.mean(logits, axis=0), 1.0, exclusive=True)
    both = np.log(np.maximum(scores, _LEAST)) + np.log(np.maximum(again, _LEAST))
    return scores_of((both / 2).astype(np.float32), 1.0, exclusive=True)
