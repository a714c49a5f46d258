"""How well scores match reality: reliability in bins of confidence, and the expected calibration error.

Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks (https://arxiv.org/abs/1706.04599), sections 2 and 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.evaluation.measures import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.evaluation.measures import Flags

BINS = 10


def reliability(truth: Flags, scores: NDArray[np.float32], *, exclusive: bool) -> dict[str, Any]:
    """The calibration of scores, 0 to 1, of shape (n, C) like truth: {"ece", "bins"}.

    Exclusive labels: confidence is the best label's score, and accuracy is how often that label is right. Multilabel: each pair of example
    and label is a decision, confidence is its score, and accuracy is how often the example has the label.
    """
    if exclusive:
        best = scores.argmax(axis=1)[:, None]
        confidence, holds = np.take_along_axis(scores, best, axis=1).ravel(), np.take_along_axis(truth, best, axis=1).ravel()
    else:
        confidence, holds = scores.ravel(), truth.ravel()
    bins = [_bin(confidence, holds, number) for number in range(BINS)]
    gaps = (each["count"] * abs(each["accuracy"] - each["confidence"]) for each in bins if each["count"])
    return {"ece": rounded(sum(gaps) / max(1, len(confidence))), "bins": [_shown(each) for each in bins]}


def _bin(confidence: NDArray[np.float32], holds: Flags, number: int) -> dict[str, Any]:
    """A bin of equal width: above `from` (the first includes 0), up to and including `to`. An empty bin has no values."""
    low, high = number / BINS, (number + 1) / BINS
    # Compare as float32, like the scores, so that 0.1 is in the first bin. The last bin has no upper end: rounding may lift a softmax above
    # 1.
    within = (confidence > (np.float32(low) if number else -1)) & (confidence <= (np.float32(high) if number < BINS - 1 else np.inf))
    count = int(within.sum())
    return {
        "from": low,
        "to": high,
        "count": count,
        "confidence": float(confidence[within].mean(dtype=np.float64)) if count else None,
        "accuracy": float(holds[within].mean()) if count else None,
    }


def _shown(each: dict[str, Any]) -> dict[str, Any]:
    return {name: rounded(value) if isinstance(value, float) else value for name, value in each.items()}
