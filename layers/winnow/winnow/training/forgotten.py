"""What a forgetting is about, and the examples of a version without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from winnow.aws import resources
from winnow.datasets.split import FEWEST_LABELS, FEWEST_TEXTS
from winnow.domain.dataset import Example
from winnow.domain.errors import DatasetError, ForgettingNotFoundError
from winnow.domain.forgetting import Forgetting, Forgotten
from winnow.domain.normal_form import text_key


@dataclass(frozen=True, slots=True)
class Left:
    """The training and the test examples that are left. lost: labels that had so few texts that they are left out."""

    train: list[Example]
    test: list[Example]
    lost: Sequence[str] = ()


def forgotten_of(known: Forgetting) -> Forgotten:
    """What a forgetting that isn't done is about, as far as it is known."""
    found = resources.forgetting_objects().read(known.forgetting)
    more = [] if found is None else found.texts
    return Forgotten(known.salt or "", known.subject, {*known.texts, *more})


def without_forgotten(forgetting: str, train: Sequence[Example], test: Sequence[Example]) -> Left:
    """The examples without those that are to be forgotten. Labels with too few texts go too, as in a data set.

    DatasetError if fewer than two labels would be left, or if the forgetting has ended.
    """
    try:
        known = resources.forgettings().get(forgetting)
    except ForgettingNotFoundError as error:
        raise DatasetError(error.sentence) from error
    if known.salt is None:
        raise DatasetError(f"The forgetting {forgetting!r}, for which this version was to be made, has ended.")
    forgotten = forgotten_of(known)
    parts = [[each for each in part if not forgotten.has(each.text, each.subject)] for part in (train, test)]
    gone = {label for each in [*train, *test] if forgotten.has(each.text, each.subject) for label in each.labels}
    texts = Counter(label for label, _ in {(label, text_key(each.text)) for part in parts for each in part for label in each.labels})
    lost = sorted(label for label in gone if texts[label] < FEWEST_TEXTS)
    if len(texts.keys() - set(lost)) < FEWEST_LABELS:
        raise DatasetError(
            f"Without what is to be forgotten, fewer than {FEWEST_LABELS} labels with {FEWEST_TEXTS} texts or more are left: a classifier"
            " needs examples of at least two. Send more examples."
        )
    left, tested = ([each for example in part if (each := _of_other_labels(example, lost))] for part in parts)
    return Left(left, tested, lost)


def _of_other_labels(example: Example, lost: Sequence[str]) -> Example | None:
    if not set(lost).intersection(example.labels):
        return example
    labels = tuple(label for label in example.labels if label not in lost)
    return replace(example, labels=labels) if labels else None
