"""The workflow's first step: a client's data set, read, reported on, parted, and frozen. Never needs the spaCy layer."""

from __future__ import annotations

from winnow import deployment
from winnow.datasets.formats import Reader
from winnow.datasets.report import Counting
from winnow.datasets.split import sample, split
from winnow.domain import DatasetReference, Example, Hyperparameters, Progress, Stage, TrainingJob, VersionStatus
from winnow.errors import DatasetError

REPORT = "report.json"


def prepare(job: TrainingJob) -> None:
    """Freeze the training and the test examples of the job. DatasetError where the data set can't be trained on; its report says all.

    Once they are frozen, and the registry knows of what they are, a repetition changes nothing: the client's object may be another by now.
    """
    jobs, storage = deployment.jobs(), deployment.storage()
    version = deployment.models().version_of_job(job)
    if "sha256" in version.dataset:
        return
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.PREPARING))
    reference = DatasetReference(version.dataset["s3bucket"], version.dataset["training_object"])
    chosen = Hyperparameters(**version.hyperparameters)
    opened = deployment.datasets().open(reference.s3bucket, reference.training_object)
    reader = Reader(opened.stream, reference.training_object, deployment.ceilings())
    counting = Counting(deployment.ceilings(), exclusive=chosen.exclusive)
    examples = [found for found in reader if counting.add(found) and isinstance(found, Example)]
    report = counting.report()
    storage.write_report(job, REPORT, {**reader.facts(), **report.as_dict()})
    if refusal := report.refusal(f"GET /models/{job.model_id}/versions/{job.version}/report"):
        raise DatasetError(refusal)
    used = examples if chosen.n_texts is None else sample(examples, chosen.n_texts, chosen.seed)
    parts = split(used, chosen.seed, exclusive=chosen.exclusive)
    storage.freeze_examples(job, "train", parts.train)
    storage.freeze_examples(job, "test", parts.test)
    dataset = {
        **version.dataset,
        "sha256": reader.sha256(),
        "etag": opened.etag,
        "version_id": opened.version_id,
        "examples": len(parts.train) + len(parts.test),
        "train_examples": len(parts.train),
        "test_examples": len(parts.test),
        "labels": len(parts.labels),
        "exclusive": parts.exclusive,
        "warnings": report.warnings,
    }
    if len(used) < len(examples):
        dataset["sampled_from"] = len(examples)
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), dataset=dataset)
