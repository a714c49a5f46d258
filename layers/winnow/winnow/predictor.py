"""Answers: the live version of a model, loaded once per execution environment."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from winnow import encoders
from winnow.domain import Model, ScoredLabel
from winnow.errors import ArtifactError, ModelNotReadyError, VersionNotFoundError
from winnow.recipes.artifact import TrainedClassifier

if TYPE_CHECKING:
    from winnow.registry import Models
    from winnow.storage import Storage

SECONDS_A_POINTER_IS_TRUSTED = 1.0
MOST_LOADED = 10


class Predictor:
    """Classifies texts by the live versions of models. Keeps the last few classifiers that it loaded."""

    def __init__(self, models: Models, storage: Storage, clock: Callable[[], float] = time.monotonic) -> None:
        self._models = models
        self._storage = storage
        self._clock = clock
        self._pointers: dict[str, tuple[float, Model]] = {}
        self._loaded: OrderedDict[tuple[str, int], TrainedClassifier] = OrderedDict()

    def predict(self, model_id: str, texts: Sequence[str], n_top: int) -> tuple[int, list[list[ScoredLabel]]]:
        """The number of the live version, and for each text its n_top best labels, best first.

        ModelNotFoundError, at most a second after a deletion; ModelNotReadyError while no version is live; EncoderError where the live
        version was trained with a sentence encoder that this deployment doesn't have.
        """
        try:
            number, classifier = self._live_classifier(model_id)
        except (VersionNotFoundError, ArtifactError):
            # Between the look at the model and the load, another version was promoted and this one deleted: look once more.
            self._pointers.pop(model_id, None)
            number, classifier = self._live_classifier(model_id)
        return number, classifier.predict(texts, n_top)

    def _live_classifier(self, model_id: str) -> tuple[int, TrainedClassifier]:
        model = self._live(model_id)
        if model.live_version is None:
            raise ModelNotReadyError(self._why_not_ready(model))
        return model.live_version, self._classifier(model, model.live_version)

    def _live(self, model_id: str) -> Model:
        read_at, model = self._pointers.get(model_id, (float("-inf"), None))
        if model is None or self._clock() - read_at > SECONDS_A_POINTER_IS_TRUSTED:
            self._pointers.pop(model_id, None)
            read_at, model = self._clock(), self._models.get(model_id)
            self._pointers[model_id] = (read_at, model)
        return model

    def _classifier(self, model: Model, number: int) -> TrainedClassifier:
        key = (model.uid, number)
        if key not in self._loaded:
            version = self._models.version(model, number)
            files = self._storage.read_artifact(version.job, version.manifest_sha256 or "")
            self._loaded[key] = TrainedClassifier.from_files(files, encoders.find)
            if len(self._loaded) > MOST_LOADED:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    def _why_not_ready(self, model: Model) -> str:
        if model.ready_version is not None:
            return (
                f"Version {model.ready_version} of model {model.model_id!r} is ready, and no version is live:"
                f' promote it with PUT /models/{model.model_id}/live {{"version": {model.ready_version}}}.'
            )
        if model.training_version is not None:
            return f"Model {model.model_id!r} is training, and has no live version yet: GET /models/{model.model_id} shows how far it is."
        return f"No version of model {model.model_id!r} answers: GET /models/{model.model_id} says why; train it again with force_update."
