"""The workflow's work with spaCy: train on the frozen examples in segments, then evaluate and publish.

Each can be repeated without harm, and one that was killed anywhere goes on from the job's last checkpoint.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from winnow import comparison
from winnow.aws import resources
from winnow.choice import Candidate, Choice, choose
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import Hyperparameters, Progress, Promote, Stage, TrainingJob
from winnow.domain.model import Model, Version, VersionStatus
from winnow.evaluation import figures
from winnow.evaluation.report import evaluation_report
from winnow.prediction import encoders
from winnow.prediction.loading import load
from winnow.recipes import pipeline
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.calibration import scores_of
from winnow.recipes.catalogue import AUTO, OF_ENCODER
from winnow.recipes.encoder import described
from winnow.recipes.label_matrix import label_flags
from winnow.training import Training, settings_for

if TYPE_CHECKING:
    from winnow.recipes.encoder import Encoding

# Left over of the Lambda's time to write a checkpoint in, which may be some hundred megabytes.
_SECONDS_TO_SAVE = 60.0
_SECONDS_BETWEEN_CHECKPOINTS = 110.0
# A note of progress is also the look whether the job was cancelled.
_SECONDS_BETWEEN_NOTES = 2.0
_HEADLINE = ("examples", "accuracy", "macro_f1", "micro_f1", "weighted_f1")
_NO_FURTHER = "The training comes no further in the time that one Lambda has: train on fewer texts (n_texts)."


def train(
    job: TrainingJob, recipe: str, recipes: Sequence[str], seconds_left: Callable[[], float], clock: Callable[[], float] = time.monotonic
) -> Candidate | None:
    """One segment: train by a recipe on the frozen training examples, from the last checkpoint on, for as long as this Lambda may run.

    recipes: all that are tried, this one among them; each on its own. None where the training isn't done and another segment is to go on.
    """
    jobs, storage = resources.jobs(), resources.storage()
    version = resources.models().version_of_job(job)
    examples, chosen = storage.frozen_examples(job, "train"), Hyperparameters(**version.hyperparameters)
    encoding = _encoding(version) if recipe in OF_ENCODER else None
    training = Training(recipe, examples, chosen, exclusive=version.dataset["exclusive"], encoding=encoding)
    if checkpoint := storage.read_checkpoint(job, recipe):
        training.resume(checkpoint)

    def note(**known: dict[str, Any]) -> None:
        # Of several, the last and dearest says how far the job is; but each renews the lease, and hears that the job was cancelled.
        jobs.note(job, VersionStatus.TRAINING, _progress(training) if recipe == recipes[-1] else None, **known)

    # Where the recipe is chosen, each candidate begins with what the client asked for, and not with what another made of it.
    known = {} if version.recipe == AUTO else {"hyperparameters": asdict(training.settings)}
    # From now on no deployment drops the encoder, and the next segment takes the same.
    note(**known, **({"encoder": described(encoding)} if encoding else {}))
    noted = saved = clock()
    began_at = training.share
    for _ in training.steps():
        if seconds_left() < _SECONDS_TO_SAVE:
            if training.share <= began_at:
                return Candidate(recipe, failed=_NO_FURTHER)
            _save(training, job, recipe)
            return None
        if clock() - noted >= _SECONDS_BETWEEN_NOTES:
            note()
            noted = clock()
        if clock() - saved >= _SECONDS_BETWEEN_CHECKPOINTS:
            _save(training, job, recipe)
            saved = clock()
    note()
    result = training.result()
    story = {"epochs": training.history, "stopped": training.stopped, "strangers": training.strangers(result)}
    manifest_sha256 = storage.write_candidate(job, recipe, result.to_files(), story)
    return Candidate(recipe, training.held_out_score, round(training.seconds, 1), manifest_sha256)


def _encoding(version: Version) -> Encoding:
    """The sentence encoder that the version was begun with, else the one for trainings."""
    return encoders.find(version.encoder["name"], version.encoder["digest"]) if version.encoder else encoders.for_training()


def _save(training: Training, job: TrainingJob, recipe: str) -> None:
    with io.BytesIO() as file:
        training.save(file)
        resources.storage().write_checkpoint(job, recipe, file)


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


def publish(job: TrainingJob, candidates: Sequence[Candidate]) -> None:
    """Take the best candidate and evaluate its artifact, exactly as it will answer, on the held-out test examples; then the version is
    ready, and live if wanted. TrainingFailedError where no candidate could be trained."""
    jobs, storage = resources.jobs(), resources.storage()
    jobs.note(job, VersionStatus.EVALUATING, Progress.of(Stage.EVALUATING))
    version = resources.models().version_of_job(job)
    choice = choose(candidates)
    manifest_sha256 = choice.winner.manifest_sha256
    storage.take_candidate(job, choice.winner.recipe)
    trained = load(storage, job, manifest_sha256)
    headline = _evaluate(version, trained)
    known = {"encoder": trained.encoder} | (_chosen(version, trained, candidates, choice) if version.recipe == AUTO else {})
    about = {"model_id": job.model_id, "version": job.version, "accuracy": headline["accuracy"], "macro_f1": headline["macro_f1"]}
    storage.write_pipeline(job, pipeline.archive(trained, f"{job.model_id}-{job.version}", about))
    storage.remove_leftovers(job, manifest_sha256)
    while True:
        model = resources.models().get(job.model_id)
        live = _live(version, model)
        judged = comparison.gate(live, version, trained, model.tolerance) if live and version.promote is Promote.IF_BETTER else None
        goes_live = version.promote is not Promote.NEVER and (judged is None or judged.passed)
        try:
            jobs.commit(job, headline, manifest_sha256, len(trained.labels), live=goes_live, gate=judged, **known)
        except JobSupersededError:
            # Unless it was overtaken only in what it was held against: another version was promoted meanwhile.
            if judged is None or resources.models().get(job.model_id).live_version == judged.against:
                raise
        else:
            return


def _chosen(version: Version, trained: TrainedClassifier, candidates: Sequence[Candidate], choice: Choice) -> dict[str, Any]:
    """What is known of a version's recipe once it is chosen."""
    chosen, texts = Hyperparameters(**version.hyperparameters), version.dataset["train_examples"]
    settings = settings_for(trained.recipe, chosen, texts, len(trained.labels), exclusive=trained.exclusive)
    return {
        "recipe": trained.recipe,
        "hyperparameters": asdict(settings),
        "chosen": version.hyperparameters,
        "selection": {"candidates": [candidate.as_dict() for candidate in candidates], "reason": choice.reason},
    }


def _evaluate(version: Version, trained: TrainedClassifier) -> dict[str, Any]:
    """Write the evaluation and its figures. Returns the headline figures."""
    storage, job = resources.storage(), version.job
    examples = storage.frozen_examples(job, "test")
    texts = [example.text for example in examples]
    judged = trained.judged(texts)
    report = evaluation_report(
        truth=label_flags(examples, trained.labels),
        scores=judged.scores,
        uncalibrated=scores_of(judged.logits, 1.0, exclusive=trained.exclusive),
        thresholds=trained.thresholds,
        labels=trained.labels,
        exclusive=trained.exclusive,
        rows=[example.row for example in examples],
        texts=texts if version.hyperparameters["keep_texts"] else None,
    )
    whole = {**report, **storage.epochs(job)}
    storage.write_report(job, "evaluation.json", whole)
    for name, svg in figures.draw(whole).items():
        storage.write_figure(job, name, svg)
    headline: dict[str, Any] = {name: report[name] for name in _HEADLINE} | {"ece": report["calibration"]["after"]["ece"]}
    headline["stopped"] = whole["stopped"]
    if trained.exclusive:
        refused = 1 - trained.accepts(judged).mean()
        headline |= {"threshold": trained.thresholds[0], "refused_share": round(float(refused), 6)}
        headline |= {"least_familiarity": trained.least_familiarity, "let_through": (whole["strangers"] or {}).get("let_through")}
    return headline


def _live(version: Version, model: Model) -> Version | None:
    """The live version of the model, None where there is none."""
    if model.live_version is None:
        return None
    return resources.models().version_of_job(replace(version.job, version=model.live_version))
