"""Sentence encoders for quick tests: a text's vector is the sum of fixed random vectors of its words."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.recipes.encoder import MULTILINGUAL


@dataclass(frozen=True)
class WordVectors:
    """An Encoding (recipes.encoder). words: how many words it knows, so that one can be made better than another."""

    name: str
    digest: str
    words: int
    dimensions: int = 24

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1."""
        found = np.stack([self._vector(text) for text in texts]) if texts else np.empty((0, self.dimensions))
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def _vector(self, text: str) -> NDArray[np.float64]:
        seeds = (zlib.crc32(word.strip("?.!,'").encode()) % self.words for word in text.lower().split() or [""])
        return np.sum([np.random.default_rng(seed).normal(size=self.dimensions) for seed in seeds], axis=0)


# In place of the layer's.
LIGHT, MAIN = WordVectors(MULTILINGUAL, "1" * 64, 40), WordVectors("main", "2" * 64, 10_000)


def find(name: str, digest: str) -> WordVectors:
    """A `Find` (recipes.encoder) for these two."""
    return {LIGHT.digest: LIGHT, MAIN.digest: MAIN}[digest]
