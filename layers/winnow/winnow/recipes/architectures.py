"""Our recipes as spaCy text categorizer architectures, for pipelines that `spacy.load` opens. The API doesn't use them.

`nlp.update` can train winnow.Linear.v1. winnow.Sentence.v1, winnow.Light.v1 and winnow.Best.v1 are finished and can't be trained.
winnow.Best.v1 answers as the last stage of its cascade. (recipes.cnn defines winnow.TextCatCNN.v1, because it is built from it.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.model import deserialize_attr, serialize_attr

from winnow.recipes import best, light, linear, sentence
from winnow.recipes.calibration import scores_of
from winnow.recipes.features import Reading
from winnow.recipes.sparse_linear import SparseLinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.mixture import Mixture

_LINEAR = "winnow.Linear.v1"
_SENTENCE = "winnow.Sentence.v1"
_BEST = "winnow.Best.v1"
_LIGHT = "winnow.Light.v1"


def config_of(classifier: linear.Classifier | sentence.Classifier | Mixture, temperature: float) -> dict[str, Any]:
    """The config of the architecture that gives the same scores in a pipeline. `give` then puts the classifier into its model."""
    config: dict[str, Any] = {"exclusive_classes": classifier.exclusive, "temperature": temperature, "nO": len(classifier.labels)}
    if isinstance(classifier, linear.Classifier):
        return {"@architectures": _LINEAR, **classifier.layer.reading._asdict(), **config}
    named = {sentence.Classifier: _SENTENCE, light.Classifier: _LIGHT, best.Classifier: _BEST}
    return {"@architectures": named[type(classifier)], **config}


def give(model: Model[list[Doc], Any], classifier: linear.Classifier | sentence.Classifier | Mixture) -> None:
    """Put the classifier into a model that was made from its `config_of`."""
    if isinstance(classifier, linear.Classifier):
        model.attrs["linear"] = classifier.layer
    else:
        model.attrs["classifier"] = classifier


class _SparseModel(Model[list[Doc], Any]):
    """A thinc model with sparse gradients: they go directly to the layer, not through the optimizer's dense arrays."""

    def finish_update(self, optimizer: Any) -> None:
        self.attrs["linear"].descend(optimizer.learn_rate)


@registry.architectures(_LINEAR)  # type: ignore[untyped-decorator]
def linear_model(
    exclusive_classes: bool,
    shortest: int = 3,
    scripts: bool = False,
    temperature: float = 1.0,
    nO: int | None = None,  # noqa: N803
) -> Model[list[Doc], Any]:
    """From documents to scores, of shape (documents, nO). The gradient is that of the true cross-entropy of the logits.

    shortest and scripts: the reading (recipes.features). temperature: the logits are divided by it. `nlp.update` adds a row for each new
    feature. It uses the optimizer's rate and none of its other settings.
    """
    linear = SparseLinear(nO or 0, Reading(shortest, scripts), exclusive=exclusive_classes)
    return _SparseModel("winnow_linear", _forward, init=_init, dims={"nO": nO}, attrs={"linear": linear, "temperature": temperature})


def _init(model: Model[list[Doc], Any], X: Any = None, Y: Any = None) -> None:  # noqa: N803
    if model.has_dim("nO") is None:
        model.set_dim("nO", Y.shape[1])
        linear: SparseLinear = model.attrs["linear"]
        model.attrs["linear"] = SparseLinear(model.get_dim("nO"), linear.reading, exclusive=linear.exclusive)


def _forward(model: Model[list[Doc], Any], docs: list[Doc], is_train: bool) -> tuple[Any, Callable[[Any], list[Doc]]]:
    linear: SparseLinear = model.attrs["linear"]
    texts, temperature = [doc.text for doc in docs], np.float32(model.attrs["temperature"])
    scores = linear.activated(linear.logits(texts) / temperature)

    def backprop(gradients: Any) -> list[Doc]:
        # spaCy's text categorizers pass back scores minus truth. For softmax and sigmoids alike that is the gradient of the logits.
        linear.learn(texts, gradients / temperature)
        return docs

    return scores, backprop


@serialize_attr.register(SparseLinear)
def _serialize(_: Any, value: SparseLinear, _name: str, _model: Model[Any, Any]) -> bytes:
    return value.to_bytes()


@deserialize_attr.register(SparseLinear)
def _deserialize(_: Any, value: bytes, _name: str, _model: Model[Any, Any]) -> SparseLinear:
    return SparseLinear.from_bytes(value)


class Finished(Protocol):
    """A classifier whose weights are bytes."""

    exclusive: bool
    labels: tuple[str, ...]

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]: ...

    def to_bytes(self) -> bytes: ...

    def from_bytes(self, weights: bytes) -> Finished: ...


def architecture(name: str, classifier_of: Callable[..., Finished]) -> Callable[..., Model[list[Doc], Any]]:
    """Register the architecture of finished classifiers with spaCy. classifier_of: makes a classifier from its labels."""

    def model(
        exclusive_classes: bool,
        temperature: float = 1.0,
        nO: int | None = None,  # noqa: N803
    ) -> Model[list[Doc], Any]:
        """From documents to scores, of shape (documents, nO). It is only loaded: `nlp.update` doesn't train it.

        temperature: the logits are divided by it.
        """
        return _finished(classifier_of([""] * (nO or 0), exclusive=exclusive_classes, language=""), temperature, nO)

    registered: Callable[..., Model[list[Doc], Any]] = registry.architectures(name)(model)
    return registered


def _finished(classifier: Finished, temperature: float, labels: int | None) -> Model[list[Doc], Any]:
    serialize_attr.register(type(classifier))(_serialize_finished)
    deserialize_attr.register(type(classifier))(_deserialize_finished)

    def forward(model: Model[list[Doc], Any], docs: list[Doc], is_train: bool) -> tuple[Any, Callable[[Any], list[Doc]]]:
        logits = model.attrs["classifier"].logits([doc.text for doc in docs])
        return scores_of(logits, temperature, exclusive=classifier.exclusive), lambda _: docs

    return Model("winnow_finished", forward, dims={"nO": labels}, attrs={"classifier": classifier})


def _serialize_finished(_: Any, value: Finished, _name: str, _model: Model[Any, Any]) -> bytes:
    return value.to_bytes()


def _deserialize_finished(value: Any, weights: bytes, _name: str, _model: Model[Any, Any]) -> Finished:
    # The first argument is the model's newly made attribute, which knows its labels.
    made: Finished = value.from_bytes(weights)
    return made


sentence_model = architecture(_SENTENCE, sentence.Classifier)
best_model = architecture(_BEST, best.Classifier)
light_model = architecture(_LIGHT, light.Classifier)
