"""The recipe "linear": one linear layer over hashed words, pairs of words and character n-grams. numpy only.

It reads the text itself, without spaCy's tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from winnow.domain.answer import ExplainedWord
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.descent import Descent, LinearFitting
from winnow.recipes.features import Reading
from winnow.recipes.few import is_few, names_as_texts
from winnow.recipes.label_matrix import label_flags
from winnow.recipes.sparse_linear import SparseLinear
from winnow.recipes.words import spans, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "linear"

# For exclusive labels and for others.
_RATES = {True: 2.0, False: 4.0}
_SMOOTHING = {True: 0.1, False: 0.05}
_AVERAGED = 3


def settings(chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters, with defaults for those that the client left out."""
    return replace(
        chosen,
        n_iter=chosen.n_iter or (15 if is_few(texts, labels) else 8),
        dropout=0.0 if chosen.dropout is None else chosen.dropout,
        batch_size=chosen.batch_size or 1,
        learn_rate=chosen.learn_rate or _RATES[exclusive],
    )


class Classifier:
    """A text classifier. `fitting` trains it, and `from_bytes` restores it from `to_bytes`."""

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self.layer = SparseLinear(len(labels), Reading(), exclusive=exclusive)

    def fitting(self, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str] = ()) -> LinearFitting:
        """A new training on the examples. held_out: texts for a score after each pass."""
        few = is_few(len(examples), len(self.labels))
        texts = [example.text for example in examples]
        truth = label_flags(examples, self.labels)
        named = few and self.exclusive
        if named:
            names, numbers = names_as_texts(self.labels)
            texts += names
            truth = np.concatenate([truth, np.eye(len(self.labels), dtype=np.bool_)[numbers]])
        how = Descent(
            epochs=settings.n_iter or 1,
            rate=settings.learn_rate or _RATES[self.exclusive],
            batch=settings.batch_size or 1,
            dropout=settings.dropout or 0.0,
            smoothing=0.0 if named else _SMOOTHING[self.exclusive],
            averaged=0 if named else min(_AVERAGED, settings.n_iter or 1),
            seed=settings.seed,
        )
        self.layer = SparseLinear(len(self.labels), Reading(), exclusive=self.exclusive)
        return LinearFitting(self.layer, texts, truth, how, held_out)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, labels)."""
        return self.layer.logits(texts)

    def judged(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits, of shape (texts, labels), and the nearness to the learnt texts, of shape (texts,) (recipes.familiarity)."""
        return self.layer.judged(texts)

    def words(self, text: str) -> list[str]:
        """The words whose contributions are told."""
        return words_of(text, scripts=self.layer.reading.scripts)

    def contributions(self, text: str, label: str) -> tuple[float, list[ExplainedWord]]:
        """The label's bias, and the contribution of each word to its logit. Together they add up to the logit."""
        number, words = self.labels.index(label), self.words(text)
        added = self.layer.contributions(words, number).tolist()
        places = spans(text, scripts=self.layer.reading.scripts)
        explained = [ExplainedWord(word, added[place], *(places[place] if places else (None, None))) for place, word in enumerate(words)]
        return float(self.layer.bias[number]), explained

    @property
    def nbytes(self) -> int:
        """The bytes in memory."""
        return self.layer.nbytes

    def to_bytes(self) -> bytes:
        return self.layer.to_bytes()

    def from_bytes(self, weights: bytes) -> Classifier:
        """Load the weights of a classifier with the same labels and exclusiveness."""
        self.layer = SparseLinear.from_bytes(weights)
        return self
