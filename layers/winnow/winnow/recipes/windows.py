"""Long texts: encoders read windows of a text, each half over the one before, and a text's vector is the mean of theirs. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_WINDOWS = 8
"""The windows of a text that new classifiers read. What follows them isn't read. The time for a text grows with their number."""


def overlap(window: int) -> int:
    """The tokens that a window of so many tokens has in common with the one before."""
    return window // 2


def windows_of[Token](tokens: Sequence[Token], window: int, most: int) -> list[Sequence[Token]]:
    """The first `most` windows of the tokens, at least one. The last one is shorter if the tokens end there."""
    step = window - overlap(window)
    further = max(0, -(-(len(tokens) - window) // step))
    return [tokens[start : start + window] for start in range(0, step * min(most, 1 + further), step)]


def tokens_read(window: int, most: int) -> int:
    """The tokens that so many windows reach over."""
    return window + (most - 1) * (window - overlap(window))


def mean_of(vectors: NDArray[np.float32], windows: Sequence[int]) -> NDArray[np.float32]:
    """The vectors of texts, of shape (texts, dimensions), each of length 1. A text of one window has that window's vector.

    vectors: of all windows, in order, each of length 1. windows: how many each text has, at least 1.
    """
    if len(vectors) == len(windows):
        return vectors
    found = np.empty((len(windows), vectors.shape[1]), np.float32)
    end = 0
    for place, count in enumerate(windows):
        of_text, end = vectors[end : end + count], end + count
        found[place] = of_text[0] if count == 1 else _of_length_one(of_text.sum(axis=0))
    return found


def _of_length_one(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    if not vector.any():
        # Windows that cancel each other out: like a text without tokens, equal in all dimensions.
        vector = np.ones(len(vector), np.float32)
    unit: NDArray[np.float32] = vector / np.sqrt(np.einsum("i,i", vector, vector))
    return unit
