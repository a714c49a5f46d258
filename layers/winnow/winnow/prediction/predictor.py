"""Answers by versions of models. An execution environment loads each version once, as long as memory allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.domain.answer import Prediction
from winnow.domain.errors import ArtifactError, ModelNotReadyError, TooLargeError, VersionNotFoundError
from winnow.domain.model import Model, Version
from winnow.prediction import encoders
from winnow.prediction.loading import Glances, LoadedClassifiers, load
from winnow.recipes.artifact import TrainedClassifier, recipe_of
from winnow.recipes.catalogue import COSTS, ZERO_SHOT
from winnow.recipes.portions import portions
from winnow.registry.versions import check_ready

if TYPE_CHECKING:
    from winnow.registry.models import Models
    from winnow.registry.versions import Versions
    from winnow.storage.artifacts import Artifacts

SECONDS_A_POINTER_IS_TRUSTED = 1.0
# The share of the function's memory for classifiers. The process, the encoder, and a classifier's files while loading need the rest.
MEMORY_SHARE = 0.4
_MOST_POINTERS = 1_000
# An answer has 28 seconds. Texts are classified so many characters at a time, which takes at most 8 seconds: nine texts of punctuation, in
# eight windows each.
_SECONDS_TO_BEGIN, _TOGETHER = 16.0, 10_000
# An explanation takes less than 20 (recipes.occlusion).
_SECONDS_TO_EXPLAIN = 8.0


def prepare_snapshot() -> None:
    """Import and open everything that a version may need before the snapshot, so that environments started from it don't have to."""
    for recipe in (*COSTS, ZERO_SHOT):
        recipe_of(recipe)
    if resources.has_encoder():
        for encoding in encoders.of_deployment():
            encoding.vectors(["Are you there?"])


class Predictor:
    """Classifies texts by versions of models. memory: the function's, in bytes."""

    def __init__(
        self, models: Models, versions: Versions, artifacts: Artifacts, memory: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._versions = versions
        self._artifacts = artifacts
        self._pointers = Glances(models.get, SECONDS_A_POINTER_IS_TRUSTED, _MOST_POINTERS, clock)
        self._ready_versions = Glances(self._ready_version, SECONDS_A_POINTER_IS_TRUSTED, _MOST_POINTERS, clock)
        self._loaded = LoadedClassifiers(int(memory * MEMORY_SHARE))
        self._clock = clock

    def predict(
        self, model_id: str, texts: Sequence[str], n_top: int, *, version: int | None = None, explain: bool = False
    ) -> tuple[int, list[Prediction]]:
        """The number of the answering version (None: the live one), and the n_top best labels of each text, best first.

        Raises ModelNotFoundError and VersionNotFoundError at most a second after a deletion; ModelNotReadyError if no version is live;
        VersionNotReadyError if the version isn't ready; EncoderError if the deployment doesn't have the version's sentence encoder;
        TooLargeError if the texts take too long.
        """
        began = self._clock()
        try:
            return self._predict(model_id, texts, n_top, version, began, explain=explain)
        except (VersionNotFoundError, ArtifactError):
            # A version may be promoted and this one deleted between the two reads. Read once more.
            self._forget(model_id, version)
            return self._predict(model_id, texts, n_top, version, began, explain=explain)

    def _predict(
        self, model_id: str, texts: Sequence[str], n_top: int, version: int | None, began: float, *, explain: bool
    ) -> tuple[int, list[Prediction]]:
        number, classifier = self._classifier(model_id, version)
        predictions: list[Prediction] = []

        def check_time(seconds: float) -> None:
            if self._clock() - began > seconds and len(predictions) < len(texts):
                raise TooLargeError(f"The answer took too long after {len(predictions)} of {len(texts)} texts: send fewer of them at once.")

        for some in portions(texts, len, _TOGETHER):
            found = classifier.predict_by_stage(some, n_top)
            if not explain:
                predictions += [Prediction(labels, None, stage) for labels, stage in found]
            for text, (labels, stage) in zip(some, found, strict=True) if explain else ():
                predictions.append(Prediction(labels, classifier.explain(text, labels[0].label), stage))
                check_time(_SECONDS_TO_EXPLAIN)
            check_time(_SECONDS_TO_BEGIN)
        return number, predictions

    def _classifier(self, model_id: str, version: int | None) -> tuple[int, TrainedClassifier]:
        model = self._pointers.get(model_id)
        if version is not None:
            # A ready version never changes but may be deleted.
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
        # Most environments use one version and never load it again, so writing its files to the disk isn't worth it.
        return load(self._artifacts, version.job, version.manifest_sha256, keep=len(self._loaded) > 0)

    def _why_not_ready(self, model: Model) -> str:
        if model.ready_version is not None:
            return (
                f"Version {model.ready_version} of model {model.model_id!r} is ready, but no version is live:"
                f' promote it with PUT /models/{model.model_id}/live {{"version": {model.ready_version}}}.'
            )
        if model.training_version is not None:
            return f"Model {model.model_id!r} is training and has no live version yet: GET /models/{model.model_id} shows the progress."
        return (
            f"No version of model {model.model_id!r} can answer: GET /models/{model.model_id} says why. Train it again with `force_update`."
        )
