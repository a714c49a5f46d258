"""Reads an object that a training job wrote for its version. Has the errors for a missing and for a changed object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from winnow.domain.errors import ArtifactError
from winnow.domain.job import TrainingJob

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


def read_of_job(bucket: Bucket, job: TrainingJob, key: str, name: str | None = None) -> bytes:
    """An object by its key under the job's prefix. ArtifactError if it is missing. name: its name in the error (default: its key)."""
    body = bucket.find(job.prefix + key)
    if body is None:
        raise lacking(job, name or key)
    return body


def lacking(job: TrainingJob, name: str) -> ArtifactError:
    """The error for a missing object."""
    return ArtifactError(f"The file {name} of version {job.version} of model {job.model_id!r} is missing: train it again.")


def changed(job: TrainingJob, name: str) -> ArtifactError:
    """The error for an object that isn't what the training wrote."""
    return ArtifactError(
        f"The file {name} of version {job.version} of model {job.model_id!r} has changed since its training: train it again."
    )
