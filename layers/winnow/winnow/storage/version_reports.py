"""The reports of a version: on its data set, its evaluation with figures, its suspects, and the history of its epochs.

Each `write_…` returns the digests of what it wrote, for the version's row. Reading checks them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from winnow.domain.errors import FigureNotFoundError
from winnow.domain.job import TrainingJob
from winnow.domain.model import FIGURES
from winnow.storage.job_objects import Digests, read_of_job, write_of_job, write_once_of_job

if TYPE_CHECKING:
    from winnow.domain.model import Version
    from winnow.storage.bucket import Bucket

EPOCHS = "epochs.json"
HELD_OUT = "held-out.npz"
_DATASET = "report.json"
_EVALUATION = "evaluation.json"
_SUSPECTS = "suspects.json"
_DIAL = "dial.npz"
_USUAL = "usual.json"
_JSON = "application/json"


class VersionReports:
    """The reports of versions in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write_dataset_report(self, job: TrainingJob, report: Mapping[str, Any]) -> Digests:
        """Write the report on the job's data set."""
        return write_report(self._bucket, job, _DATASET, report)

    def dataset_report(self, version: Version) -> dict[str, Any] | None:
        """What `write_dataset_report` wrote, or None if nothing was written. ArtifactError."""
        body = self._find(version, _DATASET)
        return None if body is None else dict(json.loads(body))

    def write_evaluation(self, job: TrainingJob, evaluation: Mapping[str, Any]) -> Digests:
        """Write the version's evaluation."""
        return write_once_of_job(self._bucket, job, _EVALUATION, _indented(evaluation), _JSON)

    def evaluation(self, version: Version) -> dict[str, Any]:
        """What `write_evaluation` wrote. ArtifactError if it is missing or changed."""
        return dict(json.loads(self._read(version, _EVALUATION)))

    def write_suspects(self, job: TrainingJob, suspects: Mapping[str, Any]) -> Digests:
        """Write the examples whose labels look wrong."""
        return write_once_of_job(self._bucket, job, _SUSPECTS, json.dumps(suspects, ensure_ascii=False).encode(), _JSON)

    def suspects(self, version: Version) -> dict[str, Any] | None:
        """What `write_suspects` wrote, or None: earlier releases wrote none. ArtifactError."""
        body = self._find(version, _SUSPECTS)
        return None if body is None else dict(json.loads(body))

    def write_dial(self, job: TrainingJob, dial: bytes) -> Digests:
        """Write the version's dial, an archive of `winnow.evaluation.dial`."""
        return write_once_of_job(self._bucket, job, _DIAL, dial)

    def dial(self, version: Version) -> bytes | None:
        """What `write_dial` wrote, or None: earlier releases wrote none, and without examples there is none. ArtifactError."""
        return self._read(version, _DIAL) if _DIAL in version.digests else None

    def write_usual(self, job: TrainingJob, usual: Mapping[str, Any]) -> Digests:
        """Write how the version answers examples that it has not learnt, for drift."""
        return write_once_of_job(self._bucket, job, _USUAL, json.dumps(usual, ensure_ascii=False).encode(), _JSON)

    def usual(self, version: Version) -> dict[str, Any] | None:
        """What `write_usual` wrote, or None: earlier releases wrote none, and without examples there is none. ArtifactError."""
        return dict(json.loads(self._read(version, _USUAL))) if _USUAL in version.digests else None

    def write_figure(self, job: TrainingJob, name: str, svg: str) -> Digests:
        """Write a figure of the version's evaluation."""
        return write_once_of_job(self._bucket, job, _figure(name), svg.encode(), "image/svg+xml")

    def figure(self, version: Version, name: str) -> str:
        """What `write_figure` wrote. ArtifactError; FigureNotFoundError if an earlier release wrote the others without it."""
        # Versions of earlier releases have no learning curve.
        if name == FIGURES[-1] and self._find(version, _figure(name)) is None:
            raise FigureNotFoundError(FIGURES[:-1])
        return self._read(version, _figure(name)).decode()

    def epochs(self, job: TrainingJob) -> dict[str, Any]:
        """The history of the epochs of the version's training. ArtifactError if there is none."""
        return dict(json.loads(read_of_job(self._bucket, job, EPOCHS)))

    def held_out(self, version: Version) -> bytes | None:
        """The answers of the training's folds (`HeldOut`), or None if it has none. ArtifactError."""
        return self._find(version, HELD_OUT)

    def digest_of_held_out(self, version: Version) -> Digests:
        """The digest of the answers of the folds, if there are any."""
        body = self.held_out(version)
        return {} if body is None else {HELD_OUT: hashlib.sha256(body).hexdigest()}

    def _find(self, version: Version, name: str) -> bytes | None:
        """An object of the version. None if its row doesn't know it and it is missing."""
        return self._read(version, name) if name in version.digests else self._bucket.find(version.job.prefix + name)

    def _read(self, version: Version, name: str) -> bytes:
        return read_of_job(self._bucket, version.job, name, sha256=version.digests.get(name))


def write_report(bucket: Bucket, job: TrainingJob, name: str, report: Mapping[str, Any]) -> Digests:
    """Write a JSON report under the job's prefix."""
    return write_of_job(bucket, job, name, _indented(report), _JSON)


def _indented(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, ensure_ascii=False, indent=1).encode()


def _figure(name: str) -> str:
    return f"evaluation/{name}"
