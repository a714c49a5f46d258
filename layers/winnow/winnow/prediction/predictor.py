"""Answers by versions of models. An execution environment loads each version once, as long as memory allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.domain.answer import Prediction
from winnow.domain.errors import ArtifactError, DamagedRowError, ModelNotReadyError, TooLargeError, VersionNotFoundError
from winnow.domain.model import Model, Version
from winnow.prediction import encoders
from winnow.prediction.loading import Glances, LoadedClassifiers, load
from winnow.prediction.policy import LeastScores
from winnow.recipes.artifact import TrainedClassifier, recipe_of
from winnow.recipes.catalogue import COSTS, ZERO_SHOT
from winnow.recipes.portions import portions
from winnow.registry.versions import check_ready

if TYPE_CHECKING:
    from winnow.recipes.least_scores import Least
    from winnow.registry.models import Models
    from winnow.registry.versions import Versions
    from winnow.storage.artifacts import Artifacts

SECONDS_A_POINTER_IS_TRUSTED = 1.0
# The share of the function's memory for classifiers. The process, the encoder, and a classifier's files while loading need the rest.
MEMORY_SHARE = 0.4
_MOST_POINTERS = 1_000
# Texts are classified so many characters at a time. That takes at most 8 seconds (nine texts of punctuation, in eight windows each), and an
# explanation less than 20 (recipes.occlusion). Work isn't begun with less time left: this, or twice what the slowest work took so far.
_TOGETHER = 10_000
_SECONDS_TO_CLASSIFY, _SECONDS_TO_EXPLAIN = 12.0, 20.0
# A word takes about 90 bytes of an answer, which has at most 5 MB (api.endpoint).
_MOST_EXPLAINED_WORDS = 50_000


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
        self._least_scores = LeastScores()
        self._clock = clock

    def predict(
        self, model_id: str, texts: Sequence[str], n_top: int, *, seconds: float, version: int | None = None, explain: bool = False
    ) -> tuple[int, list[Prediction]]:
        """The number of the answering version (None: the live one), and the n_top best labels of each text, best first.

        seconds: the time that is left for the answer.

        Raises ModelNotFoundError and VersionNotFoundError at most a second after a deletion; ModelNotReadyError if no version is live;
        VersionNotReadyError if the version isn't ready; EncoderError if the deployment doesn't have the version's sentence encoder;
        TooLargeError if the texts take too long, or have too many words to explain.
        """
        ends = self._clock() + seconds
        try:
            return self._predict(model_id, texts, n_top, version, ends, explain=explain)
        except (VersionNotFoundError, ArtifactError):
            # A version may be promoted and this one deleted between the two reads. Read once more.
            self._forget(model_id, version)
            return self._predict(model_id, texts, n_top, version, ends, explain=explain)

    def model(self, model_id: str) -> Model:
        """The model whose version has just answered, as `predict` saw it."""
        return self._pointers.last(model_id)

    def _predict(
        self, model_id: str, texts: Sequence[str], n_top: int, version: int | None, ends: float, *, explain: bool
    ) -> tuple[int, list[Prediction]]:
        model, number, classifier = self._classifier(model_id, version)
        least = None if model.policy is None else self._least(model, model.policy, number, classifier)
        if explain:
            _check_words(classifier, texts)
        time_left = _TimeLeft(self._clock, ends, _SECONDS_TO_EXPLAIN if explain else _SECONDS_TO_CLASSIFY)
        predictions: list[Prediction] = []
        for some in portions(texts, len, _TOGETHER):
            found = classifier.answers(some, n_top, least)
            if not explain:
                predictions += [Prediction(labels, None, stage, familiarity, model.policy) for labels, stage, familiarity in found]
            for text, (labels, stage, familiarity) in zip(some, found, strict=True) if explain else ():
                predictions.append(Prediction(labels, classifier.explain(text, labels[0].label), stage, familiarity, model.policy))
                time_left.check(len(predictions), len(texts))
            time_left.check(len(predictions), len(texts))
        return number, predictions

    def _classifier(self, model_id: str, version: int | None) -> tuple[Model, int, TrainedClassifier]:
        model = self._pointers.get(model_id)
        if version is not None:
            # A ready version never changes but may be deleted.
            ready = self._ready_versions.get((model_id, model.uid, version))
            return model, version, self._loaded.get((model.uid, version), lambda: self._load(ready))
        if model.live_version is None:
            raise ModelNotReadyError(self._why_not_ready(model))
        live = model.live_version
        return model, live, self._loaded.get((model.uid, live), lambda: self._load(self._versions.get(model, live)))

    def _least(self, model: Model, policy: int, number: int, classifier: TrainedClassifier) -> Least:
        """The lowest accepted scores of the policy."""
        try:
            return self._least_scores.of(model.model_id, model.uid, policy, number, classifier.labels)
        except DamagedRowError:
            # A policy is deleted with its model, which the model's row tells if it is read again.
            self._pointers.forget(model.model_id)
            if self._pointers.get(model.model_id).uid != model.uid:
                raise VersionNotFoundError(model.model_id, number) from None
            raise

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


class _TimeLeft:
    """Refuses to begin work that may not end in time. least: the seconds that a piece of work may take at most."""

    def __init__(self, clock: Callable[[], float], ends: float, least: float) -> None:
        self._clock, self._ends, self._longest = clock, ends, least
        self._checked = clock()

    def check(self, done: int, texts: int) -> None:
        """Call it after each piece of work. Raises TooLargeError if texts remain and the time doesn't suffice for the next ones."""
        before, self._checked = self._checked, self._clock()
        self._longest = max(self._longest, 2 * (self._checked - before))
        if done < texts and self._checked + self._longest > self._ends:
            raise TooLargeError(
                f"The answer took too long: there is no time for texts[{done}] of {texts} texts. Send fewer of them at once."
            )


def _check_words(classifier: TrainedClassifier, texts: Sequence[str]) -> None:
    """Raise TooLargeError if an answer has no room for the explanations, before they are made."""
    words = 0
    for place, text in enumerate(texts):
        words += classifier.words_to_explain(text)
        if words > _MOST_EXPLAINED_WORDS:
            raise TooLargeError(
                f"An answer explains at most {_MOST_EXPLAINED_WORDS:,} words, and texts[{place}] of {len(texts)} texts exceeds them:"
                " send fewer texts, or shorter ones."
            )
