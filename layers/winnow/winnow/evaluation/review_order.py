"""The order in which texts are handed out: the least certain, and none close to another. numpy only.

The margin between the two best scores says how certain an answer is (Scheffer et al. 2001, "Active Hidden Markov Models for Information
Extraction"). By the margin alone, people are asked for the same thing again and again, and for oddities. So of the least certain texts the
next one is that which stands for the most uncertainty: its own, and that of similar texts that none before it stands for (facility location
on uncertain texts: Wei, Iyer and Bilmes 2015, "Submodularity in Data Subset Selection and Active Learning"). On parts of Banking77's
training set this was better than the margin alone, and than the margin times the distance to the texts before.

A version without examples, such as one from names alone, is unsure of nearly everything, and a version from feedback will know only labels
with two texts. So each label first gets its two (`without_examples`).
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

CANDIDATES = 1_000
"""The least certain texts that `spread` is given: its time grows with their square."""

# The most of a label's surest texts that its first ones are chosen from. The surest itself often only repeats the label's name.
_SUREST = 50


def uncertainty(scores: Floats, thresholds: Floats, *, exclusive: bool) -> Floats:
    """How uncertain the answers are, of shape (texts,), from 0 (sure) to 1. scores, thresholds: of shape (texts, labels).

    Exclusive labels: 1 minus the difference of the two best scores. Otherwise 1 minus the distance of the score that is nearest to its
    label's threshold.
    """
    if not exclusive:
        return np.asarray(1 - np.abs(scores - np.minimum(thresholds, 1)).min(axis=1), np.float32)
    second, first = np.partition(scores, -2, axis=1)[:, -2:].T
    return np.asarray(1 - (first - second), np.float32)


def spread(uncertain: Sequence[float], vectors: Floats, same: float, most: int, near: Floats | None = None) -> list[int]:
    """The places of at most `most` texts, in the order in which they are handed out.

    vectors: of shape (texts, dimensions), each of length 1. near: as `nearest` says, if other texts come before all of these. Texts with a
    cosine of `same` or more to one before them are left out.
    """
    cosines = vectors @ vectors.T
    stands_for = _stands_for(cosines)
    weights = np.array(uncertain, np.float32)
    near = nearest(vectors, []) if near is None else near
    covered, free = _stands_for(near), near < same
    # What a text adds only shrinks, so one that still adds more than the others added before is the best (Minoux 1978).
    waiting = [(-float(added), place) for place, added in enumerate(np.maximum(stands_for - covered, 0) @ weights)]
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


def without_examples(
    scores: Sequence[Floats] | Floats,
    uncertain: Sequence[float],
    vectors: Floats,
    near: Floats,
    *,
    lacking: Sequence[int],
    same: float,
    most: int,
) -> list[int]:
    """The same for a version without examples: first texts for each label that lacks some, and then `spread`.

    scores: of shape (texts, labels). near: as `nearest` says of the texts with labels. lacking: how many texts each label lacks. Of the
    surest texts of such a label the next one stands for the most of their scores.
    """
    scores, near, picked = np.asarray(scores), near.copy(), list[int]()
    # Each label has a text before any has two.
    turns = sorted((-lacks, label) for label, most_lacked in enumerate(lacking) for lacks in range(1, most_lacked + 1))
    for _, label in turns[:most]:
        free = np.flatnonzero(near < same)
        if not len(free):
            break
        # As many as it would have if all had as many.
        most_sure = min(max(len(free) // len(lacking), 1), _SUREST)
        surest = free[np.argsort(-scores[free, label], kind="stable")[:most_sure]]
        added = np.maximum(_stands_for(vectors[surest] @ vectors[surest].T) - _stands_for(near[surest]), 0)
        picked.append(int(surest[(added @ scores[surest, label]).argmax()]))
        np.maximum(near, vectors @ vectors[picked[-1]], out=near)
    free = np.flatnonzero(near < same)
    rest = free[least_certain([uncertain[place] for place in free.tolist()], CANDIDATES)]
    then = spread([uncertain[place] for place in rest.tolist()], vectors[rest], same, most - len(picked), near[rest])
    return [*picked, *rest[then].tolist()]


def nearest(vectors: Floats, before: Sequence[Floats]) -> Floats:
    """The cosine of each text to the nearest one before it, of shape (texts,); -1 if there is none."""
    if not len(before):
        return np.full(len(vectors), -1, np.float32)
    return np.asarray((vectors @ np.array(before).T).max(axis=1), np.float32)


def _stands_for(cosines: Floats) -> Floats:
    """How much texts with these cosines stand for each other, from 0 to 1."""
    return np.asarray(np.maximum(cosines, 0) ** _SHARPNESS, np.float32)


def least_certain(uncertain: Sequence[float], most: int) -> list[int]:
    """The places of at most `most` texts, the least certain first."""
    return sorted(range(len(uncertain)), key=lambda place: -uncertain[place])[:most]
