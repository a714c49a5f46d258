"""The recipes "light" and "best": a weighted mean of the logits of "linear" (the words) and of one or two "sentence" heads (the meaning).

The mean of logarithms is a product of experts (Hinton 1999). The mean of probabilities is measurably worse.

A text can be asked in stages, the cheapest part first: the words alone, then with the first encoder, then with the second too. Each stage
goes on with what the stages before it computed (recipes.artifact decides where a text stops).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import arrays, linear, sentence
from winnow.recipes.encoder import MULTILINGUAL
from winnow.recipes.few import is_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding
    from winnow.recipes.fitting import Fitting

    Floats = NDArray[np.float32]

# Two weights, for exclusive labels with few and with many texts, and for other labels: that of the sentences' logits beside those of the
# words, and among the sentences that of the first encoder beside the second. Found on folds of training sets.
_SHARES = {"few": (0.7, 0.2), "many": (0.6, 0.4), "multilabel": (0.4, 0.5)}
# With many texts and a single encoder.
_SHARES_OF_ONE = (0.5, 0.5)
WORDS, _SENTENCE = "words", "sentence"
_SHARE = "share"


def settings(chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters, with defaults for those that the client left out. They are linear's, whose passes are counted."""
    return linear.settings(chosen, texts, labels, exclusive=exclusive)


class Asked(NamedTuple):
    """What a stage says about n texts, and what the next stage needs.

    logits: of shape (n, C). nearness: to the learnt texts, of shape (n,) (recipes.familiarity). words: the logits of the words, and
    sentences: the weighted mean of the logits of the sentences so far; both of shape (n, C).
    """

    logits: Floats
    nearness: Floats
    words: Floats
    sentences: Floats | None = None

    def of(self, places: NDArray[np.intp]) -> Asked:
        """The same of some of the texts."""
        return Asked(*(None if each is None else each[places] for each in self))  # type: ignore[arg-type]


class Mixture:
    """A text classifier. `fitting` trains it, and `from_bytes` restores it from `to_bytes`.

    encodings: one or two sentence encoders, the cheaper one first. cascade: whether each stage is calibrated, so that it can answer.
    """

    cascade = False

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str, encodings: Sequence[Encoding] = ()) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self.words = linear.Classifier(labels, exclusive=exclusive, language=language)
        self._sentences = [self._of_encoding(encoding) for encoding in encodings] or [self._of_encoding(None)]
        # The weights of parts that were not needed yet, by their place, and the bytes of all of them in memory.
        self._waiting: dict[int, Callable[[], bytes]] = {}
        self._expected = 0
        self.shares = _SHARES["multilabel"]

    def _of_encoding(self, encoding: Encoding | None) -> sentence.Classifier:
        return sentence.Classifier(self.labels, exclusive=self.exclusive, language=self.language, encoding=encoding)

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        return tuple(each.encoding for each in self._sentences)

    @property
    def sentences(self) -> list[sentence.Classifier]:
        """The classifiers by sentence vectors, one for each encoder."""
        return [self._sentence(place) for place in range(len(self._sentences))]

    @property
    def learnt_vectors(self) -> list[Floats]:
        """The vectors of the learnt texts by each encoder (recipes.sentence)."""
        return [vectors for each in self.sentences for vectors in each.learnt_vectors]

    @property
    def stage_names(self) -> tuple[str, ...]:
        """The names of the recipes that answer as the stages do. The last stage is the whole mixture."""
        return "linear", *("light" if encoding.name == MULTILINGUAL else "best" for encoding in self.encodings)

    def fitting(self, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str] = ()) -> MixtureFitting:
        """A new training on the examples. held_out: texts for a score after each pass."""
        if not self.exclusive:
            self.shares = _SHARES["multilabel"]
        elif is_few(len(examples), len(self.labels)):
            self.shares = _SHARES["few"]
        else:
            self.shares = _SHARES["many"] if len(self._sentences) > 1 else _SHARES_OF_ONE
        return MixtureFitting(self, examples, settings, held_out)

    def logits(self, texts: Sequence[str]) -> Floats:
        """Of shape (texts, labels)."""
        return self.judged(texts)[0]

    def judged(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Logits, of shape (texts, labels), and the nearness to the learnt texts, of shape (texts,) (recipes.familiarity)."""
        [*_, last] = self.staged(texts)
        return last.logits, last.nearness

    def staged(self, texts: Sequence[str]) -> Iterator[Asked]:
        """What each stage says about the texts."""
        asked = None
        for stage in range(1 + len(self._sentences)):
            asked = self.ask(stage, texts, asked)
            yield asked

    def ask(self, stage: int, texts: Sequence[str], before: Asked | None) -> Asked:
        """What a stage says about texts. before: what the stage before it said about the same texts."""
        if before is None:
            logits, nearness = self.words.judged(texts)
            return Asked(logits, nearness, logits)
        logits, nearness = self._sentence(stage - 1).judged(texts)
        sentences = self.joined(logits if before.sentences is None else before.sentences, logits)
        return Asked(self.mixed(before.words, sentences), nearness, before.words, sentences)

    def joined(self, light: Floats, other: Floats) -> Floats:
        """The weighted mean of the logits of both sentences, of shape (texts, labels). With a single encoder they are the same."""
        return light if light is other else _mean(other, light, self.shares[1])

    def mixed(self, words: Floats, sentences: Floats) -> Floats:
        """The weighted mean of both logits, of shape (texts, labels)."""
        return _mean(words, sentences, self.shares[0])

    @property
    def nbytes(self) -> int:
        """The bytes in memory once all parts are loaded, without the shared encoders."""
        if self._waiting:
            return self._expected
        return self.words.nbytes + sum(each.nbytes for each in self._sentences)

    def parts(self) -> dict[str, bytes]:
        """The weights of each part, by its name."""
        parts = {WORDS: self.words.to_bytes()}
        return parts | {_name(place): each.to_bytes() for place, each in enumerate(self.sentences)}

    def from_parts(self, shares: Sequence[float], read: Callable[[str], bytes], nbytes: int) -> Mixture:
        """Load the weights of a classifier with the same labels and encoders. Those of an encoder are read when a text needs them.

        read: from a part's name to its weights. nbytes: of the whole classifier in memory.
        """
        self.shares, self._expected = (shares[0], shares[1]), nbytes
        self.words.from_bytes(read(WORDS))
        self._waiting = {place: partial(read, _name(place)) for place in range(len(self._sentences))}
        return self

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        parts = {name: np.frombuffer(part, np.uint8) for name, part in self.parts().items()}
        np.savez(file, allow_pickle=False, **{_SHARE: np.array(self.shares)}, **parts)
        return file.getvalue()

    def from_bytes(self, weights: bytes) -> Mixture:
        """Load the weights of a classifier with the same labels and exclusiveness. Raises EncoderError like "sentence"."""
        found = arrays.read(weights)
        # Earlier releases had one encoder, and so one share.
        self.shares = tuple([*np.atleast_1d(found[_SHARE]).tolist(), 0.0][:2])
        self.words.from_bytes(found[WORDS].tobytes())
        parts = [found[name].tobytes() for place in range(len(found)) if (name := _name(place)) in found]
        # spaCy makes a classifier before it knows the encoders.
        self._sentences = [*self._sentences, *(self._of_encoding(None) for _ in parts)][: len(parts)]
        for each, part in zip(self._sentences, parts, strict=True):
            each.from_bytes(part)
        return self

    def _sentence(self, place: int) -> sentence.Classifier:
        found = self._sentences[place]
        if place in self._waiting:
            found.from_bytes(self._waiting[place]())
            del self._waiting[place]
        return found


def parts_in(weights: bytes) -> dict[str, bytes]:
    """The `parts` in what `Mixture.to_bytes` returned."""
    return {name: part.tobytes() for name, part in arrays.read(weights).items() if name != _SHARE}


def _mean(one: Floats, other: Floats, share: float) -> Floats:
    """The weighted mean of two arrays. share: the weight of the other one."""
    return one * np.float32(1 - share) + other * np.float32(share)


def _name(place: int) -> str:
    """The name of the part of an encoder. Earlier releases had one encoder."""
    return _SENTENCE if place == 0 else f"{_SENTENCE}-{place + 1}"


class MixtureFitting:
    """A Fitting (recipes.fitting) of a Mixture. The first pass fits each "sentence" completely, then does the first pass of "linear"."""

    def __init__(self, classifier: Mixture, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str]) -> None:
        self._classifier = classifier
        # The client's rate and number of passes are for "linear". "sentence" uses its own.
        texts, labels = len(examples) + len(held_out), len(classifier.labels)
        of_sentence = sentence.settings(Hyperparameters(seed=settings.seed), texts, labels, exclusive=classifier.exclusive)
        self._passes = of_sentence.n_iter or 1
        self._sentences = [each.fitting(examples, of_sentence, held_out) for each in classifier.sentences]
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
        fitted = sum((each.epochs + each.share) / self._passes for each in self._sentences)
        return (fitted + self._words.share) / (len(self._sentences) + 1)

    def begin(self) -> Iterator[None]:
        for each in self._sentences:
            yield from each.begin()
        yield from self._words.begin()

    def run_epoch(self) -> Iterator[None]:
        for each in self._sentences:
            while each.epochs < self._passes:
                yield from each.run_epoch()
        yield from self._words.run_epoch()

    def held_out_logits(self) -> Floats:
        logits = [each.held_out_logits() for each in self._sentences]
        return self._classifier.mixed(self._words.held_out_logits(), self._classifier.joined(logits[0], logits[-1]))

    def finish(self) -> None:
        for each in self._sentences:
            each.finish()
        self._words.finish()

    def save(self) -> dict[str, NDArray[Any]]:
        parts = {WORDS: self._words.save()} | {_name(place): each.save() for place, each in enumerate(self._sentences)}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        fittings: dict[str, Fitting] = {WORDS: self._words} | {_name(place): each for place, each in enumerate(self._sentences)}
        for part, fitting in fittings.items():
            fitting.resume({name.removeprefix(f"{part}."): array for name, array in saved.items() if name.startswith(f"{part}.")})
