"""Calibrate scores and choose thresholds, on texts that were not trained on. numpy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from winnow.recipes.sparse_linear import sigmoid, softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLDEST, _HOTTEST = 0.02, 50.0
_GOLDEN = (5**0.5 - 1) / 2
_NARROWINGS = 30
# The weight of the usual temperature, chosen on training sets with wrong labels.
_DRAWN = 8.0

# A label needs this many examples for its own threshold. Otherwise it uses the shared one.
_FEWEST_FOR_ITS_OWN = 20
# At least this share of the texts must support a threshold for a precision.
_LEAST_ACCEPTED = 0.05
# How far above chance the threshold of exclusive labels is, as a share of the way from chance to certainty.
_ABOVE_CHANCE = 0.1


def scores_of(logits: NDArray[np.float32], temperature: float, *, exclusive: bool) -> NDArray[np.float32]:
    """Scores from 0 to 1, of the same shape (texts, labels). Each row adds up to 1 if labels are exclusive."""
    cooled = logits / np.float32(temperature)
    return softmax(cooled) if exclusive else sigmoid(cooled)


def fit_temperature(logits: NDArray[np.float32], truth: NDArray[np.bool_], *, exclusive: bool, usual: float | None = None) -> float:
    """The temperature (Guo et al. 2017, arXiv 1706.04599) with the least Brier score (Brier 1950). Both arrays: (texts, labels).

    Not the likeliest temperature: the Brier score is bounded, so that a few wrong labels can't weigh more than all others. Golden-section
    search over its logarithm. Without texts it is `usual`, or 1.

    usual: the temperature that the recipe mostly has. The fitted one is drawn to it, with the weight of a few texts: a few wrong labels
    among a hundred would otherwise change all scores. On the texts, the result is never worse than `usual`.

    The truth is smoothed as if there were two more texts that nobody could label (Platt 1999, Probabilistic Outputs for Support Vector
    Machines). Otherwise scores would all be 1 where few texts are all right.
    """
    if not len(logits):
        return usual or 1.0
    targets = smoothed(truth.astype(np.float32), 2 / (len(truth) + 2), exclusive=exclusive)
    drawn = 0.0 if usual is None else _DRAWN / len(logits)
    low, high = np.log(_COLDEST), np.log(_HOTTEST)
    for _ in range(_NARROWINGS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        of_left, of_right = (
            _brier(scores_of(logits, np.exp(log), exclusive=exclusive), targets) + drawn * (log - np.log(usual or 1)) ** 2
            for log in (left, right)
        )
        if of_left < of_right:
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def _brier(scores: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    return float(np.square(scores - targets).sum(axis=1).mean())


def smoothed(targets: NDArray[np.float32], smoothing: float, *, exclusive: bool) -> NDArray[np.float32]:
    """Smoothed targets, slightly less certain (Szegedy et al. 2015, arXiv 1512.00567)."""
    even = 1 / targets.shape[1] if exclusive else 0.5
    return (targets * (1 - smoothing) + smoothing * even).astype(np.float32)


def cross_entropy(logits: NDArray[np.float32], truth: NDArray[np.bool_], *, exclusive: bool) -> float:
    """The mean cross-entropy per text, in nats. Logits and truth are of shape (texts, labels)."""
    if exclusive:
        raised = logits - logits.max(axis=1, keepdims=True)
        return float((np.log(np.exp(raised).sum(axis=1)) - raised[truth]).mean())
    return float((np.logaddexp(0, logits) - truth * logits).sum(axis=1).mean())


def fit_thresholds(scores: NDArray[np.float32], truth: NDArray[np.bool_], *, exclusive: bool, min_precision: float) -> tuple[float, ...]:
    """The lowest accepted score of each label; 0.5 without texts. Both arrays are of shape (texts, labels)."""
    if not len(scores):
        return tuple(0.5 for _ in range(int(scores.shape[1])))
    if exclusive:
        best = scores.argmax(axis=1)
        right = truth[np.arange(len(truth)), best]
        threshold = max(_above_chance(scores.shape[1]), _for_precision(scores.max(axis=1), right, min_precision))
        return tuple(threshold for _ in range(scores.shape[1]))
    shared = _for_f1(scores.ravel(), truth.ravel())
    enough = truth.sum(axis=0) >= _FEWEST_FOR_ITS_OWN
    labels = range(scores.shape[1])
    return tuple(_for_f1(scores[:, label], truth[:, label]) if enough[label] else shared for label in labels)


def held_out_score(logits: NDArray[np.float32], truth: NDArray[np.bool_], *, exclusive: bool) -> float:
    """A single score from 0 to 1 for logits, of shape (texts, labels) like truth, with at least 1 text.

    Accuracy if labels are exclusive, otherwise micro-F1 with the best single threshold: it compares epochs before thresholds are chosen.
    """
    if exclusive:
        return float(truth[np.arange(len(truth)), logits.argmax(axis=1)].mean())
    return float(_f1_by_rank(logits.ravel(), truth.ravel())[1].max())


def _above_chance(labels: int) -> float:
    """The lowest threshold of exclusive labels: a best score near 1 / labels says nothing."""
    return round(1 / labels + _ABOVE_CHANCE * (1 - 1 / labels), 6)


def _for_precision(confidence: NDArray[np.float32], right: NDArray[np.bool_], least: float) -> float:
    """The lowest threshold above which this share of answers is right. If there is none, the threshold with the largest share."""
    order = np.argsort(-confidence, kind="stable")
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    precision[: int(np.ceil(_LEAST_ACCEPTED * len(order))) - 1] = 0
    enough = np.flatnonzero(precision >= least)
    last = int(enough[-1]) if len(enough) else int(precision.argmax())
    return _between(confidence[order], last)


def _for_f1(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """The threshold with the highest F1."""
    order, f1 = _f1_by_rank(scores, truth)
    return _between(scores[order], int(f1.argmax()))


def _f1_by_rank(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The order by falling score, and the F1 of accepting everything up to each place."""
    order = np.argsort(-scores, kind="stable")
    return order, 2 * np.cumsum(truth[order]) / (np.arange(1, len(order) + 1) + truth.sum())


def _between(falling: NDArray[np.float32], last: int) -> float:
    """The threshold halfway between the scores at `last` and after it."""
    following = falling[last + 1] if last + 1 < len(falling) else np.float32(0)
    return round(float(falling[last] + following) / 2, 6)
