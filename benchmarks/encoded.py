"""The sentence vectors of a run's texts: each text is encoded once for all rows, and what that took is added to every row that needs it.

It is our deployment's own encoder, so that peers over sentence vectors have the same weights as our recipes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from winnow.recipes import encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding


class Encoded:
    """An Encoding (recipes.encoder) that knows the vectors of some texts already; any other is encoded whenever it comes."""

    def __init__(self, encoding: Encoding) -> None:
        self.name, self.digest = encoding.name, encoding.digest
        self._encoding = encoding
        self._known: dict[str, NDArray[np.float32]] = {}
        self._seconds: dict[str, float] = {}

    def encode(self, texts: Iterable[str]) -> None:
        """Know these texts' vectors from now on."""
        for text in texts:
            if text not in self._known:
                began = time.process_time()
                self._known[text] = self._encoding.vectors([text])[0]
                self._seconds[text] = time.process_time() - began

    def seconds(self, texts: Iterable[str]) -> float:
        """Of CPU, to encode these texts, which are known, once each."""
        return sum(self._seconds[text] for text in set(texts))

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1."""
        return np.stack([self._known[text] if text in self._known else self._encoding.vectors([text])[0] for text in texts])


@cache
def encoded() -> Encoded:
    """The one of this run."""
    return Encoded(encoder.installed())


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Of shape (texts, dimensions). A function, so that a peer's model, when it is written to a file, holds no encoder and no vectors."""
    return encoded().vectors(texts)
