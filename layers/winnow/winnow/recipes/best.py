"""The recipe "best": a weighted mean of the logits of "linear" (the words) and "sentence" (the meaning).

The mean of logarithms is a product of experts (Hinton 1999). The mean of probabilities is measurably worse.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import arrays, linear, sentence
from winnow.recipes.few import is_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding

NAME = "best"

# The weight of the sentence's logits: for exclusive labels with few and with many texts, and for other labels. Found on folds of training
# sets.
_SHARES = {"few": 0.7, "many": 0.5, "multilabel": 0.4}


def settings(chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters, with defaults for those that the client left out. They are linear's, whose passes are counted."""
    return linear.settings(chosen, texts, labels, exclusive=exclusive)


class Classifier:
    """A text classifier. `fitting` trains it, and `from_bytes` restores it from `to_bytes`.

    encoding: the sentence encoder; None means the layer's.
    """

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str, encoding: Encoding | None = None) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self.words = linear.Classifier(labels, exclusive=exclusive, language=language)
        self.sentence = sentence.Classifier(labels, exclusive=exclusive, language=language, encoding=encoding)
        self.share = _SHARES["multilabel"]

    @property
    def encoding(self) -> Encoding:
        return self.sentence.encoding

    def fitting(self, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str] = ()) -> BestFitting:
        """A new training on the examples. held_out: texts for a score after each pass."""
        size = "few" if is_few(len(examples), len(self.labels)) else "many"
        self.share = _SHARES[size if self.exclusive else "multilabel"]
        return BestFitting(self, examples, settings, held_out)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, labels)."""
        return self.mixed(self.words.logits(texts), self.sentence.logits(texts))

    def judged(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits, of shape (texts, labels), and the nearness to the learnt texts, of shape (texts,) (recipes.familiarity)."""
        sentences, nearness = self.sentence.judged(texts)
        return self.mixed(self.words.logits(texts), sentences), nearness

    def mixed(self, words: NDArray[np.float32], sentences: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weighted mean of both logits, of shape (texts, labels)."""
        return words * np.float32(1 - self.share) + sentences * np.float32(self.share)

    @property
    def nbytes(self) -> int:
        """The bytes in memory, without the shared encoder."""
        return self.words.nbytes + self.sentence.nbytes

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        words, sentences = (np.frombuffer(part.to_bytes(), np.uint8) for part in (self.words, self.sentence))
        np.savez(file, allow_pickle=False, share=np.array(self.share), words=words, sentence=sentences)
        return file.getvalue()

    def from_bytes(self, weights: bytes) -> Classifier:
        """Load the weights of a classifier with the same labels and exclusiveness. Raises EncoderError like "sentence"."""
        found = arrays.read(weights)
        self.share = float(found["share"])
        self.words.from_bytes(found["words"].tobytes())
        self.sentence.from_bytes(found["sentence"].tobytes())
        return self


class BestFitting:
    """A Fitting (recipes.fitting) of a Classifier. The first pass fits "sentence" completely, then does the first pass of "linear"."""

    def __init__(self, classifier: Classifier, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str]) -> None:
        self._classifier = classifier
        # The client's rate and number of passes are for "linear". "sentence" uses its own.
        texts, labels = len(examples) + len(held_out), len(classifier.labels)
        of_sentence = sentence.settings(Hyperparameters(seed=settings.seed), texts, labels, exclusive=classifier.exclusive)
        self._passes = of_sentence.n_iter or 1
        self._sentence = classifier.sentence.fitting(examples, of_sentence, held_out)
        self._words = classifier.words.fitting(examples, settings, held_out)

    @property
    def epochs(self) -> int:
        return self._words.epochs

    @property
    def loss(self) -> float:
        return self._words.loss

    @property
    def share(self) -> float:
        if self._words.epochs:
            return self._words.share
        return ((self._sentence.epochs + self._sentence.share) / self._passes + self._words.share) / 2

    def begin(self) -> Iterator[None]:
        yield from self._sentence.begin()
        yield from self._words.begin()

    def run_epoch(self) -> Iterator[None]:
        while self._sentence.epochs < self._passes:
            yield from self._sentence.run_epoch()
        yield from self._words.run_epoch()

    def held_out_logits(self) -> NDArray[np.float32]:
        return self._classifier.mixed(self._words.held_out_logits(), self._sentence.held_out_logits())

    def finish(self) -> None:
        self._sentence.finish()
        self._words.finish()

    def save(self) -> dict[str, NDArray[Any]]:
        parts = {"sentence": self._sentence.save(), "words": self._words.save()}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        for part, fitting in (("sentence", self._sentence), ("words", self._words)):
            fitting.resume({name.removeprefix(f"{part}."): array for name, array in saved.items() if name.startswith(f"{part}.")})
