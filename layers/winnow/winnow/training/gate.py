"""The gate: a new version goes live only if it is at least as good as the live one, on texts that neither was trained on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from winnow.aws import resources
from winnow.aws.metrics import count
from winnow.datasets.split import text_key
from winnow.domain.dataset import Example
from winnow.domain.errors import ArtifactError, EncoderError, NothingToCompareError
from winnow.domain.job import TrainingJob
from winnow.domain.model import Gate, Version
from winnow.evaluation.difference import comparison_report
from winnow.prediction.loading import load
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.label_matrix import flags_of


def judge(live: Version, made: Version, trained: TrainedClassifier, tolerance: float) -> Gate:
    """Whether a new version may replace the live one: its macro-F1 is at most `tolerance` lower."""
    try:
        report = difference(live, made, loaded(live), trained, None)
    except (NothingToCompareError, EncoderError, ArtifactError) as error:
        if isinstance(error, ArtifactError):
            count("RefusedArtifacts")
        return Gate(live.job.version, passed=False, examples=0, reason=f"{error.sentence} Promote it yourself if it should answer.")
    old, new = report["before"]["macro_f1"], report["after"]["macro_f1"]
    passed = new >= old - tolerance
    how = "at least" if passed else "less than"
    least = f"{old:.4f} of the live version {live.job.version}" + (f" minus the tolerance of {tolerance:g}" if tolerance else "")
    reason = f"Its macro-F1 of {new:.4f} is {how} the {least}, on {report['examples']:,} examples that neither was trained on."
    if not passed:
        worst = ", ".join(f"{label['label']} ({label['before']:.2f} → {label['after']:.2f})" for label in report["per_label"][:3])
        reason += f" The labels that got worse the most: {worst}. Promote it yourself if it should still answer."
    return Gate(live.job.version, passed=passed, examples=report["examples"], reason=reason, live_macro_f1=old, macro_f1=new)


def difference(before: Version, after: Version, old: TrainedClassifier, new: TrainedClassifier, most: int | None) -> dict[str, Any]:
    """The `comparison_report` of two loaded versions, and `labels_of`, the version whose labels of the texts count: the newest.

    most: the largest number of examples to compare on, drawn with a fixed seed.
    """
    newest = max(before.job, after.job, key=lambda job: job.version)
    examples = _untrained(before.job, after.job, newest)
    if most is not None and len(examples) > most:
        examples = random.Random(0).sample(examples, most)
    texts = [example.text for example in examples]
    labels = sorted({*old.labels, *new.labels, *(label for example in examples for label in example.labels)})
    truth = flags_of([example.labels for example in examples], labels)
    report = comparison_report(truth, flags_of(old.choose(texts), labels), flags_of(new.choose(texts), labels), labels)
    return {**report, "labels_of": newest.version}


def _untrained(before: TrainingJob, after: TrainingJob, newest: TrainingJob) -> Sequence[Example]:
    """The held-out examples of both versions, each text once, without those that either was trained on.

    If feedback corrected a text's label, the label of the newest version counts.
    """
    frozen = resources.frozen_examples()
    jobs = sorted((before, after), key=lambda job: job is newest)
    held_out = {text_key(example.text): example for job in jobs for example in frozen.read(job, "test")}
    for job in (before, after):
        for example in frozen.read(job, "train"):
            held_out.pop(text_key(example.text), None)
    if not held_out:
        raise NothingToCompareError(before.model_id, before.version, after.version)
    return list(held_out.values())


def loaded(version: Version) -> TrainedClassifier:
    """The classifier of a ready version."""
    return load(resources.artifacts(), version.job, version.manifest_sha256)
