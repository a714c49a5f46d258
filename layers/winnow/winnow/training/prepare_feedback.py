"""The first step of a version from feedback: merge the examples of its base and its feedback batches into one data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from winnow.aws import resources
from winnow.datasets.languages import Sample, as_dicts
from winnow.datasets.merge import corrected, merge
from winnow.datasets.split import FEWEST_LABELS, FEWEST_TEXTS, listed
from winnow.domain.dataset import Example
from winnow.domain.errors import DatasetError, VersionNotFoundError
from winnow.domain.feedback import TakenFeedback
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob
from winnow.domain.model import Version, VersionStatus
from winnow.domain.normal_form import text_key
from winnow.training.estimate import characters_of
from winnow.training.forgotten import without_forgotten

# The facts about the client's object. A version from feedback copies them from its base.
_OF_THE_OBJECT = ("s3bucket", "training_object", "sha256", "etag", "version_id")


def prepare_feedback(job: TrainingJob, version: Version, feedback: TakenFeedback, most_cross_validated: int) -> None:
    """Freeze the training and the test examples of the job. DatasetError if they can't be trained on.

    The base's examples are its frozen ones, because the client may have replaced the object.
    """
    frozen, objects = resources.frozen_examples(), resources.feedback_objects()
    base = _base(replace(job, version=feedback.base))
    batches = resources.feedback_batches().taken(job.uid, feedback)
    sent = [line for batch in batches for line in objects.read(job.uid, batch)]
    learnt, test = (frozen.read(base, part) for part in ("train", "test"))
    lost: Sequence[str] = ()
    if version.forgetting is not None:
        left = without_forgotten(version.forgetting, learnt, test)
        learnt, test, lost = left.train, left.test, left.lost
    if changes := version.dataset.get("label_changes"):
        learnt, test = ([_changed(example, changes) for example in part] for part in (learnt, test))
        sent = [replace(line, example=_changed(line.example, changes)) for line in sent]
    known = corrected(learnt, test, sent)
    merged = merge(
        known.train,
        known.test,
        _of_frequent_labels(known.feedback) if base.without_examples else known.feedback,
        Hyperparameters(**version.hyperparameters).seed,
        most_cross_validated=most_cross_validated,
        exclusive=base.dataset["exclusive"],
    )
    parts = merged.parts
    known.check(parts)
    digests = frozen.write(job, "train", parts.train) | frozen.write(job, "test", parts.test)
    dataset = {
        **{name: base.dataset[name] for name in _OF_THE_OBJECT},
        "base": {"version": feedback.base},
        **({"label_changes": changes} if changes else {}),
        **({"lost_labels": lost} if lost else {}),
        "examples": len(parts.train) + len(parts.test),
        "train_examples": len(parts.train),
        "test_examples": len(parts.test),
        "feedback_examples": merged.feedback,
        "dropped": merged.dropped,
        "relabelled": merged.relabelled,
        "removed": known.removed,
        "labels": len(parts.labels),
        "characters": characters_of(parts.train),
        "exclusive": parts.exclusive,
        "warnings": 0,
        "languages": as_dicts(_languages(parts.train)),
    }
    warnings = [*_labels_without_examples(base, set(parts.labels)), *_lost(lost)]
    facts = {"dataset": dataset, "warnings": warnings, "digests": digests}
    resources.jobs().note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), **facts)


def _changed(example: Example, changes: Mapping[str, str]) -> Example:
    """The example with the new labels. Two labels that become one are one."""
    return replace(example, labels=tuple(dict.fromkeys(changes.get(label, label) for label in example.labels)))


def _of_frequent_labels(sent: Sequence[Example]) -> list[Example]:
    """The feedback on a version without examples, without labels that are too rare to learn. The newest labels of a text count.

    DatasetError if fewer than two labels would be left.
    """
    newest = {text_key(example.text): example for example in sent}
    texts = Counter(label for example in newest.values() for label in example.labels)
    frequent = {label for label, count in texts.items() if count >= FEWEST_TEXTS}
    if len(frequent) < FEWEST_LABELS:
        raise DatasetError(
            f"The feedback has {FEWEST_TEXTS} texts or more of {len(frequent)} labels: a version that learns from feedback alone needs that"
            " of at least two. The examples are kept: send more."
        )
    kept = ((example, tuple(label for label in example.labels if label in frequent)) for example in newest.values())
    return [replace(example, labels=labels) for example, labels in kept if labels or not example.labels]


def _labels_without_examples(base: Version, known: Set[str]) -> list[str]:
    """The warning about labels of a base without examples that still have too few. Empty if all have enough."""
    if not base.without_examples:
        return []
    named = resources.artifacts().description(base.job, base.manifest_sha256 or "")["labels"]
    if not (lost := sorted(set(named).difference(known))):
        return []
    return [f"The version doesn't know {listed(lost)}, which had fewer than {FEWEST_TEXTS} texts: send examples."]


def _lost(labels: Sequence[str]) -> list[str]:
    """The warning about labels that have too few texts left without what was forgotten."""
    if not labels:
        return []
    return [f"The version doesn't know {listed(labels)}, of which fewer than {FEWEST_TEXTS} texts are left after a forgetting: send more."]


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
