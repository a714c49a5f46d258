"""The checkpoints of a training job's candidates. A job needs them until one candidate becomes the version."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from winnow.domain.job import TrainingJob

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket

# Under a job's prefix. Each candidate has a folder here, with the name of its recipe.
CHECKPOINTS = "checkpoints/"


class Checkpoints:
    """The checkpoints of trainings in a bucket, by job and recipe."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, recipe: str, content: BytesIO) -> None:
        """Keep the state of a candidate's training. It is one object, so a checkpoint is never half written."""
        content.seek(0)
        self._bucket.put(_checkpoint_key(job, recipe), content)

    def read(self, job: TrainingJob, recipe: str) -> BytesIO | None:
        """What `write` kept last, or None."""
        body = self._bucket.find(_checkpoint_key(job, recipe))
        return None if body is None else BytesIO(body)


def candidate_name(recipe: str, name: str) -> str:
    """The name of a candidate's object under its job's prefix."""
    return f"{CHECKPOINTS}{recipe}/{name}"


def _checkpoint_key(job: TrainingJob, recipe: str) -> str:
    return job.prefix + candidate_name(recipe, "training.npz")
