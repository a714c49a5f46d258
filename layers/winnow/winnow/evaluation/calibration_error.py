"""Whether scores mean what they say: reliability in bins of confidence, and the expected calibration error.

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
    """The calibration of scores, 0 to 1, shape (n, C) like truth: {"ece", "bins"}.

    Exclusive labels: confidence is the best label's score, accuracy the share in which that label is right. Multilabel: each example
    and label is a decision, confidence is its score, accuracy the share in which the label is there.
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
    """One of the bins of equal width: over `from` (the first: from 0), up to and with `to`; of an empty one nothing is known."""
    low, high = number / BINS, (number + 1) / BINS
    # Compared as float32, like the scores: 0.1 is then in the first bin. The last is open above: a softmax may exceed 1 by a rounding.
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
