"""The workflow's work with spaCy: train on the frozen examples, then evaluate and publish. Each step can be repeated without harm."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace

from winnow import deployment
from winnow.domain import Hyperparameters, Progress, Stage, TrainingJob, VersionStatus
from winnow.errors import OutOfTimeError
from winnow.evaluation import evaluate
from winnow.recipes import cnn
from winnow.recipes.artifact import TrainedClassifier

_SECONDS_TO_SAVE = 30.0


def train(job: TrainingJob, seconds_left: Callable[[], float]) -> str:
    """Train on the frozen training examples and write the artifact. Returns its manifest's SHA-256.

    seconds_left tells how long this Lambda may still run. OutOfTimeError, before it is too late, where that isn't enough.
    """
    jobs, storage = deployment.jobs(), deployment.storage()
    version = deployment.models().version_of_job(job)
    examples = storage.frozen_examples(job, "train")
    labels = sorted({label for example in examples for label in example.labels})
    asked = Hyperparameters(**version.hyperparameters)
    epochs = asked.n_iter or cnn.epochs_for(len(examples))
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), hyperparameters=asdict(replace(asked, n_iter=epochs)))
    began = time.monotonic()

    def after_epoch(epoch: cnn.Epoch) -> None:
        each = (time.monotonic() - began) / epoch.number
        left = each * (epoch.of - epoch.number)
        jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING, epoch.number / epoch.of, round(left)))
        if epoch.number < epoch.of and each + _SECONDS_TO_SAVE > seconds_left():
            raise OutOfTimeError(
                f"The training ran out of time after {epoch.number} of {epoch.of} epochs:"
                " train on fewer texts (n_texts) or in fewer epochs (n_iter)."
            )

    classifier = cnn.Classifier(asked.spacy_model, labels, exclusive=version.dataset["exclusive"])
    classifier.train(examples, epochs, after_epoch)
    trained = TrainedClassifier(classifier, asked.spacy_model, thresholds=(cnn.THRESHOLD,) * len(labels))
    return storage.write_artifact(job, trained.to_files())


def publish(job: TrainingJob, manifest_sha256: str) -> None:
    """Evaluate the artifact, exactly as it will answer, on the held-out test examples; then the version is ready and live."""
    jobs, storage = deployment.jobs(), deployment.storage()
    jobs.note(job, VersionStatus.EVALUATING, Progress.of(Stage.EVALUATING))
    trained = TrainedClassifier.from_files(storage.read_artifact(job, manifest_sha256))
    examples = storage.frozen_examples(job, "test")
    chosen = trained.choose([example.text for example in examples])
    evaluation = evaluate([set(example.labels) for example in examples], chosen, trained.labels)
    storage.write_report(job, "evaluation.json", evaluation)
    headline = {name: value for name, value in evaluation.items() if name != "per_label"}
    jobs.commit(job, headline, manifest_sha256, len(trained.labels))
