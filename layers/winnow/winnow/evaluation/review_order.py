"""The order in which texts are handed out: the least certain, and none close to another. numpy only.

The margin between the two best scores says how certain an answer is (Scheffer et al. 2001, "Active Hidden Markov Models for Information
Extraction"). By the margin alone, people are asked for the same thing again and again, and for oddities. So of the least certain texts the
next one is that which stands for the most uncertainty: its own, and that of similar texts that none before it stands for (facility location
on uncertain texts: Wei, Iyer and Bilmes 2015, "Submodularity in Data Subset Selection and Active Learning"). On parts of Banking77's
training set this was better than the margin alone, and than the margin times the distance to the texts before.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


# The higher it is, the more similar a text must be to be stood for.
_SHARPNESS = 4


def uncertainty(scores: Floats, thresholds: Floats, *, exclusive: bool) -> Floats:
    """How uncertain the answers are, of shape (texts,), from 0 (sure) to 1. scores, thresholds: of shape (texts, labels).

    Exclusive labels: 1 minus the difference of the two best scores. Otherwise 1 minus the distance of the score that is nearest to its
    label's threshold.
    """
    if not exclusive:
        return np.asarray(1 - np.abs(scores - np.minimum(thresholds, 1)).min(axis=1), np.float32)
    second, first = np.partition(scores, -2, axis=1)[:, -2:].T
    return np.asarray(1 - (first - second), np.float32)


def spread(uncertain: Sequence[float], vectors: Floats, same: float, most: int) -> list[int]:
    """The places of at most `most` texts, in the order in which they are handed out.

    vectors: of shape (texts, dimensions), each of length 1. Texts with a cosine of `same` or more to one before them are left out.
    """
    cosines = vectors @ vectors.T
    stands_for = np.maximum(cosines, 0) ** _SHARPNESS
    weights, covered = np.array(uncertain, np.float32), np.zeros(len(uncertain), np.float32)
    free = np.ones(len(uncertain), np.bool_)
    # What a text adds only shrinks, so one that still adds more than the others added before is the best (Minoux 1978).
    waiting = [(-float(added), place) for place, added in enumerate(stands_for @ weights)]
    heapq.heapify(waiting)
    picked: list[int] = []
    while waiting and len(picked) < most:
        _, place = heapq.heappop(waiting)
        if not free[place]:
            continue
        again = (-float(np.maximum(stands_for[place] - covered, 0) @ weights), place)
        if waiting and again > waiting[0]:
            heapq.heappush(waiting, again)
            continue
        picked.append(place)
        np.maximum(covered, stands_for[place], out=covered)
        free[cosines[place] >= same] = False
    return picked


def least_certain(uncertain: Sequence[float], most: int) -> list[int]:
    """The places of at most `most` texts, the least certain first."""
    return sorted(range(len(uncertain)), key=lambda place: -uncertain[place])[:most]
