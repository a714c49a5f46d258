"""A data set made of another one, already parted, and of examples that came later."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from winnow.datasets.split import Split, hold_out, text_key
from winnow.domain.dataset import MAX_LABELS, Example
from winnow.domain.errors import DatasetError

# Of the feedback. A training takes little of it, so it is worth more held out than a tenth of a large data set is.
_SHARE = 0.2

# Examples by `text_key`.
_ByText = dict[str, Example]


@dataclass(frozen=True, slots=True)
class Merged:
    """The new data set, and what became of the examples.

    feedback: how many of its examples come from feedback. dropped: how many examples, old or new, gave way to a newer one of the same
    text, apart from case and white space. relabelled: how many texts thereby have other labels than before.
    """

    parts: Split
    feedback: int
    dropped: int
    relabelled: int


def merge(train: Sequence[Example], test: Sequence[Example], feedback: Sequence[Example], seed: int, *, exclusive: bool) -> Merged:
    """Add feedback, oldest first, to the training and test examples of a version, the same way for the same seed.

    Of the same text the newest labels win. The test set keeps its texts: one that feedback gives new labels is measured with those, and
    not trained on. Of the texts that are new, one in five of each label is held out, at least one of a label with two or more. Every label
    is trained on: where all texts with one would be held out, one of them goes to the training set after all.
    DatasetError where a classifier can't be made of it.
    """
    newest: _ByText = {text_key(example.text): example for example in feedback}
    in_train, in_test = _labels_by_text(train), _labels_by_text(test)
    known = in_train | in_test
    fresh = [example for key, example in newest.items() if key not in known]
    more_train, more_test = hold_out(fresh, _SHARE, seed) if fresh else ([], [])
    kept_train = [example for example in train if text_key(example.text) not in newest]
    kept_test = [example for example in test if text_key(example.text) not in newest]
    new_train = kept_train + [newest[key] for key in in_train if key in newest] + more_train
    # Of a test text the old spelling and its place in the data set stay.
    again = [replace(example, labels=newest[key].labels) for key, example in _by_text(test).items() if key in newest]
    new_train, new_test = _every_label_trained(new_train, kept_test + again + more_test)
    labels = {label for example in new_train for label in example.labels}
    _check(labels, new_test)
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


def _labels_by_text(examples: Iterable[Example]) -> dict[str, set[frozenset[str]]]:
    """The sets of labels that each text has, several where its examples disagree."""
    found: dict[str, set[frozenset[str]]] = {}
    for example in examples:
        found.setdefault(text_key(example.text), set()).add(frozenset(example.labels))
    return found


def _relabelled(known: Mapping[str, set[frozenset[str]]], feedback: Sequence[Example]) -> int:
    said = _labels_by_text(feedback)
    return sum(len(labels | known.get(key, set())) > 1 for key, labels in said.items())


def _every_label_trained(train: list[Example], test: list[Example]) -> tuple[list[Example], list[Example]]:
    """The same, with each label that only test examples have in training too: all examples of one of its texts move there."""
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
        raise DatasetError(f"With the feedback there are {len(labels):,} labels: at most {MAX_LABELS:,}. Take back batches with new ones.")
    if not test:
        raise DatasetError("With the feedback, no example is left to measure a version by: add examples with other texts.")
