"""Versions as spaCy pipelines, for download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from winnow.domain.job import TrainingJob
from winnow.storage.job_objects import Digests, changed, lacking, write_once_of_job

if TYPE_CHECKING:
    from winnow.domain.model import Version
    from winnow.storage.bucket import Bucket, Link

PIPELINE = "pipeline.tar.gz"


class Pipelines:
    """The pipelines in a bucket, by version."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, archive: bytes) -> Digests:
        """Write a version as a pipeline."""
        return write_once_of_job(self._bucket, job, PIPELINE, archive, "application/gzip")

    def link(self, version: Version) -> Link:
        """A link to what `write` wrote. ArtifactError if it is missing or changed."""
        job, sha256 = version.job, version.digests.get(PIPELINE)
        found = self._bucket.link(job.prefix + PIPELINE, f"{job.model_id}-{job.version}.tar.gz")
        if found is None:
            raise lacking(job, PIPELINE)
        if sha256 is not None and self._bucket.sha256(job.prefix + PIPELINE) != sha256:
            raise changed(job, PIPELINE)
        return found
