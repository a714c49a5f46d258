"""The workflow's work with spaCy: train on the frozen examples in segments, then evaluate and publish.

Each can be repeated without harm, and one that was killed anywhere goes on from the job's last checkpoint.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from winnow import comparison, deployment
from winnow.domain import Hyperparameters, Model, Progress, Promote, Stage, TrainingJob, Version, VersionStatus
from winnow.errors import JobSupersededError, OutOfTimeError
from winnow.evaluation import evaluation_report, figures
from winnow.flags import label_flags
from winnow.recipes import pipeline
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.calibration import scores_of
from winnow.training import Training

# Left over of the Lambda's time to write a checkpoint in, which may be some hundred megabytes.
_SECONDS_TO_SAVE = 60.0
_SECONDS_BETWEEN_CHECKPOINTS = 110.0
# A note of progress is also the look whether the job was cancelled.
_SECONDS_BETWEEN_NOTES = 2.0
_HEADLINE = ("examples", "accuracy", "macro_f1", "micro_f1", "weighted_f1")
_EPOCHS = "epochs.json"


def train(job: TrainingJob, seconds_left: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> str | None:
    """One segment: train on the frozen training examples, from the last checkpoint on, for as long as this Lambda may still run.

    Returns the SHA-256 of the artifact's manifest; None where the training isn't done and another segment is to go on.
    OutOfTimeError where a segment comes no further at all.
    """
    jobs, storage = deployment.jobs(), deployment.storage()
    version = deployment.models().version_of_job(job)
    examples = storage.frozen_examples(job, "train")
    training = Training(version.recipe, examples, Hyperparameters(**version.hyperparameters), exclusive=version.dataset["exclusive"])
    if checkpoint := storage.read_checkpoint(job):
        training.resume(checkpoint)
    jobs.note(job, VersionStatus.TRAINING, _progress(training), hyperparameters=asdict(training.settings))
    noted = saved = clock()
    began_at = training.share
    for _ in training.steps():
        if seconds_left() < _SECONDS_TO_SAVE:
            if training.share <= began_at:
                raise OutOfTimeError("The training comes no further in the time that one Lambda has: train on fewer texts (n_texts).")
            _save(training, job)
            return None
        if clock() - noted >= _SECONDS_BETWEEN_NOTES:
            jobs.note(job, VersionStatus.TRAINING, _progress(training))
            noted = clock()
        if clock() - saved >= _SECONDS_BETWEEN_CHECKPOINTS:
            _save(training, job)
            saved = clock()
    jobs.note(job, VersionStatus.TRAINING, _progress(training))
    storage.write_report(job, _EPOCHS, {"epochs": training.history, "stopped": training.stopped})
    return storage.write_artifact(job, training.result().to_files())


def _save(training: Training, job: TrainingJob) -> None:
    with io.BytesIO() as file:
        training.save(file)
        deployment.storage().write_checkpoint(job, file)


def _progress(training: Training) -> Progress:
    left, loss = training.seconds_to_go, training.loss
    return replace(
        Progress.of(Stage.TRAINING, training.share),
        eta_seconds=None if left is None else round(left),
        epoch=training.epoch,
        epochs=training.passes,
        loss=loss if loss is None or math.isfinite(loss) else None,
        score=training.score,
    )


def publish(job: TrainingJob, manifest_sha256: str) -> None:
    """Evaluate the artifact, exactly as it will answer, on the held-out test examples; then it is ready, and live if wanted."""
    jobs, storage = deployment.jobs(), deployment.storage()
    jobs.note(job, VersionStatus.EVALUATING, Progress.of(Stage.EVALUATING))
    version = deployment.models().version_of_job(job)
    trained = TrainedClassifier.from_files(storage.read_artifact(job, manifest_sha256))
    headline = _evaluate(version, trained)
    about = {"model_id": job.model_id, "version": job.version, "accuracy": headline["accuracy"], "macro_f1": headline["macro_f1"]}
    storage.write_pipeline(job, pipeline.archive(trained, f"{job.model_id}-{job.version}", about))
    storage.remove_leftovers(job, manifest_sha256)
    while True:
        model = deployment.models().get(job.model_id)
        live = _live(version, model)
        judged = comparison.gate(live, version, trained, model.tolerance) if live and version.promote is Promote.IF_BETTER else None
        goes_live = version.promote is not Promote.NEVER and (judged is None or judged.passed)
        try:
            jobs.commit(job, headline, manifest_sha256, len(trained.labels), live=goes_live, gate=judged)
        except JobSupersededError:
            # Unless it was overtaken only in what it was held against: another version was promoted meanwhile.
            if judged is None or deployment.models().get(job.model_id).live_version == judged.against:
                raise
        else:
            return


def _evaluate(version: Version, trained: TrainedClassifier) -> dict[str, Any]:
    """Write the evaluation and its figures. Returns the headline figures."""
    storage, job = deployment.storage(), version.job
    examples = storage.frozen_examples(job, "test")
    texts = [example.text for example in examples]
    logits = trained.classifier.logits(texts)
    scores = scores_of(logits, trained.temperature, exclusive=trained.exclusive)
    report = evaluation_report(
        truth=label_flags(examples, trained.labels),
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
    headline["stopped"] = whole["stopped"]
    if trained.exclusive:
        refused = (scores.max(axis=1) < trained.thresholds[0]).mean()
        headline |= {"threshold": trained.thresholds[0], "refused_share": round(float(refused), 6)}
    return headline


def _live(version: Version, model: Model) -> Version | None:
    """The live version of the model, None where there is none."""
    if model.live_version is None:
        return None
    return deployment.models().version_of_job(replace(version.job, version=model.live_version))
