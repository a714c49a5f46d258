"""A linear layer over sparse features, with rows only for known features. numpy only: prediction needs nothing more.

Trained by stochastic gradient descent on the true cross-entropy: of a softmax for exclusive labels, of sigmoids for others.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from winnow.recipes import arrays
from winnow.recipes.features import SPACE, Bags, Features, Reading, bags, known_share, read, sources, without_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The bias's share of the rate.
_BIAS_RATE = np.float32(0.1)
# A model must fit into a function's memory, however many labels it has: 256 MB.
_MOST_WEIGHTS = 64_000_000


class SparseLinear:
    """Logits of texts. labels: their number C. reading: how texts become features.

    weights: of shape (rows, C), with some spare rows while `learn` adds rows. bias: of shape (C,).
    """

    def __init__(self, labels: int, reading: Reading, *, exclusive: bool) -> None:
        self.reading = reading
        self.exclusive = exclusive
        self._row_of = np.full(SPACE, -1, np.int32)
        self._rows = 0
        self._idf = np.ones(0, np.float32)
        self.weights = np.zeros((0, labels), np.float32)
        self.bias = np.zeros(labels, np.float32)
        self._gradients: list[tuple[Features, NDArray[np.float32]]] = []

    @property
    def nbytes(self) -> int:
        """The bytes in memory."""
        return sum(array.nbytes for array in (self._row_of, self._idf, self.weights, self.bias))

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, C). Features without a row are ignored."""
        return self.logits_of([features for part in read(texts, self.reading) for features in self.weighed(part).each()])

    def judged(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits, of shape (texts, C), and the share of each text's features that have a row, of shape (texts,).

        The share is 0 for a text without words.
        """
        logits, shares = [np.empty((0, len(self.bias)), np.float32)], [np.empty(0, np.float32)]
        for part in read(texts, self.reading):
            logits.append(self.logits_of(self.weighed(part).each()))
            shares.append(known_share(part, self._row_of.take(part.places) >= 0))
        return np.concatenate(logits), np.where(without_words(texts), np.float32(0), np.concatenate(shares))

    def logits_of(self, texts: Sequence[Features]) -> NDArray[np.float32]:
        """Logits of texts that `weighed` returned."""
        found = np.empty((len(texts), len(self.bias)), np.float32)
        for place, (rows, values) in enumerate(texts):
            found[place] = values @ self.weights.take(rows, axis=0)
        return found + self.bias

    def contributions(self, words: Sequence[str], label: int) -> NDArray[np.float64]:
        """The contribution of each word (words.words_of) to the logit of one label, of shape (words,).

        label: the label's number. The contributions and the bias add up to the logit. A pair gives half to each of its words, an n-gram of
        a script without spaces the same to each of its characters. Features that share a place divide its contribution by how often each
        occurs.
        """
        [(rows, values)] = self.weighed(bags([words], self.reading)).each()
        each = values.astype(np.float64) * self.weights[rows, label]
        found = sources(words, self.reading)
        of = self._row_of[found.places]
        known = of >= 0
        order = np.argsort(rows)
        which = order[np.searchsorted(rows, of[known], sorter=order)]
        parts = found.parts[known]
        shares = parts / np.bincount(which, parts, len(rows))[which]
        return np.bincount(found.words[known], shares * each[which], len(words))

    def activated(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of logits, of the same shape."""
        return softmax(logits) if self.exclusive else sigmoid(logits)

    def learn(self, texts: Sequence[str], gradients: NDArray[np.float32]) -> None:
        """Keep the gradients of the logits, of shape (texts, C), for `descend`. New features get rows."""
        if not self.weights.flags.writeable:
            self.weights, self.bias = self.weights.copy(), self.bias.copy()
        for text, gradient in zip(texts, gradients, strict=True):
            [found] = read([text], self.reading)
            self._grow(found.places)
            self._gradients.append((self.weighed(found).each()[0], gradient))

    def descend(self, rate: float) -> None:
        """Take one step against the kept gradients."""
        for (rows, values), gradient in self._gradients:
            scaled = gradient * np.float32(rate)
            self.weights[rows] -= np.outer(values, scaled)
            self.bias -= scaled * _BIAS_RATE
        self._gradients.clear()

    def to_bytes(self) -> bytes:
        """The known rows, as a numpy archive."""
        file = io.BytesIO()
        places = np.flatnonzero(self._row_of >= 0).astype(np.int32)
        rows = self._row_of[places]
        np.savez(
            file,
            form=np.array([self.reading.shortest, self.exclusive, self.reading.scripts]),
            places=places,
            idf=self._idf[rows],
            weights=self.weights[rows],
            bias=self.bias,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, archive: bytes) -> SparseLinear:
        """The layer from `to_bytes`. Its arrays use the archive's memory until it learns."""
        found = arrays.read(archive)
        # Before the release with rules for scripts, the form had two numbers.
        shortest, exclusive, scripts = [*found["form"].tolist(), 0][:3]
        made = cls(len(found["bias"]), Reading(shortest, bool(scripts)), exclusive=bool(exclusive))
        places = found["places"]
        made._row_of[places] = np.arange(len(places), dtype=np.int32)
        made._rows = len(places)
        made._idf, made.weights, made.bias = found["idf"], found["weights"], found["bias"]
        return made

    def keep_gradient(self, text: Features, target: NDArray[np.float32]) -> float:
        """Keep the cross-entropy's gradient for one text and return its loss."""
        rows, values = text
        logits = values @ self.weights[rows] + self.bias
        if self.exclusive:
            logits -= logits.max()
            scores = np.exp(logits)
            total = scores.sum()
            scores /= total
            loss = np.log(total) - target @ logits
        else:
            scores = sigmoid(logits)
            loss = (np.logaddexp(0, logits) - target * logits).sum()
        self._gradients.append((text, scores - target))
        return float(loss)

    def begin(self, found: Sequence[Bags]) -> None:
        """Reset: a row for each feature, with its inverse document frequency. If there are too many, keep the most frequent."""
        frequency, texts = np.zeros(SPACE, np.int64), sum(each.texts for each in found)
        for each in found:
            frequency += np.bincount(each.places, minlength=SPACE)
        seen = np.flatnonzero(frequency)
        most = max(1, _MOST_WEIGHTS // len(self.bias))
        if len(seen) > most:
            seen = np.sort(seen[np.argsort(-frequency[seen], kind="stable")[:most]])
        self._row_of.fill(-1)
        self._rows = 0
        self.weights = np.zeros((0, len(self.bias)), np.float32)
        self.bias = np.zeros_like(self.bias)
        self._grow(seen.astype(np.int32))
        self.weights = self.weights[: self._rows]
        self._idf = (np.log((1 + texts) / (1 + frequency[seen])) + 1).astype(np.float32)

    def _grow(self, places: NDArray[np.int32]) -> None:
        new = places[self._row_of[places] < 0]
        self._row_of[new] = np.arange(self._rows, self._rows + len(new), dtype=np.int32)
        self._rows += len(new)
        if self._rows > len(self.weights):
            more = max(self._rows, 2 * len(self.weights)) - len(self.weights)
            self.weights = np.concatenate([self.weights, np.zeros((more, self.weights.shape[1]), np.float32)])
            self._idf = np.concatenate([self._idf[: len(self.weights) - more], np.ones(more, np.float32)])

    def weighed(self, found: Bags) -> Bags:
        """The same texts with rows instead of places, without unknown features. Values are weighted by idf, then scaled to length 1."""
        rows = self._row_of.take(found.places)
        [known] = (rows >= 0).nonzero()
        rows, of = rows.take(known), found.of.take(known)
        values = found.values.take(known) * self._idf.take(rows)
        values /= np.sqrt(np.bincount(of, values * values, found.texts))[of].astype(np.float32)
        return Bags(found.texts, of, rows, values)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each logit."""
    return np.asarray((np.tanh(logits / 2) + 1) / 2, np.float32)
