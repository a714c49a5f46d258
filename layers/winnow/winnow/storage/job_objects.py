"""Objects that a training job writes for its version, with their digests. Has the errors for a missing and for a changed object."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from winnow.domain.errors import ArtifactError
from winnow.domain.job import TrainingJob

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket

# The SHA-256 of objects, by their keys under the job's prefix. The version's row keeps them.
Digests = dict[str, str]


def write_of_job(bucket: Bucket, job: TrainingJob, key: str, body: bytes, content_type: str | None = None) -> Digests:
    """Write an object, and replace an existing one."""
    bucket.put(job.prefix + key, body, content_type)
    return {key: _sha256(body)}


def write_once_of_job(bucket: Bucket, job: TrainingJob, key: str, body: bytes, content_type: str | None = None) -> Digests:
    """Write an object, unless an earlier try of the task has written it. Returns the digest of the object that is there.

    So a task that is repeated, or runs twice at the same time, never changes an object whose digest is in the registry.
    """
    written = bucket.put_once(job.prefix + key, body, content_type)
    return {key: _sha256(body if written else read_of_job(bucket, job, key))}


def read_of_job(bucket: Bucket, job: TrainingJob, key: str, name: str | None = None, sha256: str | None = None) -> bytes:
    """An object by its key under the job's prefix. ArtifactError if it is missing or has another digest than sha256.

    name: its name in the error (default: its key). sha256: None if nobody knows the digest.
    """
    body = bucket.find(job.prefix + key)
    if body is None:
        raise lacking(job, name or key)
    if sha256 is not None and _sha256(body) != sha256:
        raise changed(job, name or key)
    return body


def lacking(job: TrainingJob, name: str) -> ArtifactError:
    """The error for a missing object."""
    return ArtifactError(f"The file {name} of version {job.version} of model {job.model_id!r} is missing: train it again.")


def changed(job: TrainingJob, name: str) -> ArtifactError:
    """The error for an object that isn't what the training wrote."""
    return ArtifactError(
        f"The file {name} of version {job.version} of model {job.model_id!r} has changed since its training: train it again."
    )


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
