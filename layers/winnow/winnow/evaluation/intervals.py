"""How far a measure may vary with the choice of held-out examples: percentile bootstrap intervals.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from winnow.evaluation.measures import ratio, rounded, whole

if TYPE_CHECKING:
    from winnow.evaluation.measures import Figures, Flags

RESAMPLES = 1_000
_PERCENTILES = (2.5, 97.5)
# Resamples times examples per step. It limits the memory.
_MOST_DRAWN = 1_000_000


def intervals(truth: Flags, predicted: Flags, seed: int) -> dict[str, list[float]]:
    """95 % intervals [low, high] of accuracy, micro_f1 and macro_f1. truth and predicted are of shape (n, C), n at least 1.

    Each resample draws n examples with replacement. The same seed gives the same numbers. If labels have few examples, the interval of
    macro_f1 is slightly low: a resample misses some of them and has others twice.
    """
    if not len(truth):
        raise ValueError("there are no examples to resample")
    right, said, there = (_Columns(flags) for flags in (truth & predicted, predicted, truth))
    all_right = whole(truth, predicted).astype(np.float64)
    found: dict[str, list[Figures]] = {"accuracy": [], "micro_f1": [], "macro_f1": []}
    for times in _times_drawn(len(truth), seed):
        hits, sums = 2 * right.counts(times), said.counts(times) + there.counts(times)
        found["accuracy"].append(times @ all_right / len(truth))
        found["micro_f1"].append(ratio(hits.sum(axis=1), sums.sum(axis=1)))
        found["macro_f1"].append(ratio(ratio(hits, sums).sum(axis=1), (sums > 0).sum(axis=1)))
    return {name: [rounded(end) for end in np.percentile(np.concatenate(parts), _PERCENTILES)] for name, parts in found.items()}


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
