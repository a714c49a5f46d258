"""Choose the threshold for a promised precision or for the least cost, from a dial. numpy only.

A promise must also hold for fresh texts. The lowest threshold that is precise enough on the held-out examples often isn't on fresh ones: it
was chosen because it is lucky on these. So each threshold is tested: could as few mistakes come from a precision below the promise? The
first one is chosen by the scores alone, without looking at what is right. Then lower thresholds follow, as long as each passes (fixed
sequence testing, Angelopoulos et al. 2021, arXiv 2110.01052). So a threshold that breaks the promise passes in at most one of twenty data
sets, however many are tested.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.domain.policy import Cost
    from winnow.evaluation.dial import Dial, Falling

# The probability of a broken promise: of the thresholds from the first one down, and of the higher ones, tried if the first one fails.
_RISK, _RISK_OF_HIGHER = 0.04, 0.01
# Each threshold answers so many times the texts of the one before.
_STEP = 1.02
# If the examples seemed enough, and were unlucky: so many times as many.
_MORE = 1.1
# A number of examples above this one is no advice.
_MOST_TEXTS = 100_000_000
# In texts: the weight of the scores beside the counted mistakes, where the number that would do is estimated.
_SCORES_WEIGH = 5.0


class TooFew(NamedTuple):
    """No threshold keeps the promise for sure. needed: about how many held-out examples would do; None if no number would."""

    needed: int | None


def for_precision(dial: Dial, promise: float) -> float | TooFew:
    """The lowest threshold found that keeps the promise: of the answered texts, at least this share is right."""
    falling = dial.falling()
    places = _places(len(falling.answered), promise)
    thresholds = falling.thresholds(places)
    if not places:
        return _too_few(dial, falling, promise)
    first = _first(falling, thresholds, promise)
    passed = None
    for threshold in thresholds[first:]:
        if not _passes(falling, threshold, promise, _RISK):
            break
        passed = threshold
    if passed is None:
        # One by one to the higher ones, each with an equal part of the risk.
        risk = _RISK_OF_HIGHER / max(1, first)
        passed = next((each for each in reversed(thresholds[:first]) if _passes(falling, each, promise, risk)), None)
    return _too_few(dial, falling, promise) if passed is None else passed


def for_cost(dial: Dial, cost: Cost) -> float | None:
    """The threshold with the least cost on the held-out examples. None if it costs least to answer nothing."""
    falling = dial.falling()
    size = len(falling.answered)
    if not size:
        return None
    answered = np.searchsorted(-falling.answered, -falling.answered, side="right")
    wrong = np.searchsorted(-falling.wrong, -falling.answered, side="right")
    costs = cost.wrong * wrong - cost.refused * answered
    # Of equal ones the first: it answers least.
    best = int(costs.argmin())
    return falling.thresholds([int(answered[best])])[0] if costs[best] < 0 else None


def _places(size: int, promise: float) -> list[int]:
    """The numbers of answered texts whose thresholds are tested. With fewer, even no mistake at all would prove too little."""
    fewest = math.ceil(math.log(_RISK) / math.log(promise))
    places = []
    while fewest < size:
        places.append(fewest)
        fewest = max(fewest + 1, round(fewest * _STEP))
    return [*places, size] if fewest <= size or places else []


def _first(falling: Falling, thresholds: list[float], promise: float) -> int:
    """The place of the threshold that passes most likely, by the scores alone: it can spare most standard deviations of mistakes."""
    spare = []
    for threshold in thresholds:
        expected, answered = falling.doubted(threshold), falling.outcome(threshold).answered
        spare.append((_most_wrong(answered, promise, _RISK) - expected) / math.sqrt(expected + 1))
    return int(np.argmax(spare))


def _passes(falling: Falling, threshold: float, promise: float, risk: float) -> bool:
    answered, right = falling.outcome(threshold)
    return answered - right <= _most_wrong(answered, promise, risk)


def _most_wrong(answered: int, promise: float, risk: float) -> int:
    """The most mistakes among so many answers that a precision below the promise makes with at most this probability (Clopper and Pearson
    1934). -1 if even none are likelier.
    """
    wrong = 1 - promise
    most = min(answered, math.ceil(answered * wrong) + 1)
    mistakes = np.arange(1, most + 1)
    steps = np.log((answered - mistakes + 1) / mistakes) + math.log(wrong / promise)
    logs = np.concatenate([[0.0], np.cumsum(steps)]) + answered * math.log(promise)
    likely: NDArray[np.float64] = np.cumsum(np.exp(logs))
    return int(np.searchsorted(likely, risk, side="right")) - 1


def _too_few(dial: Dial, falling: Falling, promise: float) -> TooFew:
    """How many examples would do, if further ones were answered like these."""
    size = len(falling.answered)
    places = sorted({max(1, round(size * part / 50)) for part in range(1, 51)}) if size else []
    needed: float = math.inf
    for threshold in falling.thresholds(places):
        answered, right = falling.outcome(threshold)
        if answered < min(_SCORES_WEIGH, size):
            continue
        # Few texts say little of further ones, so the scores have a say too.
        doubted = _SCORES_WEIGH * falling.doubted(threshold) / answered
        wrong = (answered - right + doubted) / (answered + _SCORES_WEIGH)
        if wrong < 1 - promise:
            needed = min(needed, _needed(wrong, promise) * dial.texts / answered)
    return TooFew(None if needed > _MOST_TEXTS else max(math.ceil(_MORE * dial.texts), math.ceil(needed)))


def _needed(wrong: float, promise: float) -> float:
    """About how many answers show that the promise is kept, if this share of them is wrong (by the normal approximation)."""
    deviations = 1.751  # of the quantile 1 - _RISK
    fewest = math.log(_RISK) / math.log(promise)
    return max(fewest, (deviations * math.sqrt(promise * (1 - promise)) / (1 - promise - wrong)) ** 2)
