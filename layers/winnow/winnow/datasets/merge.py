"""Merge a data set that is already split with examples that came later (feedback)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from winnow.datasets.split import FEWEST_TEXTS, Split, hold_out, listed
from winnow.domain.dataset import MAX_LABELS, Example
from winnow.domain.errors import DatasetError
from winnow.domain.feedback import Action, FeedbackLine
from winnow.domain.normal_form import text_key

# The held-out share of the feedback. It is larger than for a large data set, because a training takes little feedback.
_SHARE = 0.2
# The held-out share of a data set that has become too large for cross-validation.
_SHARE_OF_MANY = 0.1

# Examples by `text_key`.
_ByText = dict[str, Example]


@dataclass(frozen=True, slots=True)
class Merged:
    """The new data set, with counts.

    feedback: its examples that come from feedback. dropped: old or new examples that a newer one replaced (texts that differ only in case
    or white space are the same). relabelled: texts whose labels changed.
    """

    parts: Split
    feedback: int
    dropped: int
    relabelled: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """A version's examples and feedback on them, without what the feedback drops.

    feedback: the texts that get labels, oldest first. removed: the number of the version's dropped examples. thinned: their labels.
    """

    train: Sequence[Example]
    test: Sequence[Example]
    feedback: Sequence[Example]
    removed: int = 0
    thinned: frozenset[str] = frozenset()

    def check(self, parts: Split) -> None:
        """DatasetError if a label has too few texts left after the merge because some were dropped."""
        examples = [*parts.train, *parts.test] if self.thinned else []
        texts = Counter(label for labels in _all_labels_by_text(examples).values() for label in labels)
        if short := sorted(label for label in self.thinned if texts[label] < FEWEST_TEXTS):
            raise DatasetError(
                f"Feedback drops so many texts that fewer than {FEWEST_TEXTS} are left of {listed(short)}, and a label needs"
                f" {FEWEST_TEXTS}: send more texts of it, or take the feedback back."
            )


def corrected(train: Sequence[Example], test: Sequence[Example], lines: Sequence[FeedbackLine]) -> Corrected:
    """Take what feedback drops, oldest first, out of a version's training and test examples. The newest line of a text counts.

    An example that feedback keeps stays as it is. If the version has other labels of it, those of the feedback count.
    """
    newest = {text_key(line.example.text): line for line in lines}
    if all(line.action is Action.LABEL for line in newest.values()):
        return Corrected(train, test, [line.example for line in lines if line.action is not Action.DROP])
    known = _labels_by_text([*train, *test])
    dropped = {key for key, line in newest.items() if line.action is Action.DROP}
    kept = {
        key for key, line in newest.items() if line.action is Action.KEEP and frozenset(line.example.labels) in known.get(key, frozenset())
    }
    settled = dropped | kept
    gone = [example for example in [*train, *test] if text_key(example.text) in dropped]
    return Corrected(
        [example for example in train if text_key(example.text) not in dropped],
        [example for example in test if text_key(example.text) not in dropped],
        [line.example for line in lines if line.action is not Action.DROP and text_key(line.example.text) not in settled],
        len(gone),
        frozenset(label for example in gone for label in example.labels),
    )


def merge(
    train: Sequence[Example],
    test: Sequence[Example],
    feedback: Sequence[Example],
    seed: int,
    *,
    most_cross_validated: int = 0,
    exclusive: bool,
) -> Merged:
    """Add feedback, oldest first, to a version's training and test examples. The same seed gives the same result.

    The newest labels of a text win. A text of the test set stays there: feedback only changes its labels. One in five of the new texts per
    label is held out, and at least one if the label has two or more. Every label is trained on: if all its texts would be held out, one of
    them is trained on instead.

    Without test examples, the version was measured by cross-validation, and nothing is held out of the result either, up to
    `most_cross_validated` examples. Above, a tenth of it is held out.

    Raises DatasetError if no classifier can be made of the result.
    """
    newest: _ByText = {text_key(example.text): example for example in feedback}
    in_train, in_test = _labels_by_text(train), _labels_by_text(test)
    known = in_train | in_test
    subjects = _subjects_by_text([*train, *test, *feedback])
    fresh = [each for key, example in newest.items() if key not in known for each in _of_each(example, subjects[key])]
    more_train, more_test = hold_out(fresh, _SHARE, seed) if fresh and test else (fresh, [])
    kept_train = [example for example in train if text_key(example.text) not in newest]
    kept_test = [example for example in test if text_key(example.text) not in newest]
    new_train = kept_train + [each for key in in_train if key in newest for each in _of_each(newest[key], subjects[key])] + more_train
    # A test text keeps its old spelling and its place.
    again = [
        each
        for key, example in _by_text(test).items()
        if key in newest
        for each in _of_each(replace(example, labels=newest[key].labels, source=newest[key].source), subjects[key])
    ]
    new_train, new_test = _every_label_trained(new_train, kept_test + again + more_test)
    if not test and len(new_train) > most_cross_validated:
        new_train, new_test = hold_out(new_train, _SHARE_OF_MANY, seed)
    labels = {label for example in new_train for label in example.labels}
    _check(labels, [*new_test, *([] if test else new_train)])
    random.Random(seed).shuffle(new_train)
    replaced = len(train) + len(test) - len(kept_train) - len(kept_test)
    return Merged(
        Split(new_train, new_test, tuple(sorted(labels)), exclusive),
        feedback=len(newest),
        dropped=len(feedback) - len(newest) + replaced,
        relabelled=_relabelled(known, feedback),
    )


def _by_text(examples: Iterable[Example]) -> _ByText:
    """The first example of each text."""
    return {text_key(example.text): example for example in reversed(list(examples))}


def _subjects_by_text(examples: Iterable[Example]) -> dict[str, dict[str | None, None]]:
    """The subjects of each text, in their order, with None only if nobody is a subject of it."""
    found: dict[str, dict[str | None, None]] = {}
    for example in examples:
        of_text = found.setdefault(text_key(example.text), {})
        if example.subject is not None:
            of_text[example.subject] = None
    return {key: of_text or {None: None} for key, of_text in found.items()}


def _of_each(example: Example, subjects: Iterable[str | None]) -> list[Example]:
    """The example once for each subject: new labels of a text take it from nobody."""
    return [replace(example, subject=subject) for subject in subjects]


def _labels_by_text(examples: Iterable[Example]) -> dict[str, set[frozenset[str]]]:
    """The label sets of each text. There are several if its examples disagree."""
    found: dict[str, set[frozenset[str]]] = {}
    for example in examples:
        found.setdefault(text_key(example.text), set()).add(frozenset(example.labels))
    return found


def _all_labels_by_text(examples: Iterable[Example]) -> dict[str, set[str]]:
    return {key: set().union(*sets) for key, sets in _labels_by_text(examples).items()}


def _relabelled(known: Mapping[str, set[frozenset[str]]], feedback: Sequence[Example]) -> int:
    said = _labels_by_text(feedback)
    return sum(len(labels | known.get(key, set())) > 1 for key, labels in said.items())


def _every_label_trained(train: list[Example], test: list[Example]) -> tuple[list[Example], list[Example]]:
    """Move one text of each label that only the test set has to training, with all its examples."""
    there = {label for example in train for label in example.labels}
    for label in sorted({label for example in test for label in example.labels} - there):
        if label in there:
            continue
        key = text_key(next(example.text for example in reversed(test) if label in example.labels))
        moved = [example for example in test if text_key(example.text) == key]
        test = [example for example in test if text_key(example.text) != key]
        train = train + moved
        there.update(each for example in moved for each in example.labels)
    return train, test


def _check(labels: set[str], test: Sequence[Example]) -> None:
    if len(labels) < 2:
        raise DatasetError("With the feedback, all examples have the same label: a classifier needs examples of at least two.")
    if len(labels) > MAX_LABELS:
        raise DatasetError(
            f"With the feedback there are {len(labels):,} labels: at most {MAX_LABELS:,}. Withdraw feedback with new labels."
        )
    if not test:
        raise DatasetError("With the feedback, no example is left to test a version: add examples with other texts.")
