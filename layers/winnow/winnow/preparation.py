"""The workflow's first step: a client's data set, read, checked, parted, and frozen. Never needs the spaCy layer."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from winnow import deployment, retraining
from winnow.datasets.formats import read_examples
from winnow.datasets.split import sample, split
from winnow.domain import DatasetReference, Hyperparameters, Progress, Stage, TrainingJob, VersionStatus


def prepare(job: TrainingJob) -> None:
    """Freeze the training and the test examples of the job. DatasetError where the data set can't be trained on.

    Once they are frozen, and the registry knows of what they are, a repetition changes nothing: the client's object may be another by now.
    """
    jobs, storage = deployment.jobs(), deployment.storage()
    version = deployment.models().version_of_job(job)
    if "sha256" in version.dataset:
        return
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.PREPARING))
    if version.feedback is not None:
        retraining.prepare(job, version, version.feedback)
        return
    reference = DatasetReference(version.dataset["s3bucket"], version.dataset["training_object"])
    read = deployment.datasets().read(reference)
    examples = read_examples(read.body)
    chosen = Hyperparameters(**version.hyperparameters)
    parts = split(
        examples if chosen.n_texts is None else sample(examples, chosen.n_texts, chosen.seed), chosen.seed, exclusive=chosen.exclusive
    )
    storage.freeze_examples(job, "train", parts.train)
    storage.freeze_examples(job, "test", parts.test)
    dataset = {
        **asdict(reference),
        "sha256": hashlib.sha256(read.body).hexdigest(),
        "etag": read.etag,
        "version_id": read.version_id,
        "examples": len(parts.train) + len(parts.test),
        "train_examples": len(parts.train),
        "test_examples": len(parts.test),
        "labels": len(parts.labels),
        "exclusive": parts.exclusive,
    }
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), dataset=dataset)
