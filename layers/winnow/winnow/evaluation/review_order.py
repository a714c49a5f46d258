"""The order in which texts are handed out: the least certain first, and none close to another. numpy only.

The margin between the two best scores says how certain an answer is (Scheffer et al. 2001, "Active Hidden Markov Models for Information
Extraction"). Alone it asks for the same thing again and again. So each text is the one whose uncertainty, multiplied by the distance to the
nearest text before it, is largest: farthest-first traversal (Gonzalez 1985), which covers the texts (Sener and Savarese 2018, arXiv
1708.00489), weighted by uncertainty as in BADGE (Ash et al. 2020, arXiv 1906.03671).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


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
    weights, distance = np.array(uncertain, np.float32), np.ones(len(uncertain), np.float32)
    free = np.ones(len(uncertain), np.bool_)
    picked: list[int] = []
    while len(picked) < most and free.any():
        place = int(np.argmax(np.where(free, weights * distance, -np.inf)))
        picked.append(place)
        cosines = vectors @ vectors[place]
        np.minimum(distance, 1 - cosines, out=distance)
        free[cosines >= same] = False
        free[place] = False
    return picked


def least_certain(uncertain: Sequence[float], most: int) -> list[int]:
    """The places of at most `most` texts, the least certain first."""
    return sorted(range(len(uncertain)), key=lambda place: -uncertain[place])[:most]
