"""The evaluations of a version on further files, by their ids, under the prefix of the version's job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from winnow.domain.job import TrainingJob
from winnow.storage.job_objects import changed, read_of_job

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


class FileEvaluations:
    """The evaluations in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, evaluation_id: str, record: Mapping[str, Any], dial: bytes | None = None) -> None:
        """Keep the status of an evaluation and, when it is ready, what it found and its dial, which is written first."""
        known = {} if dial is None else {"dial_sha256": hashlib.sha256(dial).hexdigest()}
        if dial is not None:
            self._bucket.put(job.prefix + _dial(evaluation_id), dial)
        self._bucket.put_json(job.prefix + _record(evaluation_id), {**record, **known})

    def find(self, job: TrainingJob, evaluation_id: str) -> dict[str, Any] | None:
        """What `write` wrote last, or None."""
        body = self._bucket.find(job.prefix + _record(evaluation_id))
        return None if body is None else dict(json.loads(body))

    def dial(self, job: TrainingJob, evaluation_id: str, sha256: str) -> bytes:
        """The dial with this digest. ArtifactError if it is missing or changed."""
        body = read_of_job(self._bucket, job, _dial(evaluation_id))
        if hashlib.sha256(body).hexdigest() != sha256:
            raise changed(job, _dial(evaluation_id))
        return body


def _record(evaluation_id: str) -> str:
    return f"evaluations/{evaluation_id}.json"


def _dial(evaluation_id: str) -> str:
    return f"evaluations/{evaluation_id}.npz"
