"""The sentence vectors of a run's texts. Each text is encoded once for all rows, and its encoding time is added to each row that needs it.

The encoders are the layer's. The peers that use sentence vectors read with MiniLM, as our recipes do by default.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from winnow.recipes import encoder
from winnow.recipes.catalogue import LANGUAGES_OF_ENCODER
from winnow.recipes.encoder import MINILM, MULTILINGUAL
from winnow.recipes.encodings import of_recipe
from winnow.recipes.windows import MOST_WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding


class Encoded:
    """An Encoding (recipes.encoder) that keeps the vectors of some texts, read in windows. It encodes any other text at each call."""

    def __init__(self, encoding: Encoding) -> None:
        self.name, self.digest = encoding.name, encoding.digest
        self._encoding = encoding
        self._known: dict[str, NDArray[np.float32]] = {}
        self._seconds: dict[str, float] = {}

    def encode(self, texts: Iterable[str]) -> None:
        """Encode these texts and keep their vectors."""
        for text in texts:
            if text not in self._known:
                began = time.process_time()
                self._known[text] = self._encoding.vectors([text], MOST_WINDOWS)[0]
                self._seconds[text] = time.process_time() - began

    def seconds(self, texts: Iterable[str]) -> float:
        """CPU seconds to encode each of these kept texts once."""
        return sum(self._seconds[text] for text in set(texts))

    def vectors(self, texts: Sequence[str], windows: int = MOST_WINDOWS) -> NDArray[np.float32]:
        """The vectors, with the shape (texts, dimensions). Each has length 1."""
        return np.stack([self._known[text] if text in self._known else self._encoding.vectors([text], windows)[0] for text in texts])


@cache
def encoded(name: str = MINILM) -> Encoded:
    """The Encoded of this run for one of the layer's encoders."""
    return Encoded(encoder.installed(name))


def encoders(recipe: str, language: str = "en") -> list[Encoded]:
    """Those that a recipe learns from, for texts of a language."""
    found = of_recipe(recipe, encoder.installed(), language, LANGUAGES_OF_ENCODER[MINILM])
    return [encoded(MINILM if each.digest == encoder.installed().digest else MULTILINGUAL) for each in found]


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors, with the shape (texts, dimensions). A function, so that the file of a peer's model has neither encoder nor vectors."""
    return encoded().vectors(texts)
