"""The training of a version that is imported: its classifier comes from what Prepare has kept of the archive."""

from __future__ import annotations

import json
import time

from winnow.aws import resources
from winnow.domain.job import Progress, Stage, TrainingJob
from winnow.domain.model import VersionStatus
from winnow.prediction import encoders
from winnow.training.choose import Candidate
from winnow.training.zero_shot import NO_EPOCHS


def import_artifact(job: TrainingJob, recipe: str) -> Candidate:
    """Write the artifact of an imported version with our own code. DatasetError if it can't be read; EncoderError."""
    from winnow.recipes.imported import imported  # noqa: PLC0415 - few trainings need it

    began = time.monotonic()
    kept = resources.checkpoints().read(job, recipe)
    if kept is None:
        # An event out of order. Nothing is missing, so the version must not fail.
        message = "Train came before Prepare"
        raise RuntimeError(message)
    about, _, model = kept.getvalue().partition(b"\n")
    trained = imported(json.loads(about), model, encoders.find)
    # With the encoders in the registry, no deployment can drop one.
    needed = {"encoder": trained.encoder, "encoders": trained.encoders}
    resources.jobs().note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), **needed)
    manifest_sha256 = resources.candidates().write(job, recipe, trained.to_files(), NO_EPOCHS)
    return Candidate(recipe, None, round(time.monotonic() - began, 1), manifest_sha256)
