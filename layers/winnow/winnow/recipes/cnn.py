"""The recipe "cnn": subword hash embeddings, a small convolution over them, and their mean and maximum, softmax or sigmoids on top.

The architecture is registered as winnow.TextCatCNN.v1. It is spaCy's TextCatReduce (https://spacy.io/api/architectures#TextCatReduce)
over MultiHashEmbed (hash embeddings: Serrà and Karatzoglou 2017, arXiv 1706.03993) and MaxoutWindowEncoder, but with the gradient of the
true cross-entropy for independent labels too, where spaCy's is that of the squared error.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import batched
from typing import TYPE_CHECKING, Any

import numpy as np
import spacy
from spacy.tokens import Doc
from spacy.training import Example as SpacyExample
from spacy.util import registry
from thinc.api import Adam, Linear, Model, Softmax, chain, concatenate, fix_random_seed, list2ragged, reduce_max, reduce_mean

from winnow.domain import Example, Hyperparameters
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
# As many passes as give the optimizer about this many texts to learn from, within bounds.
_TEXTS_SEEN, _FEWEST_EPOCHS, _MOST_EPOCHS = 100_000, 10, 20

_MODEL = {
    "@architectures": "winnow.TextCatCNN.v1",
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 96,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": [5000, 1000, 2500, 2500],
            "include_static_vectors": False,
        },
        "encode": {"@architectures": "spacy.MaxoutWindowEncoder.v2", "width": 96, "depth": 2, "window_size": 1, "maxout_pieces": 3},
    },
}


@registry.architectures("winnow.TextCatCNN.v1")  # type: ignore[untyped-decorator]
def cnn_model(tok2vec: Model[list[Doc], Any], exclusive_classes: bool, nO: int | None = None) -> Model[list[Doc], Any]:  # noqa: N803
    """From documents to scores, of shape (documents, nO): the maximum and the mean of the tokens' vectors, and one layer."""
    width = 2 * tok2vec.get_dim("nO")
    pooled: Model[list[Doc], Any] = chain(tok2vec, list2ragged(), concatenate(reduce_max(), reduce_mean()))
    output = Softmax(nO=nO, nI=width) if exclusive_classes else chain(Linear(nO=nO, nI=width), independent_sigmoids())
    model: Model[list[Doc], Any] = chain(pooled, output)
    model.attrs["multi_label"] = not exclusive_classes
    return model


def independent_sigmoids() -> Model[Any, Any]:
    """Sigmoids that take scores minus truth as what they are: the gradient of the cross-entropy of their input."""

    def forward(model: Model[Any, Any], logits: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
        return model.ops.sigmoid(logits), lambda gradients: gradients

    return Model("winnow_sigmoids", forward)


def settings(chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters with everything filled in that the client left open."""
    return replace(
        chosen,
        n_iter=chosen.n_iter or min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, _TEXTS_SEEN // max(1, texts))),
        dropout=_DROPOUT if chosen.dropout is None else chosen.dropout,
        batch_size=chosen.batch_size or _BATCH,
        learn_rate=chosen.learn_rate or _LEARN_RATE,
    )


class Classifier:
    """A text classifier: trained by `train`, or made again from `to_bytes` by `from_bytes`."""

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self._nlp: Language = spacy.blank(language)
        name = "textcat" if exclusive else "textcat_multilabel"
        self._textcat: Any = self._nlp.add_pipe(name, config={"model": {**_MODEL, "exclusive_classes": exclusive, "nO": len(labels)}})

    def train(self, examples: Sequence[Example], settings: Hyperparameters, after_epoch: Callable[[int, float], None]) -> None:
        """Learn from the examples, from the beginning; the same numbers for the same examples on the same machine.

        after_epoch(number, loss) is called after each pass, from 1, with the mean loss of a text; what it raises ends the training.
        """
        fix_random_seed(settings.seed)
        shuffled = random.Random(settings.seed)
        pairs = [self._pair(example) for example in examples]
        self._nlp.config["initialize"]["components"][self._textcat.name] = {"labels": list(self.labels)}
        first_rate, batch_size, epochs = settings.learn_rate or _LEARN_RATE, settings.batch_size or _BATCH, settings.n_iter or 1
        optimizer = self._nlp.initialize(lambda: pairs[:100], sgd=Adam(first_rate))
        updates = epochs * math.ceil(len(pairs) / batch_size)
        rates = (first_rate * (1 - done / updates) for done in range(updates))
        for number in range(1, epochs + 1):
            shuffled.shuffle(pairs)
            losses: dict[str, float] = {}
            for batch in batched(pairs, batch_size, strict=False):
                optimizer.learn_rate = next(rates)
                self._nlp.update(batch, drop=settings.dropout or 0.0, sgd=optimizer, losses=losses)
            after_epoch(number, sum(losses.values()) / len(pairs))

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, labels), up to a constant a row where labels are exclusive."""
        scores = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for start in range(0, len(texts), _SCORED_AT_ONCE):
            part = texts[start : start + _SCORED_AT_ONCE]
            # New words of these texts leave the vocabulary with the zone, or it would grow for as long as the process lives.
            with self._nlp.memory_zone():
                scores[start : start + len(part)] = self._textcat.predict([self._doc(text) for text in part])
        scores = np.clip(scores, _LEAST_SCORE, 1 - _LEAST_SCORE)
        found: NDArray[np.float32] = np.log(scores) if self.exclusive else np.log(scores / (1 - scores))
        return found

    def to_bytes(self) -> bytes:
        """The weights: all that training changed."""
        return bytes(self._textcat.model.to_bytes())

    def from_bytes(self, weights: bytes) -> Classifier:
        """Take the weights of a classifier made with the same language, labels and exclusiveness."""
        self._textcat.cfg["labels"] = self.labels
        self._textcat.model.from_bytes(weights)
        return self

    def _doc(self, text: str) -> Doc:
        return self._nlp.make_doc(break_long_runs(text))

    def _pair(self, example: Example) -> SpacyExample:
        cats = {label: float(label in example.labels) for label in self.labels}
        return SpacyExample.from_dict(self._doc(example.text), {"cats": cats})
