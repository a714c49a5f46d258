"""The first step of a version from feedback: merge the examples of its base and its feedback batches into one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from winnow.aws import resources
from winnow.datasets.languages import Sample, as_dicts
from winnow.datasets.merge import merge
from winnow.domain.dataset import Example
from winnow.domain.errors import DatasetError, VersionNotFoundError
from winnow.domain.feedback import TakenFeedback
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob
from winnow.domain.model import Version, VersionStatus

# The facts about the client's object. A version from feedback copies them from its base.
_OF_THE_OBJECT = ("s3bucket", "training_object", "sha256", "etag", "version_id")


def prepare_feedback(job: TrainingJob, version: Version, feedback: TakenFeedback, most_cross_validated: int) -> None:
    """Freeze the training and the test examples of the job. DatasetError if they can't be trained on.

    The base's examples are its frozen ones, because the client may have replaced the object.
    """
    frozen, objects = resources.frozen_examples(), resources.feedback_objects()
    base = _base(replace(job, version=feedback.base))
    batches = resources.feedback_batches().taken(job.uid, feedback)
    merged = merge(
        frozen.read(base.job, "train"),
        frozen.read(base.job, "test"),
        [example for batch in batches for example in objects.read(job.uid, batch.batch)],
        Hyperparameters(**version.hyperparameters).seed,
        most_cross_validated=most_cross_validated,
        exclusive=base.dataset["exclusive"],
    )
    parts = merged.parts
    frozen.write(job, "train", parts.train)
    frozen.write(job, "test", parts.test)
    dataset = {
        **{name: base.dataset[name] for name in _OF_THE_OBJECT},
        "base": {"version": feedback.base},
        "examples": len(parts.train) + len(parts.test),
        "train_examples": len(parts.train),
        "test_examples": len(parts.test),
        "feedback_examples": merged.feedback,
        "dropped": merged.dropped,
        "relabelled": merged.relabelled,
        "labels": len(parts.labels),
        "exclusive": parts.exclusive,
        "warnings": 0,
        "languages": as_dicts(_languages(parts.train)),
    }
    resources.jobs().note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), dataset=dataset)


def _languages(examples: Sequence[Example]) -> dict[str, float]:
    sample = Sample()
    for example in examples:
        sample.add(example.text)
    return sample.languages()


def _base(job: TrainingJob) -> Version:
    try:
        return resources.versions().of_job(job)
    except VersionNotFoundError as error:
        raise DatasetError(
            f"Version {job.version}, whose examples this version builds on, was deleted:"
            " send feedback again to build on the version that is live then."
        ) from error
