"""The recipe "cnn": subword hash embeddings, a small convolution, their mean and maximum, and softmax or sigmoids.

The architecture is registered as winnow.TextCatCNN.v1. It is spaCy's TextCatReduce (https://spacy.io/api/architectures#TextCatReduce) over
MultiHashEmbed (hash embeddings: Serrà and Karatzoglou 2017, arXiv 1706.03993) and MaxoutWindowEncoder. Unlike spaCy's, its gradient for
independent labels is that of the true cross-entropy, not of the squared error.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example as SpacyExample
from spacy.util import get_lang_class, registry
from thinc.api import Adam, Linear, Model, Softmax, chain, concatenate, fix_random_seed, list2ragged, reduce_max, reduce_mean

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import arrays, optimizer_state
from winnow.recipes.calibration import scores_of
from winnow.recipes.cnn_layers import Ops
from winnow.recipes.features import SPACE, Reading, known_share, read, without_words
from winnow.recipes.text import break_long_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.language import Language

NAME = "cnn"

_DROPOUT = 0.2
_LEARN_RATE = 0.003
_BATCH = 16
_LEAST_SCORE = 1e-7
_SCORED_AT_ONCE = 256
_OPS = Ops()
# The reading of the known features. It has stayed the same since they exist, because an artifact does not name it.
_READING = Reading(shortest=3, scripts=False)
_LOOSE_PREFIX = "|<a([^>]+)>"
# The first bytes of a zip file, which a numpy archive is.
_ARCHIVE = b"PK"
KNOWN = "known"
"""The attribute of the pipeline's model with the known features, packed."""
# The strings that the vocabulary keeps beyond the language's own, up to five per word. Frequent words are among the first. (A hundred texts
# of Banking77 took 17 ms with kept words and 25 ms without.) Longer texts are not kept: one alone could exceed the bound.
_KEPT_STRINGS, _MOST_CHARACTERS_KEPT = 10_000, 1_000
# The vocabulary is renewed after this many words beyond the language's own, kept or not.
_MOST_WORDS = 100_000
# The bytes of a tokenizer with its rules and a vocabulary, and of each word of the language. Most words are rules: some languages have
# 30,000.
_LANGUAGE_TAKES, _WORD_TAKES = 700_000, 1_500
# The number of passes that shows the optimizer about this many texts, within bounds.
_TEXTS_SEEN, _FEWEST_EPOCHS, _MOST_EPOCHS = 100_000, 10, 20

_MODEL = {
    "@architectures": "winnow.TextCatCNN.v1",
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "winnow.EmbedOnce.v1",
            "embed": {
                "@architectures": "spacy.MultiHashEmbed.v2",
                "width": 96,
                "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
                "rows": [5000, 1000, 2500, 2500],
                "include_static_vectors": False,
            },
        },
        "encode": {"@architectures": "spacy.MaxoutWindowEncoder.v2", "width": 96, "depth": 2, "window_size": 1, "maxout_pieces": 3},
    },
}


@registry.architectures("winnow.TextCatCNN.v1")  # type: ignore[untyped-decorator]
def cnn_model(
    tok2vec: Model[list[Doc], Any],
    exclusive_classes: bool,
    temperature: float | None = None,
    nO: int | None = None,  # noqa: N803
) -> Model[list[Doc], Any]:
    """From documents to scores, of shape (documents, nO): the maximum and the mean of the tokens' vectors, and one layer.

    temperature: the logits are divided by it.
    """
    width = 2 * tok2vec.get_dim("nO")
    pooled: Model[list[Doc], Any] = chain(tok2vec, list2ragged(), concatenate(reduce_max(), reduce_mean()))
    output = Softmax(nO=nO, nI=width) if exclusive_classes else chain(Linear(nO=nO, nI=width), independent_sigmoids())
    model: Model[list[Doc], Any] = chain(pooled, output)
    if temperature is not None:
        model = chain(model, tempered(temperature, exclusive=exclusive_classes))
    model.attrs["multi_label"] = not exclusive_classes
    return model


def tempered(temperature: float, *, exclusive: bool) -> Model[Any, Any]:
    """The scores with their logits divided by the temperature. Like spaCy's last layers it takes scores minus truth as the gradient."""

    def forward(model: Model[Any, Any], scores: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
        return scores_of(_logits(scores, exclusive=exclusive), temperature, exclusive=exclusive), lambda gradients: gradients / temperature

    return Model("winnow_tempered", forward)


def _logits(scores: Any, *, exclusive: bool) -> NDArray[np.float32]:
    """The logits of scores. With exclusive labels, each row has an unknown constant added."""
    scores = np.clip(scores, _LEAST_SCORE, 1 - _LEAST_SCORE)
    found: NDArray[np.float32] = np.log(scores) if exclusive else np.log(scores / (1 - scores))
    return found


def independent_sigmoids() -> Model[Any, Any]:
    """Sigmoids that take scores minus truth as the gradient of the cross-entropy of their input."""

    def forward(model: Model[Any, Any], logits: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
        return model.ops.sigmoid(logits), lambda gradients: gradients

    return Model("winnow_sigmoids", forward)


def settings(chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters, with defaults for those that the client left out."""
    return replace(
        chosen,
        n_iter=chosen.n_iter or min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, _TEXTS_SEEN // max(1, texts))),
        dropout=_DROPOUT if chosen.dropout is None else chosen.dropout,
        batch_size=chosen.batch_size or _BATCH,
        learn_rate=chosen.learn_rate or _LEARN_RATE,
    )


def language_class(code: str) -> type[Language]:
    """spaCy's class of a language, with the same tokens in less time.

    In id and ms one alternative of the prefixes isn't tied to the beginning of a word, so that all hundred were tried at each character:
    64 characters of punctuation took 4 ms instead of 1.
    """
    found = get_lang_class(code)
    prefixes = [piece for piece in cast("Sequence[str]", found.Defaults.prefixes) if piece.strip()]
    if not any(piece.endswith(_LOOSE_PREFIX) for piece in prefixes):
        return found
    tied = "|".join(piece.removesuffix(_LOOSE_PREFIX) for piece in prefixes)
    defaults = type("Defaults", (found.Defaults,), {"prefixes": [f"(?:{tied}){_LOOSE_PREFIX}"]})
    return type(found.__name__, (found,), {"Defaults": defaults})


class Classifier:
    """A text classifier. `fitting` trains it, and `from_bytes` restores it from `to_bytes`."""

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self.nlp: Language = language_class(language).from_config()
        # The places of the features of the learnt texts (recipes.features).
        self._known: NDArray[np.bool_] = np.zeros(SPACE, np.bool_)
        self._own_strings, self._own_words = len(self.nlp.vocab.strings), len(self.nlp.vocab)
        name = "textcat" if exclusive else "textcat_multilabel"
        config = {"model": {**_MODEL, "exclusive_classes": exclusive, "nO": len(labels)}}
        self.textcat = cast("Any", self.nlp.add_pipe(name, config=config))
        for node in self.textcat.model.walk():
            node.ops = _OPS

    def fitting(self, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str] = ()) -> CnnFitting:
        """A new training on the examples. held_out: texts for a score after each pass."""
        return CnnFitting(self, examples, settings, held_out)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, labels). With exclusive labels, each row has an unknown constant added."""
        if len(self.nlp.vocab) - self._own_words > _MOST_WORDS:
            self._begin_vocabulary()
        scores = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for start in range(0, len(texts), _SCORED_AT_ONCE):
            part = texts[start : start + _SCORED_AT_ONCE]
            kept = [self._doc(text) for text in takewhile(self._keeps_words_of, part)]
            # The zone removes the other texts' new words. Without it, the vocabulary would grow as long as the process lives.
            with self.nlp.memory_zone():
                scores[start : start + len(part)] = self.textcat.predict(kept + [self._doc(text) for text in part[len(kept) :]])
        return _logits(scores, exclusive=self.exclusive)

    def judged(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits, of shape (texts, labels), and the nearness to the learnt texts, of shape (texts,) (recipes.familiarity)."""
        shares = [np.empty(0, np.float32), *(known_share(part, self._known.take(part.places)) for part in read(texts, _READING))]
        return self.logits(texts), np.where(without_words(texts), np.float32(0), np.concatenate(shares))

    def learn_features(self, texts: Sequence[str]) -> None:
        """Remember the features of the learnt texts, for `judged`."""
        self._known = np.zeros(SPACE, np.bool_)
        for part in read(texts, _READING):
            self._known[part.places] = True

    def initialize(self, examples: Sequence[Example]) -> None:
        """Begin with random weights. examples: some, from which spaCy infers dimensions."""
        first = [self.pair(example) for example in examples]
        # Not `nlp.initialize`: it reads labels from spaCy's config, where ${…} stands for another setting.
        self.textcat.initialize(lambda: first, labels=self.labels)

    def spacy_model(self, temperature: float) -> tuple[dict[str, Any], bytes]:
        """The config of the architecture that gives the same scores in a pipeline, and the weights to load."""
        config, resolved = self._in_pipeline(temperature)
        resolved.layers[0].from_bytes(self.textcat.model.to_bytes())
        # spaCy has no place for familiarity. They are for an import (recipes.imported).
        resolved.attrs[KNOWN] = np.packbits(self._known).tobytes()
        return config, resolved.to_bytes()

    def from_pipeline(self, weights: bytes, known: NDArray[np.uint8]) -> Classifier:
        """Load the weights that `spacy_model` returned, and its known features. The caller has checked both."""
        _, resolved = self._in_pipeline(1.0)
        self.textcat.model.from_bytes(resolved.from_bytes(weights).layers[0].to_bytes())
        self._known = np.unpackbits(known).astype(np.bool_)
        return self

    def _in_pipeline(self, temperature: float) -> tuple[dict[str, Any], Model[Any, Any]]:
        config = {**_MODEL, "exclusive_classes": self.exclusive, "temperature": temperature, "nO": len(self.labels)}
        return config, registry.resolve({"model": config})["model"]

    @property
    def nbytes(self) -> int:
        """The bytes in memory: the weights, and an estimate of what spaCy needs for the language."""
        nodes = self.textcat.model.walk()
        weights = (node.get_param(name) for node in nodes for name in node.param_names if node.has_param(name))
        return _LANGUAGE_TAKES + _WORD_TAKES * self._own_words + self._known.nbytes + sum(int(each.nbytes) for each in weights)

    def to_bytes(self) -> bytes:
        """Everything that training changes: the weights and the known features."""
        file = io.BytesIO()
        np.savez(file, known=np.packbits(self._known), weights=np.frombuffer(self.textcat.model.to_bytes(), np.uint8))
        return file.getvalue()

    def from_bytes(self, weights: bytes) -> Classifier:
        """Load what training changed in a classifier with the same language, labels and exclusiveness."""
        self.textcat.cfg["labels"] = self.labels
        # Before the release with known features, the bytes were the weights alone.
        if weights.startswith(_ARCHIVE):
            found = arrays.read(weights)
            self._known = np.unpackbits(found["known"]).astype(np.bool_)
            weights = found["weights"].tobytes()
        self.textcat.model.from_bytes(weights)
        return self

    def _begin_vocabulary(self) -> None:
        """Replace the vocabulary: a memory zone frees the words, but not their slots in spaCy's tables, which grow with every new word."""
        made = language_class(self.language).from_config()
        self.nlp.vocab = self.textcat.vocab = made.vocab
        self.nlp.tokenizer = made.tokenizer

    def _keeps_words_of(self, text: str) -> bool:
        """Whether the vocabulary has room for the text's new words."""
        return len(self.nlp.vocab.strings) - self._own_strings < _KEPT_STRINGS and len(text) < _MOST_CHARACTERS_KEPT

    def _doc(self, text: str) -> Doc:
        return self.nlp.make_doc(break_long_runs(text))

    def pair(self, example: Example) -> SpacyExample:
        cats = {label: float(label in example.labels) for label in self.labels}
        return SpacyExample.from_dict(self._doc(example.text), {"cats": cats})


class CnnFitting:
    """A Fitting (recipes.fitting) of a Classifier."""

    def __init__(self, classifier: Classifier, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str]) -> None:
        self.epochs = 0
        self.loss = 0.0
        self._classifier = classifier
        self._examples, self._held_out = examples, held_out
        self._seed, self._dropout = settings.seed, settings.dropout or 0.0
        self._rate, self._batch = settings.learn_rate or _LEARN_RATE, settings.batch_size or _BATCH
        self._updates = (settings.n_iter or 1) * math.ceil(len(examples) / self._batch)
        # Otherwise thinc would keep a mean of all weights, which is not used.
        self._optimizer = Adam(self._rate, use_averages=False)
        # The current epoch: the number of learnt texts and the sum of their losses.
        self._learnt, self._lost = 0, 0.0

    @property
    def share(self) -> float:
        return self._learnt / len(self._examples)

    def begin(self) -> Iterator[None]:
        self._classifier.learn_features([example.text for example in self._examples])
        fix_random_seed(self._seed)
        self._classifier.initialize(self._examples[:100])
        yield

    def run_epoch(self) -> Iterator[None]:
        order = self._order()
        while self._learnt < len(order):
            batch = [self._classifier.pair(self._examples[place]) for place in order[self._learnt : self._learnt + self._batch]]
            done = self.epochs * math.ceil(len(order) / self._batch) + self._learnt // self._batch
            self._optimizer.learn_rate = self._rate * (1 - done / self._updates)
            losses: dict[str, float] = {}
            self._classifier.nlp.update(batch, drop=self._dropout, sgd=self._optimizer, losses=losses)
            self._lost += sum(losses.values())
            self._learnt += len(batch)
            yield
        self.loss = self._lost / len(order)
        self.epochs += 1
        self._learnt, self._lost = 0, 0.0

    def held_out_logits(self) -> NDArray[np.float32]:
        return self._classifier.logits(self._held_out)

    def finish(self) -> None:
        pass

    def save(self) -> dict[str, NDArray[Any]]:
        return {
            "weights": np.frombuffer(self._classifier.to_bytes(), np.uint8),
            "places": np.array([self.epochs, self._learnt]),
            "losses": np.array([self.loss, self._lost]),
            **optimizer_state.saved(self._optimizer, self._classifier.textcat.model),
        }

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self._classifier.from_bytes(saved["weights"].tobytes())
        self.epochs, self._learnt = saved["places"].tolist()
        self.loss, self._lost = saved["losses"].tolist()
        optimizer_state.resume(self._optimizer, self._classifier.textcat.model, saved)

    def _order(self) -> list[int]:
        """The order of this epoch's texts. Every epoch shuffles the order of the epoch before."""
        order, shuffled = list(range(len(self._examples))), random.Random(self._seed)
        for _ in range(self.epochs + 1):
            shuffled.shuffle(order)
        return order
