"""A finished classifier as a thinc model, for spaCy's pipelines: it answers, and learns nothing more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from spacy.util import registry
from thinc.api import Model
from thinc.model import deserialize_attr, serialize_attr

from winnow.recipes.calibration import scores_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from spacy.tokens import Doc


class Frozen(Protocol):
    """A classifier whose weights are bytes."""

    exclusive: bool
    labels: tuple[str, ...]

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]: ...

    def to_bytes(self) -> bytes: ...

    def from_bytes(self, weights: bytes) -> Frozen: ...


def architecture(name: str, classifier_of: Callable[..., Frozen]) -> Callable[..., Model[list[Doc], Any]]:
    """Register with spaCy, under a name, the architecture of finished classifiers. classifier_of: makes one of labels."""

    def model(
        exclusive_classes: bool,
        temperature: float = 1.0,
        nO: int | None = None,  # noqa: N803
    ) -> Model[list[Doc], Any]:
        """From documents to scores, of shape (documents, nO). It is loaded, and learns nothing by `nlp.update`.

        temperature: what the logits are divided by.
        """
        return _model(classifier_of([""] * (nO or 0), exclusive=exclusive_classes, language=""), temperature, nO)

    registered: Callable[..., Model[list[Doc], Any]] = registry.architectures(name)(model)
    return registered


def exported(classifier: Frozen, name: str, temperature: float) -> tuple[dict[str, Any], bytes]:
    """The config of the architecture of this name that gives the same scores in a pipeline, and the weights that it loads."""
    labels = len(classifier.labels)
    config = {"@architectures": name, "exclusive_classes": classifier.exclusive, "temperature": temperature, "nO": labels}
    return config, _model(classifier, temperature, labels).to_bytes()


def _model(classifier: Frozen, temperature: float, labels: int | None) -> Model[list[Doc], Any]:
    serialize_attr.register(type(classifier))(_serialize)
    deserialize_attr.register(type(classifier))(_deserialize)

    def forward(model: Model[list[Doc], Any], docs: list[Doc], is_train: bool) -> tuple[Any, Callable[[Any], list[Doc]]]:
        logits = model.attrs["classifier"].logits([doc.text for doc in docs])
        return scores_of(logits, temperature, exclusive=classifier.exclusive), lambda _: docs

    return Model("winnow_frozen", forward, dims={"nO": labels}, attrs={"classifier": classifier})


def _serialize(_: Any, value: Frozen, _name: str, _model: Model[Any, Any]) -> bytes:
    return value.to_bytes()


def _deserialize(value: Any, weights: bytes, _name: str, _model: Model[Any, Any]) -> Frozen:
    # The first argument is the model's attribute as it was made, and knows its labels.
    made: Frozen = value.from_bytes(weights)
    return made
