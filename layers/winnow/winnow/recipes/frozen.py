"""A finished classifier as a thinc model, for spaCy's pipelines: it answers, and learns nothing more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

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

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]: ...

    def to_bytes(self) -> bytes: ...

    def from_bytes(self, weights: bytes) -> Frozen: ...


def frozen_model(name: str, classifier: Frozen, temperature: float, labels: int | None) -> Model[list[Doc], Any]:
    """From documents to the classifier's scores, of shape (documents, labels), its logits divided by the temperature."""
    serialize_attr.register(type(classifier))(_serialize)
    deserialize_attr.register(type(classifier))(_deserialize)

    def forward(model: Model[list[Doc], Any], docs: list[Doc], is_train: bool) -> tuple[Any, Callable[[Any], list[Doc]]]:
        logits = model.attrs["classifier"].logits([doc.text for doc in docs])
        return scores_of(logits, temperature, exclusive=classifier.exclusive), lambda _: docs

    return Model(name, forward, dims={"nO": labels}, attrs={"classifier": classifier})


def _serialize(_: Any, value: Frozen, _name: str, _model: Model[Any, Any]) -> bytes:
    return value.to_bytes()


def _deserialize(value: Any, weights: bytes, _name: str, _model: Model[Any, Any]) -> Frozen:
    # The first argument is the model's attribute as it was made, and knows its labels.
    made: Frozen = value.from_bytes(weights)
    return made
