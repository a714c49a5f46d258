"""The lowest accepted scores of a policy, in the form in which a classifier compares with them. numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Least = NDArray[np.float32]
"""The lowest accepted score of each label, of shape (labels,). NaN for a label that keeps the version's own."""


def least_scores(labels: Sequence[str], thresholds: Mapping[str, float] | None, threshold: float | None) -> Least:
    """thresholds: of some labels; None if `threshold` counts for all. threshold: None if no score is high enough."""
    if thresholds is None:
        return np.full(len(labels), np.inf if threshold is None else threshold, np.float32)
    return np.array([thresholds.get(label, np.nan) for label in labels], np.float32)
