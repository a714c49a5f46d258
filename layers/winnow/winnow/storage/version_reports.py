"""The reports of a version: on its data set, its evaluation with figures, its suspects, and the history of its epochs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from winnow.domain.errors import ArtifactError, FigureNotFoundError
from winnow.domain.job import TrainingJob
from winnow.domain.model import FIGURES
from winnow.storage.job_objects import read_of_job

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket

EPOCHS = "epochs.json"
HELD_OUT = "held-out.npz"
_DATASET = "report.json"
_EVALUATION = "evaluation.json"
_SUSPECTS = "suspects.json"


class VersionReports:
    """The reports of versions in a bucket, by the jobs that made the versions."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write_dataset_report(self, job: TrainingJob, report: Mapping[str, Any]) -> None:
        """Write the report on the job's data set."""
        write_report(self._bucket, job, _DATASET, report)

    def dataset_report(self, job: TrainingJob) -> dict[str, Any] | None:
        """What `write_dataset_report` wrote, or None."""
        try:
            return self._read(job, _DATASET)
        except ArtifactError:
            return None

    def write_evaluation(self, job: TrainingJob, evaluation: Mapping[str, Any]) -> None:
        """Write the version's evaluation."""
        write_report(self._bucket, job, _EVALUATION, evaluation)

    def evaluation(self, job: TrainingJob) -> dict[str, Any]:
        """What `write_evaluation` wrote. ArtifactError if there is none."""
        return self._read(job, _EVALUATION)

    def write_suspects(self, job: TrainingJob, suspects: Mapping[str, Any]) -> None:
        """Write the examples whose labels look wrong."""
        self._bucket.put_json(job.prefix + _SUSPECTS, suspects)

    def suspects(self, job: TrainingJob) -> dict[str, Any] | None:
        """What `write_suspects` wrote, or None: earlier releases wrote none."""
        body = self._bucket.find(job.prefix + _SUSPECTS)
        return None if body is None else dict(json.loads(body))

    def write_figure(self, job: TrainingJob, name: str, svg: str) -> None:
        """Write a figure of the version's evaluation."""
        self._bucket.put(job.prefix + _figure(name), svg.encode(), "image/svg+xml")

    def figure(self, job: TrainingJob, name: str) -> str:
        """What `write_figure` wrote. ArtifactError if there is none; FigureNotFoundError if an earlier release wrote the others."""
        try:
            return read_of_job(self._bucket, job, _figure(name)).decode()
        except ArtifactError as error:
            if name == FIGURES[-1]:
                # Versions of earlier releases have no learning curve.
                raise FigureNotFoundError(FIGURES[:-1]) from error
            raise

    def epochs(self, job: TrainingJob) -> dict[str, Any]:
        """The history of the epochs of the version's training. ArtifactError if there is none."""
        return self._read(job, EPOCHS)

    def held_out(self, job: TrainingJob) -> bytes | None:
        """The answers of the training's folds (`HeldOut`), or None if it has none."""
        return self._bucket.find(job.prefix + HELD_OUT)

    def _read(self, job: TrainingJob, name: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(read_of_job(self._bucket, job, name))
        return report


def write_report(bucket: Bucket, job: TrainingJob, name: str, report: Mapping[str, Any]) -> None:
    """Write a JSON report under the job's prefix."""
    bucket.put_json(job.prefix + name, report, indent=1)


def _figure(name: str) -> str:
    return f"evaluation/{name}"
