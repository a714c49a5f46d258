"""The workflow's work with spaCy: train on the frozen examples, then evaluate and publish. Each step can be repeated without harm."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from winnow import deployment, training
from winnow.domain import Hyperparameters, Progress, Promote, Stage, TrainingJob, VersionStatus
from winnow.errors import OutOfTimeError
from winnow.evaluation import evaluation_report, figures
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.calibration import scores_of

_SECONDS_TO_SAVE = 30.0
_HEADLINE = ("examples", "accuracy", "macro_f1", "micro_f1", "weighted_f1")
_EPOCHS = "epochs.json"


def train(job: TrainingJob, seconds_left: Callable[[], float]) -> str:
    """Train on the frozen training examples and write the artifact. Returns its manifest's SHA-256.

    seconds_left tells how long this Lambda may still run. OutOfTimeError, before it is too late, where that isn't enough.
    """
    jobs, storage = deployment.jobs(), deployment.storage()
    version = deployment.models().version_of_job(job)
    examples = storage.frozen_examples(job, "train")
    asked = Hyperparameters(**version.hyperparameters)
    exclusive = version.dataset["exclusive"]
    settings = training.settings_for(version.recipe, asked, len(examples), version.dataset["labels"], exclusive=exclusive)
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), hyperparameters=asdict(settings))
    began = time.monotonic()
    epochs: list[dict[str, float]] = []

    def after_epoch(epoch: training.Epoch) -> None:
        each = (time.monotonic() - began) / epoch.number
        left = each * (epoch.of - epoch.number)
        if epoch.fitting:
            epochs.append({"epoch": len(epochs) + 1, "loss": round(epoch.loss, 6)})
        jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING, epoch.number / epoch.of, round(left)))
        if epoch.number < epoch.of and each + _SECONDS_TO_SAVE > seconds_left():
            raise OutOfTimeError(
                f"The training ran out of time after {epoch.number} of {epoch.of} passes over the texts:"
                " train on fewer texts (n_texts) or in fewer epochs (n_iter)."
            )

    trained = training.train(version.recipe, examples, settings, exclusive=exclusive, after_epoch=after_epoch)
    storage.write_report(job, _EPOCHS, {"epochs": epochs})
    return storage.write_artifact(job, trained.to_files())


def publish(job: TrainingJob, manifest_sha256: str) -> None:
    """Evaluate the artifact, exactly as it will answer, on the held-out test examples; then it is ready, and live if wanted."""
    jobs, storage = deployment.jobs(), deployment.storage()
    jobs.note(job, VersionStatus.EVALUATING, Progress.of(Stage.EVALUATING))
    version = deployment.models().version_of_job(job)
    trained = TrainedClassifier.from_files(storage.read_artifact(job, manifest_sha256))
    examples = storage.frozen_examples(job, "test")
    texts = [example.text for example in examples]
    logits = trained.classifier.logits(texts)
    scores = scores_of(logits, trained.temperature, exclusive=trained.exclusive)
    report = evaluation_report(
        truth=training.truth_of(examples, trained.labels),
        scores=scores,
        uncalibrated=scores_of(logits, 1.0, exclusive=trained.exclusive),
        thresholds=trained.thresholds,
        labels=trained.labels,
        exclusive=trained.exclusive,
        rows=[example.row for example in examples],
        texts=texts if version.hyperparameters["keep_texts"] else None,
    )
    whole = {**report, **storage.read_report(job, _EPOCHS)}
    storage.write_report(job, "evaluation.json", whole)
    for name, svg in figures.draw(whole).items():
        storage.write_figure(job, name, svg)
    headline: dict[str, Any] = {name: report[name] for name in _HEADLINE} | {"ece": report["calibration"]["after"]["ece"]}
    if trained.exclusive:
        refused = (scores.max(axis=1) < trained.thresholds[0]).mean()
        headline |= {"threshold": trained.thresholds[0], "refused_share": round(float(refused), 6)}
    jobs.commit(job, headline, manifest_sha256, len(trained.labels), live=version.promote is Promote.AUTO)
