"""The label lists of requests without examples: names and descriptions, which may be too large for a row of the registry."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from winnow.domain.job import TrainingJob
from winnow.domain.keys import label_list_key
from winnow.domain.label_names import LabelList
from winnow.storage.job_objects import changed, lacking

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket

_NAME = "labels.json"


class LabelLists:
    """The label lists in a bucket, by job and digest. So two requests that want the same version don't overwrite each other's list."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, labels: LabelList) -> None:
        """Keep the list of a request."""
        self._bucket.put(label_list_key(job.uid, job.version, labels.sha256), labels.to_bytes(), "application/json")

    def read(self, job: TrainingJob, sha256: str) -> LabelList:
        """The list with this digest. ArtifactError if it is missing or changed."""
        body = self._bucket.find(label_list_key(job.uid, job.version, sha256))
        if body is None:
            raise lacking(job, _NAME)
        if hashlib.sha256(body).hexdigest() != sha256:
            raise changed(job, _NAME)
        return LabelList.from_bytes(body)
