"""The recipe "sentence": a frozen sentence encoder and a trained head over its vectors.

The head is kernel ridge regression up to some thousands of texts, and a small network above.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder, maxout
from winnow.recipes.few import is_few, names_as_texts
from winnow.recipes.kernel_ridge import KernelFitting, KernelRidge
from winnow.recipes.label_matrix import label_flags
from winnow.recipes.maxout import MaxoutHead
from winnow.recipes.windows import MOST_WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding
    from winnow.recipes.maxout_fitting import MaxoutFitting

NAME = "sentence"

# The kernel's matrix for more texts doesn't fit into a training's memory: 0.9 GB.
MOST_OF_A_KERNEL = 15_000
# The ridge's strength with few texts (True) and with many: found on folds of training sets.
_RIDGES = {True: 0.1, False: 0.03}
_READ_AT_ONCE = 256


def settings(chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters, with defaults for those that the client left out. A kernel is solved directly and uses none."""
    if texts <= MOST_OF_A_KERNEL:
        return replace(chosen, n_iter=1, dropout=None, batch_size=None, learn_rate=None)
    return replace(
        chosen,
        n_iter=chosen.n_iter or maxout.EPOCHS,
        dropout=maxout.DROPOUT if chosen.dropout is None else chosen.dropout,
        batch_size=chosen.batch_size or maxout.BATCH,
        learn_rate=chosen.learn_rate or maxout.LEARN_RATE,
    )


class Classifier:
    """A text classifier. `fitting` trains it, and `from_bytes` restores it from `to_bytes`.

    encoding: the sentence encoder; None means the layer's. windows: the most that it reads of a text (recipes.windows).
    """

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str, encoding: Encoding | None = None) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self.encoding = encoding or encoder.installed()
        self.windows = MOST_WINDOWS
        self.head: KernelRidge | MaxoutHead = KernelRidge()

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        return (self.encoding,)

    def fitting(self, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str] = ()) -> SentenceFitting:
        """A new training on the examples. held_out: texts for a score after each pass."""
        return SentenceFitting(self, examples, settings, held_out)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, labels)."""
        return self.head.logits(self.vectors(texts))

    def judged(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits, of shape (texts, labels), and the nearness to the learnt texts, of shape (texts,) (recipes.familiarity)."""
        return self.head.judged(self.vectors(texts))

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1."""
        return self.encoding.vectors(texts, self.windows)

    @property
    def learnt_vectors(self) -> list[NDArray[np.float32]]:
        """The vectors of the learnt texts, of shape (n, d), those of label names last. None of a head that doesn't keep them."""
        return [self.head.learnt] if isinstance(self.head, KernelRidge) else []

    @property
    def nbytes(self) -> int:
        """The bytes in memory, without the shared encoder."""
        return self.head.nbytes

    def to_bytes(self) -> bytes:
        """The head and its encoder's digest, without the encoder."""
        file = io.BytesIO()
        kind = "kernel" if isinstance(self.head, KernelRidge) else "maxout"
        about = {"kind": np.array(kind), "encoder": np.array([self.encoding.name, self.encoding.digest]), "windows": np.array(self.windows)}
        np.savez(file, allow_pickle=False, **about, **self.head.arrays())
        return file.getvalue()

    def from_bytes(self, weights: bytes) -> Classifier:
        """Load the head of a classifier with the same labels and exclusiveness. Raises EncoderError if it needs another encoder."""
        with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
            self.encoding = encoder.with_digest(self.encoding, *arrays["encoder"].tolist())
            # Before the release with windows, classifiers read one.
            self.windows = int(arrays["windows"]) if "windows" in arrays else 1
            self.head = (KernelRidge if str(arrays["kind"]) == "kernel" else MaxoutHead).from_arrays(arrays)
        return self


class SentenceFitting:
    """A Fitting (recipes.fitting) of a Classifier: it trains the head on the texts' vectors."""

    def __init__(self, classifier: Classifier, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str]) -> None:
        self._classifier, self._settings = classifier, settings
        self._texts, self._held_out = [example.text for example in examples], held_out
        self._truth = label_flags(examples, classifier.labels)
        # The settings count all texts. The fitting on a part and the fitting on everything must have the same kind of head.
        self._kernel = settings.batch_size is None
        self._few = is_few(len(examples), len(classifier.labels))
        self._contrast = self._few and classifier.exclusive
        if self._contrast:
            names, numbers = names_as_texts(classifier.labels)
            self._texts += names
            self._truth = np.concatenate([self._truth, np.eye(len(classifier.labels), dtype=np.bool_)[numbers]])
        # Set once the texts have vectors.
        self._head: KernelFitting | MaxoutFitting

    @property
    def epochs(self) -> int:
        return self._head.epochs

    @property
    def loss(self) -> float:
        return self._head.loss

    @property
    def share(self) -> float:
        return self._head.share

    def begin(self) -> Iterator[None]:
        vectors = yield from self._vectors_of(self._texts)
        held_out = yield from self._vectors_of(self._held_out)
        self._head = self._fitting_of(vectors, held_out)
        yield from self._head.begin()

    def _vectors_of(self, texts: Sequence[str]) -> Generator[None, None, NDArray[np.float32]]:
        found = [np.empty((0, 0), np.float32)]
        for start in range(0, len(texts), _READ_AT_ONCE):
            found.append(self._classifier.vectors(texts[start : start + _READ_AT_ONCE]))
            yield
        return np.concatenate(found[1:] or found)

    def run_epoch(self) -> Iterator[None]:
        yield from self._head.run_epoch()
        self._classifier.head = self._head.head()

    def held_out_logits(self) -> NDArray[np.float32]:
        return self._head.held_out_logits()

    def finish(self) -> None:
        self._head.finish()
        self._classifier.head = self._head.head()

    def save(self) -> dict[str, NDArray[Any]]:
        return self._head.save()

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self._head.resume(saved)
        self._classifier.head = self._head.head()

    def _fitting_of(self, vectors: NDArray[np.float32], held_out: NDArray[np.float32]) -> KernelFitting | MaxoutFitting:
        exclusive, settings = self._classifier.exclusive, self._settings
        if self._kernel:
            return KernelFitting(vectors, self._truth, _RIDGES[self._few], held_out, exclusive=exclusive, contrast=self._contrast)
        from winnow.recipes.maxout_fitting import MaxoutFitting  # noqa: PLC0415 - it imports thinc, which prediction doesn't need

        how = maxout.How(
            epochs=settings.n_iter or maxout.EPOCHS,
            rate=settings.learn_rate or maxout.LEARN_RATE,
            dropout=maxout.DROPOUT if settings.dropout is None else settings.dropout,
            batch=settings.batch_size or maxout.BATCH,
            seed=settings.seed,
        )
        return MaxoutFitting(vectors, self._truth, how, held_out, exclusive=exclusive)
