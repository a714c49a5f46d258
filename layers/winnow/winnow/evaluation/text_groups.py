"""Candidate labels: groups of similar texts that no label was accepted for, with the words that tell them from the rest. numpy only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from winnow.recipes.words import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MOST_GROUPS = 20
FEWEST_TEXTS = 5
_MOST_WORDS = 5
# A word that stands in a single text of a group says nothing about the group.
_FEWEST_WITH_WORD = 2


def groups(vectors: Floats, least: float) -> list[list[int]]:
    """The places of the texts of each group, the largest group first. vectors: of shape (texts, dimensions), each of length 1.

    The text with the most neighbours (a cosine of `least` or more) and these neighbours are a group; then the same again without them
    (Daura et al. 1999, "Peptide Folding: When Simulation Meets Experiment"). So it needs no number of groups, is the same each time, and
    leaves lonely texts alone.
    """
    near = vectors @ vectors.T >= np.float32(least)
    np.fill_diagonal(near, val=True)
    found: list[list[int]] = []
    counts = near.sum(axis=1)
    while len(found) < MOST_GROUPS and len(counts) and counts.max() >= FEWEST_TEXTS:
        members = np.flatnonzero(near[int(np.argmax(counts))])
        found.append(members.tolist())
        near[members] = False
        near[:, members] = False
        counts = near.sum(axis=1)
    return found


def telling_words(texts: Sequence[str], grouped: Sequence[Sequence[int]]) -> list[list[str]]:
    """For each group at most five words that stand in many of its texts, and in few of the others.

    They are ranked by the log-odds ratio in units of its standard deviation, with the words of all texts as the prior (Monroe et al. 2008,
    "Fightin' Words").
    """
    bags = [frozenset(word for word in words_of(text, scripts=True) if any(map(str.isalpha, word))) for text in texts]
    everywhere = Counter(word for bag in bags for word in bag)
    inside = [Counter(word for place in group for word in bags[place]) for group in grouped]
    return [_words_of_group(words, len(group), everywhere, len(texts)) for words, group in zip(inside, grouped, strict=True)]


def _words_of_group(inside: Counter[str], size: int, all_texts: Counter[str], number: int) -> list[str]:
    def contrast(word: str) -> float:
        prior = all_texts[word] / number
        here, there = inside[word] + prior, all_texts[word] - inside[word] + prior
        not_here, not_there = size - inside[word] + 1 - prior, number - size - all_texts[word] + inside[word] + 1 - prior
        odds = np.log(here / max(not_here, prior)) - np.log(there / max(not_there, prior))
        return float(odds / np.sqrt(1 / here + 1 / there))

    common = [word for word, count in inside.items() if count >= _FEWEST_WITH_WORD]
    return sorted(common, key=lambda word: (-contrast(word), word))[:_MOST_WORDS]
