"""The recipe "linear": one linear layer over hashed words, pairs of words and character n-grams.

The architecture is registered as winnow.Linear.v1, for spaCy's text categorizers. It reads the text itself, never the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.model import deserialize_attr, serialize_attr

from winnow.domain import Example, Hyperparameters
from winnow.flags import label_flags
from winnow.recipes.descent import Descent, LinearFitting
from winnow.recipes.few import is_few, name_as_text
from winnow.recipes.sparse_linear import SparseLinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "linear"

# Of exclusive labels, and of others.
_RATES = {True: 2.0, False: 4.0}
_SMOOTHING = {True: 0.1, False: 0.05}
_AVERAGED = 3


def settings(chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters with everything filled in that the client left open."""
    return replace(
        chosen,
        n_iter=chosen.n_iter or (15 if is_few(texts, labels) else 8),
        dropout=0.0 if chosen.dropout is None else chosen.dropout,
        batch_size=chosen.batch_size or 1,
        learn_rate=chosen.learn_rate or _RATES[exclusive],
    )


class Classifier:
    """A text classifier: it learns by its `fitting`, or is made again from `to_bytes` by `from_bytes`."""

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self._linear = SparseLinear(len(labels), 3, exclusive=exclusive)

    def fitting(self, examples: Sequence[Example], settings: Hyperparameters, held_out: Sequence[str] = ()) -> LinearFitting:
        """What makes it learn from the examples, from the beginning. held_out: texts to measure it on after each pass."""
        few = is_few(len(examples), len(self.labels))
        texts = [example.text for example in examples]
        targets = label_flags(examples, self.labels).astype(np.float32)
        named = few and self.exclusive
        if named:
            texts += [name_as_text(label) for label in self.labels]
            targets = np.concatenate([targets, np.eye(len(self.labels), dtype=np.float32)])
        how = Descent(
            epochs=settings.n_iter or 1,
            rate=settings.learn_rate or _RATES[self.exclusive],
            batch=settings.batch_size or 1,
            dropout=settings.dropout or 0.0,
            smoothing=0.0 if named else _SMOOTHING[self.exclusive],
            averaged=0 if named else min(_AVERAGED, settings.n_iter or 1),
            seed=settings.seed,
        )
        self._linear = SparseLinear(len(self.labels), 2 if few else 3, exclusive=self.exclusive)
        return LinearFitting(self._linear, texts, targets, how, held_out)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, labels)."""
        return self._linear.logits(texts)

    def spacy_model(self, temperature: float) -> tuple[dict[str, Any], bytes]:
        """The config of the architecture that gives the same scores in a pipeline, and the weights that it loads."""
        config = {
            "exclusive_classes": self.exclusive,
            "shortest": self._linear.shortest,
            "temperature": temperature,
            "nO": len(self.labels),
        }
        model = linear_model(**config)
        model.attrs["linear"] = self._linear
        return {"@architectures": "winnow.Linear.v1", **config}, model.to_bytes()

    def to_bytes(self) -> bytes:
        return self._linear.to_bytes()

    def from_bytes(self, weights: bytes) -> Classifier:
        """Take the weights of a classifier made with the same labels and exclusiveness."""
        self._linear = SparseLinear.from_bytes(weights)
        return self


class _SparseModel(Model[list[Doc], Any]):
    """A thinc model whose gradients are sparse: they go to the layer itself, and not through the optimizer's dense arrays."""

    def finish_update(self, optimizer: Any) -> None:
        self.attrs["linear"].descend(optimizer.learn_rate)


@registry.architectures("winnow.Linear.v1")  # type: ignore[untyped-decorator]
def linear_model(
    exclusive_classes: bool,
    shortest: int = 3,
    temperature: float = 1.0,
    nO: int | None = None,  # noqa: N803
) -> Model[list[Doc], Any]:
    """From documents to scores, of shape (documents, nO). Its gradient is that of the true cross-entropy of the logits.

    temperature: what the logits are divided by. Trained by `nlp.update` it grows a row for each feature it meets, at the optimizer's rate
    and with no other of its settings.
    """
    linear = SparseLinear(nO or 0, shortest, exclusive=exclusive_classes)
    return _SparseModel("winnow_linear", _forward, init=_init, dims={"nO": nO}, attrs={"linear": linear, "temperature": temperature})


def _init(model: Model[list[Doc], Any], X: Any = None, Y: Any = None) -> None:  # noqa: N803
    if model.has_dim("nO") is None:
        model.set_dim("nO", Y.shape[1])
        linear: SparseLinear = model.attrs["linear"]
        model.attrs["linear"] = SparseLinear(model.get_dim("nO"), linear.shortest, exclusive=linear.exclusive)


def _forward(model: Model[list[Doc], Any], docs: list[Doc], is_train: bool) -> tuple[Any, Callable[[Any], list[Doc]]]:
    linear: SparseLinear = model.attrs["linear"]
    texts, temperature = [doc.text for doc in docs], np.float32(model.attrs["temperature"])
    scores = linear.activated(linear.logits(texts) / temperature)

    def backprop(gradients: Any) -> list[Doc]:
        # spaCy's text categorizers hand back scores minus truth: for softmax and sigmoids alike the gradient of the logits themselves.
        linear.learn(texts, gradients / temperature)
        return docs

    return scores, backprop


@serialize_attr.register(SparseLinear)
def _serialize(_: Any, value: SparseLinear, _name: str, _model: Model[Any, Any]) -> bytes:
    return value.to_bytes()


@deserialize_attr.register(SparseLinear)
def _deserialize(_: Any, value: bytes, _name: str, _model: Model[Any, Any]) -> SparseLinear:
    return SparseLinear.from_bytes(value)
