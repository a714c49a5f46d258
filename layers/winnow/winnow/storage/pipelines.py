"""Versions as spaCy pipelines, for download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from winnow.domain.job import TrainingJob
from winnow.storage.job_objects import lacking

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket, Link

_PIPELINE = "pipeline.tar.gz"


class Pipelines:
    """The pipelines in a bucket, by the jobs that made the versions."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, archive: bytes) -> None:
        """Write a version as a pipeline."""
        self._bucket.put(job.prefix + _PIPELINE, archive, "application/gzip")

    def link(self, job: TrainingJob) -> Link:
        """A link to what `write` wrote. ArtifactError if there is none."""
        found = self._bucket.link(job.prefix + _PIPELINE, f"{job.model_id}-{job.version}.tar.gz")
        if found is None:
            raise lacking(job, _PIPELINE)
        return found
