"""Vectors by which texts are compared with each other: those of a version's sentence encoder, otherwise of hashed words. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from winnow.recipes import features
from winnow.recipes.artifact import OfSentences, TrainedClassifier
from winnow.recipes.windows import MOST_WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding

    Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Closeness:
    """The cosines of texts that are alike. same: they say the same. similar: they are probably about the same."""

    same: float
    similar: float


# Of pairs in Banking77's training set with the first cosine 97 of 100 have the same label, of those with the second half.
BY_MEANING, BY_WORDS = Closeness(0.9, 0.7), Closeness(0.8, 0.5)

# Hashed features are folded into so many dimensions, with signs that make their dot products right on average (Weinberger et al. 2009).
_FOLDED = 1_024


class Once:
    """An Encoding that reads each text once: a text that was classified gets its vector again for nothing."""

    def __init__(self, encoding: Encoding) -> None:
        self.name, self.digest = encoding.name, encoding.digest
        self._encoding = encoding
        self._known: dict[tuple[str, int], Floats] = {}

    def vectors(self, texts: Sequence[str], windows: int = 1) -> Floats:
        """Of shape (texts, dimensions), each of length 1."""
        new = [text for text in dict.fromkeys(texts) if (text, windows) not in self._known]
        if new:
            self._known |= {(text, windows): vector for text, vector in zip(new, self._encoding.vectors(new, windows), strict=True)}
        return np.array([self._known[text, windows] for text in texts], np.float32)


def closeness_of(trained: TrainedClassifier) -> Closeness:
    """For the vectors of `vectors_of`."""
    return BY_MEANING if isinstance(trained.classifier, OfSentences) else BY_WORDS


def vectors_of(trained: TrainedClassifier, texts: Sequence[str]) -> Floats:
    """Of shape (texts, dimensions), each of length 1 (of a text without words: 0).

    Of two encoders the cheaper one counts: it speaks more languages.
    """
    if isinstance(trained.classifier, OfSentences):
        return trained.classifier.encodings[0].vectors(texts, MOST_WINDOWS)
    return hashed(texts)


def hashed(texts: Sequence[str]) -> Floats:
    """The same of words and character n-grams alone."""
    found = np.zeros((len(texts), _FOLDED), np.float32)
    done = 0
    for bags in features.read(texts, features.Reading()):
        places = bags.places.astype(np.int64)
        # Fibonacci hashing, so that neighbouring places get unrelated signs and dimensions.
        mixed = (places * 2_654_435_769) & 0xFFFF_FFFF
        signs = np.where(mixed & 1, np.float32(1), np.float32(-1))
        np.add.at(found, (done + bags.of, (mixed >> 22) % _FOLDED), signs * bags.values)
        done += bags.texts
    lengths = np.sqrt(np.einsum("ij,ij->i", found, found))
    return np.asarray(found / np.where(lengths, lengths, 1)[:, None], np.float32)
