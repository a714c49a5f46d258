"""The workflow's first step: read a client's data set, write its report, split it and freeze the parts. Works without the spaCy layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from winnow.aws import resources
from winnow.datasets.languages import as_dicts
from winnow.datasets.split import sample, split, with_test_set
from winnow.domain.dataset import OF_TEST_SET, DatasetReference
from winnow.domain.errors import DatasetError
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob
from winnow.domain.model import Version, VersionStatus
from winnow.recipes.catalogue import ZERO_SHOT, candidates, most_cross_validated
from winnow.training.estimate import Size, characters_of, estimates
from winnow.training.prepare_artifact import prepare_artifact
from winnow.training.prepare_feedback import prepare_feedback
from winnow.training.prepare_labels import prepare_labels
from winnow.training.read_dataset import read


def prepare_training(job: TrainingJob) -> list[dict[str, Any]]:
    """Freeze the training and the test examples of the job. Returns the candidates: the recipes to try, the cheapest first.

    One that is too large for a Lambda has `large`: the size of its container, as Fargate takes it.

    An imported version has one candidate, of the recipe that its archive says.
    EncoderError if the deployment no longer has the encoder that the recipe needs. DatasetError if the data set can't be trained on;
    its report says why. Once the registry has the data set's figures, a repetition changes nothing, even if the client has replaced
    the object.
    """
    version = resources.versions().of_job(job)
    if "artifact" in version.dataset:
        return [{"recipe": prepare_artifact(job, version)}]
    tried = candidates(version.recipe, has_encoder=resources.has_encoder())
    if "examples" not in version.dataset:
        resources.jobs().note(job, VersionStatus.TRAINING, Progress.of(Stage.PREPARING))
        if version.recipe == ZERO_SHOT:
            prepare_labels(job, version)
        elif version.feedback is None:
            _freeze(job, version, most_cross_validated(tried))
        else:
            prepare_feedback(job, version, version.feedback, most_cross_validated(tried))
    large = _large(job, tried)
    return [{"recipe": recipe, **large.get(recipe, {})} for recipe in tried]


def _large(job: TrainingJob, recipes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`large` of the recipes that need a container."""
    limits = resources.training_limits()
    if not limits.containers:
        return {}
    version = resources.versions().of_job(job)
    # A training that an earlier release prepared doesn't know its characters: it began in Lambdas.
    if "characters" not in version.dataset:
        return {}
    size = Size(version.dataset["train_examples"], version.dataset["labels"], version.dataset["characters"])
    found = estimates(recipes, size, version.hyperparameters["n_iter"], limits)
    return {each.recipe: {"large": each.container.for_fargate()} for each in found if each.container}


def _freeze(job: TrainingJob, version: Version, cross_validated: int) -> None:
    """Read the client's data set, write its report, split it, and freeze the parts."""
    jobs, frozen = resources.jobs(), resources.frozen_examples()
    chosen = Hyperparameters(**version.hyperparameters)
    whole = read(
        DatasetReference.of(version.dataset), exclusive=chosen.exclusive, rare_labels=chosen.rare_labels, keep=True, recipe=version.recipe
    )
    digests = resources.version_reports().write_dataset_report(job, whole.as_dict())
    if refusal := whole.refusal(f"GET /models/{job.model_id}/versions/{job.version}/report"):
        jobs.note(job, VersionStatus.TRAINING, None, digests=digests)
        raise DatasetError(refusal)
    examples = whole.data.examples
    used = examples if chosen.n_texts is None else sample(examples, chosen.n_texts, chosen.seed)
    if whole.test is None:
        parts = split(used, chosen.seed, most_cross_validated=cross_validated, exclusive=chosen.exclusive)
    else:
        tested = [replace(example, source=OF_TEST_SET) for example in whole.test.examples]
        parts = with_test_set(used, tested, chosen.seed, exclusive=chosen.exclusive)
    digests |= frozen.write(job, "train", parts.train) | frozen.write(job, "test", parts.test)
    dataset = {
        **version.dataset,
        **whole.data.pinned(),
        "examples": len(parts.train) + len(parts.test),
        "train_examples": len(parts.train),
        "test_examples": len(parts.test),
        "labels": len(parts.labels),
        "characters": characters_of(parts.train),
        "exclusive": parts.exclusive,
        "warnings": whole.warnings,
        "languages": as_dicts(whole.data.report.languages),
    }
    if len(used) < len(examples):
        dataset["sampled_from"] = len(examples)
    if whole.test is not None:
        dataset["test_set"] = whole.test.pinned()
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), dataset=dataset, digests=digests)
