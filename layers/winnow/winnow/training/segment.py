"""One segment of a training: train on the frozen examples while this Lambda, or this container, has time.

A segment can be repeated. If it was killed, the next one goes on from the job's last checkpoint.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob
from winnow.domain.model import TrainedOn, Version, VersionStatus
from winnow.evaluation.learning_curve import learning_curve
from winnow.prediction import encoders
from winnow.recipes.catalogue import AUTO, OF_ENCODER, ZERO_SHOT
from winnow.recipes.encoder import described
from winnow.recipes.encodings import of_recipe
from winnow.training.calibrate import right_by_size
from winnow.training.choose import Candidate, language_of
from winnow.training.fit import Training
from winnow.training.import_artifact import import_artifact
from winnow.training.zero_shot import make_from_labels

if TYPE_CHECKING:
    from winnow.recipes.encoder import Encoding

# The time that is kept for writing the last checkpoint, which may have some hundred megabytes.
_SECONDS_TO_SAVE = 60.0
_SECONDS_BETWEEN_CHECKPOINTS = 110.0
# Writing progress is also how a segment notices that the job was cancelled.
_SECONDS_BETWEEN_NOTES = 2.0
_NO_FURTHER = "The training makes no progress in the time that one Lambda has: train on fewer texts (n_texts)."


def train_segment(
    job: TrainingJob,
    recipe: str,
    recipes: Sequence[str],
    seconds_left: Callable[[], float],
    clock: Callable[[], float] = time.monotonic,
    *,
    on: TrainedOn = TrainedOn.LAMBDA,
) -> Candidate | None:
    """One segment: train with a recipe on the frozen training examples, from the last checkpoint, while there is time.

    recipes: all recipes of the job, this one among them; each is trained on its own. None: another segment must go on. A Lambda that makes
    no progress in its time gives up, because the next one would not either. A container only lacks time when AWS wants it back.
    """
    jobs, checkpoints = resources.jobs(), resources.checkpoints()
    version = resources.versions().of_job(job)
    if "artifact" in version.dataset:
        return import_artifact(job, recipe)
    if recipe == ZERO_SHOT:
        return make_from_labels(job, version)
    if "examples" not in version.dataset:
        # An event out of order. The examples aren't missing, so the version must not fail.
        message = "Train came before Prepare"
        raise RuntimeError(message)
    examples, chosen = resources.frozen_examples().read(version, "train"), Hyperparameters(**version.hyperparameters)
    encodings = _encodings(version, recipe) if recipe in OF_ENCODER else ()
    training = Training(recipe, examples, chosen, exclusive=version.dataset["exclusive"], encoders=encodings)
    if checkpoint := checkpoints.read(job, recipe):
        training.resume(checkpoint)

    def note(**known: Any) -> None:
        # Only the last recipe, the most expensive, reports progress. But each renews the lease and notices that the job was cancelled.
        jobs.note(job, VersionStatus.TRAINING, _progress(training) if recipe == recipes[-1] else None, **known)

    # If the recipe is still to be chosen, each candidate must start from the client's hyperparameters, so none writes its own here.
    known = {} if version.recipe == AUTO else {"hyperparameters": asdict(training.settings)}
    # With the encoders in the registry, no deployment can drop one, and the next segment uses the same ones.
    needed = [described(encoding) for encoding in encodings]
    note(**known, **({"encoder": needed[-1], "encoders": needed} if needed else {}))
    noted = saved = clock()
    began_at = training.share
    for _ in training.steps():
        if seconds_left() < _SECONDS_TO_SAVE:
            if training.share > began_at:
                _save(training, job, recipe)
            elif on is TrainedOn.LAMBDA:
                return Candidate(recipe, failed=_NO_FURTHER)
            return None
        if clock() - noted >= _SECONDS_BETWEEN_NOTES:
            note()
            noted = clock()
        if clock() - saved >= _SECONDS_BETWEEN_CHECKPOINTS:
            _save(training, job, recipe)
            saved = clock()
    note()
    result = training.result()
    story = {
        "epochs": training.folds.history,
        "stopped": training.stopped,
        "strangers": training.folds.strangers(result),
        "learning_curve": learning_curve(right_by_size(result, examples, training.folds.answers_of_curve(), chosen.min_precision)),
    }
    answers = training.folds.answers().to_bytes() if training.folds.plan.cross_validates else None
    manifest_sha256 = resources.candidates().write(job, recipe, result.to_files(), story, answers)
    return Candidate(recipe, training.folds.held_out_score(), round(training.seconds, 1), manifest_sha256, trained_on=on)


def _encodings(version: Version, recipe: str) -> Sequence[Encoding]:
    """The sentence encoders that the version's training began with; at the beginning, those of the recipe in this deployment."""
    if version.encoders:
        return [encoders.find(each["name"], each["digest"]) for each in version.encoders]
    return of_recipe(recipe, encoders.for_training(), language_of(version), resources.encoder_languages())


def _save(training: Training, job: TrainingJob, recipe: str) -> None:
    with io.BytesIO() as file:
        training.save(file)
        resources.checkpoints().write(job, recipe, file)


def _progress(training: Training) -> Progress:
    left, loss = training.seconds_to_go, training.folds.loss
    return replace(
        Progress.of(Stage.TRAINING, training.share),
        eta_seconds=None if left is None else round(left),
        epoch=training.folds.epoch,
        epochs=training.folds.passes,
        loss=loss if loss is None or math.isfinite(loss) else None,
        score=training.folds.score,
    )
