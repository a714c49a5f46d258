"""The gate: a new version goes live only if it is at least as good as the live one, on texts that are new to both.

A version that was measured by cross-validation has learnt all its examples. For these, the answers of its folds count.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import accumulate, compress
from typing import Any

from winnow.aws import resources
from winnow.aws.metrics import count
from winnow.datasets.split import listed
from winnow.domain.dataset import Example
from winnow.domain.errors import ArtifactError, EncoderError, NothingToCompareError
from winnow.domain.model import Gate, Version
from winnow.domain.normal_form import text_key
from winnow.evaluation.difference import changed_examples, comparison_report
from winnow.prediction.loading import load
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.label_matrix import flags_of
from winnow.training.measure import folds_answers

# The characters of a short text.
_SHORT = 60


def judge(live: Version, made: Version, trained: TrainedClassifier, tolerance: float) -> Gate:
    """Whether a new version may replace the live one: its macro-F1 is at most `tolerance` lower.

    A version from feedback may not replace one without examples until it knows all its labels.
    """
    try:
        old_classifier = loaded(live)
        changes = made.dataset.get("label_changes", {})
        report = difference(live, made, old_classifier, trained, None, skips_relabelled=True, changes=changes)
    except (NothingToCompareError, EncoderError, ArtifactError) as error:
        if isinstance(error, ArtifactError):
            count("RefusedArtifacts")
        return Gate(live.job.version, passed=False, examples=0, reason=f"{error.sentence} Promote it yourself if it should answer.")
    old, new = report["before"]["macro_f1"], report["after"]["macro_f1"]
    enough = new >= old - tolerance
    how = "at least" if enough else "less than"
    least = f"{old:.4f} of the live version {live.job.version}" + (f" minus the tolerance of {tolerance:g}" if tolerance else "")
    reason = f"Its macro-F1 of {new:.4f} is {how} the {least}, on {report['examples']:,} examples, each answered without having learnt it."
    if report["relabelled"]:
        examples, are = ("example", "is") if report["relabelled"] == 1 else ("examples", "are")
        reason += f" {report['relabelled']:,} {examples} whose labels have changed since {are} left out."
    if not enough:
        worst = ", ".join(f"{label['label']} ({label['before']:.2f} → {label['after']:.2f})" for label in report["per_label"][:3])
        reason += f" The labels that got worse the most: {worst}. Promote it yourself if it should still answer."
    # Without this, feedback on some of the labels would silently take the others away.
    lost = sorted({*old_classifier.labels}.difference(trained.labels)) if live.without_examples and made.feedback is not None else []
    if lost:
        reason += f" But it doesn't know {listed(lost)}: send examples, or promote it yourself if it should answer without these labels."
    passed = enough and not lost
    return Gate(live.job.version, passed=passed, examples=report["examples"], reason=reason, live_macro_f1=old, macro_f1=new)


def difference(
    before: Version,
    after: Version,
    old: TrainedClassifier,
    new: TrainedClassifier,
    most: int | None,
    *,
    skips_relabelled: bool = False,
    changes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The `comparison_report` of two loaded versions, the `changed_examples`, and `labels_of`: the version whose labels count, the newest.

    most: the largest number of examples to compare on, drawn with a fixed seed, and fewer if they are long. skips_relabelled: whether to
    leave out texts whose labels changed between the versions. The gate does, because it can't know which labels are right: wrong feedback
    must not open it. changes: what the labels of `before` are called in `after`, where a client has renamed or merged them.
    """
    named = {before.job.version: changes or {}, after.job.version: {}}
    sides = {
        version.job.version: _Side.of(version, trained, named[version.job.version]) for version, trained in ((before, old), (after, new))
    }
    newest = max(sides)
    # If feedback corrected a text's label, the label of the newest version counts.
    known = {key: example for number in sorted(sides) for key, example in sides[number].held_out.items()}
    fair = {key: example for key, example in known.items() if not any(key in side.learnt for side in sides.values())}
    kept = {key for key in fair if len({side.held_out[key].labels for side in sides.values() if key in side.held_out}) == 1}
    examples = [example for key, example in fair.items() if key in kept or not skips_relabelled]
    if not examples:
        raise NothingToCompareError(before.job.model_id, before.job.version, after.job.version, relabelled=len(fair))
    if most is not None:
        examples = _drawn(examples, most)
    labels = sorted({*sides[before.job.version].labels, *new.labels, *(label for example in examples for label in example.labels)})
    truth = flags_of([example.labels for example in examples], labels)
    was, becomes = (flags_of(sides[version.job.version].choose(examples), labels) for version in (before, after))
    left_out = {"relabelled": len(fair) - len(kept)} if skips_relabelled else {}
    keep_texts = all(version.hyperparameters["keep_texts"] for version in (before, after))
    changed = changed_examples(truth, was, becomes, labels, examples, uid=before.job.uid, keep_texts=keep_texts)
    return {**comparison_report(truth, was, becomes, labels), **changed, "labels_of": newest, **left_out}


def _drawn(examples: Sequence[Example], most: int) -> list[Example]:
    """At least one and at most `most` of the examples. Long texts make them fewer, so that the time is about that of `most` short texts."""
    drawn = random.Random(0).sample(examples, min(most, len(examples)))
    before = accumulate((len(example.text) for example in drawn), initial=0)
    return [example for example, characters in zip(drawn, before, strict=False) if characters < most * _SHORT]


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two versions, and what it says about examples that it has not learnt.

    held_out: its examples with such an answer. of_folds: the labels that its folds chose for some of them. learnt: its other examples. All
    three are by `text_key`. changes: the new names of labels, which stand in the place of the old ones everywhere here.
    """

    trained: TrainedClassifier
    changes: Mapping[str, str]
    held_out: Mapping[str, Example]
    of_folds: Mapping[str, set[str]]
    learnt: Set[str]

    @classmethod
    def of(cls, version: Version, trained: TrainedClassifier, changes: Mapping[str, str]) -> _Side:
        frozen = resources.frozen_examples()
        held_out = {text_key(example.text): _named(example, changes) for example in frozen.read(version, "test")}
        of_folds: dict[str, set[str]] = {}
        if answers := folds_answers(version, trained):
            for example, flags in zip(answers.examples, answers.predicted, strict=True):
                key = text_key(example.text)
                chosen = compress(trained.labels, flags)
                held_out[key], of_folds[key] = _named(example, changes), {changes.get(label, label) for label in chosen}
        learnt = {text_key(example.text) for example in frozen.read(version, "train")} - of_folds.keys()
        return cls(trained, changes, held_out, of_folds, learnt)

    @property
    def labels(self) -> set[str]:
        return {self.changes.get(label, label) for label in self.trained.labels}

    def choose(self, examples: Sequence[Example]) -> list[set[str]]:
        """The labels that the version chooses for each example: its folds' answer if there is one, otherwise its own."""
        keys = [text_key(example.text) for example in examples]
        asked = [example.text for key, example in zip(keys, examples, strict=True) if key not in self.of_folds]
        own = iter({self.changes.get(label, label) for label in chosen} for chosen in self.trained.choose(asked))
        return [self.of_folds[key] if key in self.of_folds else next(own) for key in keys]


def _named(example: Example, changes: Mapping[str, str]) -> Example:
    return replace(example, labels=tuple(dict.fromkeys(changes.get(label, label) for label in example.labels))) if changes else example


def loaded(version: Version) -> TrainedClassifier:
    """The classifier of a ready version."""
    return load(resources.artifacts(), version.job, version.manifest_sha256)
