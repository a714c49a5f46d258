"""How far a measure may vary with the choice of held-out examples.

Shares have Wilson's interval (Wilson 1927, Probable Inference): it stays sensible with few examples, also if all are right. F1 is not a
share and has percentile bootstrap intervals (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from winnow.evaluation.measures import ratio, rounded, whole

if TYPE_CHECKING:
    from winnow.evaluation.measures import Figures, Flags

RESAMPLES = 1_000
_PERCENTILES = (2.5, 97.5)
# The quantile of the normal distribution for 95 %.
Z = 1.959964
# Resamples times examples per step. It limits the memory.
_MOST_DRAWN = 1_000_000


def intervals(truth: Flags, predicted: Flags, seed: int) -> dict[str, list[float]]:
    """95 % intervals [low, high] of accuracy, micro_f1 and macro_f1. truth and predicted are of shape (n, C), n at least 1.

    If each example has one label and one prediction, micro_f1 is the accuracy and has the same interval. A bootstrap's resample draws n
    examples with replacement. The same seed gives the same numbers. If labels have few examples, the interval of macro_f1 is slightly low:
    a resample misses some of them and has others twice.
    """
    if not len(truth):
        raise ValueError("there are no examples to resample")
    right, said, there = (_Columns(flags) for flags in (truth & predicted, predicted, truth))
    found: dict[str, list[Figures]] = {"micro_f1": [], "macro_f1": []}
    for times in _times_drawn(len(truth), seed):
        hits, sums = 2 * right.counts(times), said.counts(times) + there.counts(times)
        found["micro_f1"].append(ratio(hits.sum(axis=1), sums.sum(axis=1)))
        found["macro_f1"].append(ratio(ratio(hits, sums).sum(axis=1), (sums > 0).sum(axis=1)))
    drawn = {name: [rounded(end) for end in np.percentile(np.concatenate(parts), _PERCENTILES)] for name, parts in found.items()}
    accuracy = wilson(int(whole(truth, predicted).sum()), len(truth))
    is_share = bool((truth.sum(axis=1) == 1).all() and (predicted.sum(axis=1) == 1).all())
    return {"accuracy": accuracy, **drawn, **({"micro_f1": accuracy} if is_share else {})}


def wilson(right: int, examples: int) -> list[float]:
    """Wilson's 95 % interval [low, high] of the share right / examples. examples: at least 1."""
    share, spread = right / examples, Z**2 / examples
    middle = share + spread / 2
    half = Z * math.sqrt((share * (1 - share) + spread / 4) / examples)
    return [rounded(max(0.0, (middle - half) / (1 + spread))), rounded(min(1.0, (middle + half) / (1 + spread)))]


def _times_drawn(examples: int, seed: int) -> Iterator[Figures]:
    """How often each resample drew each example, in steps of shape (resamples, n)."""
    random = np.random.default_rng(seed)
    at_once = max(1, min(RESAMPLES, _MOST_DRAWN // examples))
    for begin in range(0, RESAMPLES, at_once):
        resamples = min(at_once, RESAMPLES - begin)
        drawn = random.integers(examples, size=(resamples, examples)) + examples * np.arange(resamples)[:, None]
        yield np.bincount(drawn.ravel(), minlength=resamples * examples).reshape(resamples, examples).astype(np.float64)


class _Columns:
    """Flags of shape (n, C), stored as the rows of each column, because each example has few labels."""

    def __init__(self, flags: Flags) -> None:
        columns, self._rows = np.nonzero(flags.T)
        self._present, self._starts = np.unique(columns, return_index=True)
        self._size = flags.shape[1]

    def counts(self, times: Figures) -> Figures:
        """How often each column is set in each resample: from shape (resamples, n) to (resamples, C)."""
        counted = np.zeros((len(times), self._size))
        if len(self._rows):
            counted[:, self._present] = np.add.reduceat(times[:, self._rows], self._starts, axis=1)
        return counted
