"""The training of a version without examples: its classifier comes from the names and descriptions of the labels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob
from winnow.domain.model import Version, VersionStatus
from winnow.prediction import encoders
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import LANGUAGES_OF_ENCODER, ZERO_SHOT
from winnow.recipes.encoder import MULTILINGUAL, described
from winnow.recipes.zero_shot import NEVER, TEMPERATURE, Classifier
from winnow.training.choose import Candidate

if TYPE_CHECKING:
    from winnow.recipes.encoder import Encoding

# The values of spacy_model that name no other language than the names' own: the default, and "several languages".
_NO_LANGUAGE = {"en", "xx"}
NO_EPOCHS: dict[str, Any] = {"epochs": [], "stopped": None, "strangers": None, "learning_curve": None}
"""The story of a training that has no passes over examples."""


def make_from_labels(job: TrainingJob, version: Version) -> Candidate:
    """Write the artifact of a version without examples. It takes a sentence vector for each name and description."""
    began = time.monotonic()
    encoding = _encoding(version)
    # With the encoder in the registry, no deployment can drop it, and a repetition uses the same one.
    needed = described(encoding)
    resources.jobs().note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), encoder=needed, encoders=[needed])
    labels = resources.label_lists().read(job, version.dataset["sha256"]).labels
    chosen = Hyperparameters(**version.hyperparameters)
    names = sorted(label.name for label in labels)
    classifier = Classifier(names, exclusive=version.dataset["exclusive"], language=chosen.spacy_model, encoding=encoding).learn(labels)
    trained = TrainedClassifier(ZERO_SHOT, classifier, TEMPERATURE, (NEVER,) * len(names))
    manifest_sha256 = resources.candidates().write(job, ZERO_SHOT, trained.to_files(), NO_EPOCHS)
    return Candidate(ZERO_SHOT, None, round(time.monotonic() - began, 1), manifest_sha256)


def _encoding(version: Version) -> Encoding:
    """The encoder of an earlier try; otherwise the deployment's, or the layer's multilingual one if that speaks more of the languages.

    The languages are those of the names, and that of the texts, if the request said it (spacy_model).
    """
    if version.encoder:
        return encoders.find(version.encoder["name"], version.encoder["digest"])
    spoken = resources.encoder_languages()
    wanted = {each["language"] for each in version.dataset["languages"]} | ({version.hyperparameters["spacy_model"]} - _NO_LANGUAGE)
    more = spoken is not None and len(wanted & LANGUAGES_OF_ENCODER[MULTILINGUAL]) > len(wanted & spoken)
    return (encoders.multilingual() if more else None) or encoders.for_training()
