"""Answers: versions of models, loaded once per execution environment for as long as there is room."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.domain.answer import Prediction
from winnow.domain.errors import ArtifactError, InvalidFieldError, ModelNotReadyError, VersionNotFoundError
from winnow.domain.model import Model, Version
from winnow.prediction import encoders
from winnow.prediction.loading import Glances, LoadedClassifiers, load
from winnow.recipes.artifact import TrainedClassifier, recipe_of
from winnow.recipes.catalogue import COSTS
from winnow.registry.versions import check_ready

if TYPE_CHECKING:
    from winnow.registry.models import Models
    from winnow.registry.versions import Versions
    from winnow.storage.artifacts import Artifacts

SECONDS_A_POINTER_IS_TRUSTED = 1.0
# Of the function's memory, for classifiers. The rest is for the process itself, the encoder, and one classifier's files while it is loaded.
MEMORY_SHARE = 0.4
_MOST_POINTERS = 1_000


def prepare_snapshot() -> None:
    """Import and open what any version may need, before a snapshot: so nobody who begins out of it has to."""
    for recipe in COSTS:
        recipe_of(recipe)
    if resources.has_encoder():
        encoders.for_training().vectors(["Are you there?"])


class Predictor:
    """Classifies texts by versions of models. memory: that of the function, in bytes."""

    def __init__(
        self, models: Models, versions: Versions, artifacts: Artifacts, memory: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._versions = versions
        self._artifacts = artifacts
        self._pointers = Glances(models.get, SECONDS_A_POINTER_IS_TRUSTED, _MOST_POINTERS, clock)
        self._ready_versions = Glances(self._ready_version, SECONDS_A_POINTER_IS_TRUSTED, _MOST_POINTERS, clock)
        self._loaded = LoadedClassifiers(int(memory * MEMORY_SHARE))

    def predict(
        self, model_id: str, texts: Sequence[str], n_top: int, *, version: int | None = None, explain: bool = False
    ) -> tuple[int, list[Prediction]]:
        """The number of the version that answers (None: the live one), and for each text its n_top best labels, best first.

        ModelNotFoundError and VersionNotFoundError, at most a second after a deletion; ModelNotReadyError while no version is live, and
        VersionNotReadyError where the version isn't ready; EncoderError where it was trained with a sentence encoder that this deployment
        doesn't have; InvalidFieldError where it can't be explained.
        """
        try:
            number, classifier = self._classifier(model_id, version)
        except (VersionNotFoundError, ArtifactError):
            # Between the look at the model and the load, another version was promoted and this one deleted: look once more.
            self._forget(model_id, version)
            number, classifier = self._classifier(model_id, version)
        if explain and not classifier.can_explain:
            raise InvalidFieldError(
                f"Version {number} of model {model_id!r} is of the recipe {classifier.recipe}, and only those of linear can be explained:"
                " ask without explain, or train a version by the recipe linear.",
                field="explain",
            )
        answers = zip(texts, classifier.predict(texts, n_top), strict=True)
        return number, [Prediction(labels, classifier.explain(text, labels[0].label) if explain else None) for text, labels in answers]

    def _classifier(self, model_id: str, version: int | None) -> tuple[int, TrainedClassifier]:
        model = self._pointers.get(model_id)
        if version is not None:
            # A version never changes once it is ready, but it may be deleted.
            ready = self._ready_versions.get((model_id, model.uid, version))
            return version, self._loaded.get((model.uid, version), lambda: self._load(ready))
        if model.live_version is None:
            raise ModelNotReadyError(self._why_not_ready(model))
        live = model.live_version
        return live, self._loaded.get((model.uid, live), lambda: self._load(self._versions.get(model, live)))

    def _forget(self, model_id: str, version: int | None) -> None:
        model = self._pointers.forget(model_id)
        if model is not None and version is not None:
            self._ready_versions.forget((model_id, model.uid, version))

    def _ready_version(self, key: tuple[str, str, int]) -> Version:
        model_id, uid, number = key
        version = self._versions.of_life(model_id, uid, number)
        check_ready(version)
        return version

    def _load(self, version: Version) -> TrainedClassifier:
        # Most environments answer by one version alone, and never fetch it again: its files aren't worth the writing.
        return load(self._artifacts, version.job, version.manifest_sha256, keep=len(self._loaded) > 0)

    def _why_not_ready(self, model: Model) -> str:
        if model.ready_version is not None:
            return (
                f"Version {model.ready_version} of model {model.model_id!r} is ready, and no version is live:"
                f' promote it with PUT /models/{model.model_id}/live {{"version": {model.ready_version}}}.'
            )
        if model.training_version is not None:
            return f"Model {model.model_id!r} is training, and has no live version yet: GET /models/{model.model_id} shows how far it is."
        return f"No version of model {model.model_id!r} answers: GET /models/{model.model_id} says why; train it again with force_update."
