"""The first step of a version without examples: the report on its labels. Works without the spaCy layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from winnow.aws import resources
from winnow.datasets.label_list import report
from winnow.datasets.row_problems import Kind
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob
from winnow.domain.label_names import LabelList
from winnow.domain.model import Version, VersionStatus
from winnow.recipes.catalogue import ZERO_SHOT

NOTHING_MEASURED = (
    "Nothing was measured, because there were no examples: no label is ever accepted, and the scores only rank the labels."
    " Send examples with POST /models/{model_id}/examples, and train on them."
)


def report_on_labels(labels: LabelList, exclusive: bool | None) -> dict[str, Any]:
    """The report on a request's labels. exclusive: what the request says; labels are exclusive if it says nothing."""
    return report(labels, exclusive=exclusive is not False, spoken=resources.languages_read(ZERO_SHOT))


def prepare_labels(job: TrainingJob, version: Version) -> None:
    """Write the report on the version's labels, and freeze no examples, so that everything that reads a version's examples finds none."""
    labels = resources.label_lists().read(job, version.dataset["sha256"])
    found = report_on_labels(labels, Hyperparameters(**version.hyperparameters).exclusive)
    digests = resources.version_reports().write_dataset_report(job, found)
    for part in ("train", "test"):
        digests |= resources.frozen_examples().write(job, part, [])
    dataset = {
        **version.dataset,
        "etag": None,
        "version_id": None,
        "examples": 0,
        "train_examples": 0,
        "test_examples": 0,
        "exclusive": found["exclusive"],
        "warnings": found["warnings"],
        "languages": found["languages"],
    }
    warnings = [NOTHING_MEASURED.format(model_id=job.model_id), *_sentences(found["problems"])]
    known = {"dataset": dataset, "warnings": warnings, "digests": digests}
    resources.jobs().note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), **known)


def _sentences(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the version itself should say of its report: the names that mean nothing."""
    return [
        f"{', '.join(label for row in problem['rows'][:5] for label in row['labels'])}{' …' if problem['count'] > 5 else ''}:"
        f" {problem['sentence']}"
        for problem in problems
        if problem["kind"] == Kind.MEANINGLESS_LABEL
    ]
