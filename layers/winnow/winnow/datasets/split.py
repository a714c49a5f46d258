"""Parting examples: a stratified, seeded sample, and a stratified, seeded held-out test set."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from winnow.domain import MAX_LABELS, Example
from winnow.errors import DatasetError

_FEWEST_PER_LABEL = 2


@dataclass(frozen=True, slots=True)
class Split:
    """A data set, checked and parted. labels are in alphabetical order; exclusive: every example has exactly one label."""

    train: list[Example]
    test: list[Example]
    labels: tuple[str, ...]
    exclusive: bool


def split(examples: Sequence[Example], seed: int) -> Split:
    """Check the examples and part them, the same way for the same seed.

    One in five is held out up to 2,000 examples, one in ten above, and of every label at least one. The same text, apart from case
    and white space, never sits on both sides. DatasetError where a classifier can't be made of them.
    """
    counts = Counter(chain.from_iterable(example.labels for example in examples))
    _check(counts)
    exclusive = all(len(example.labels) == 1 for example in examples)
    share = 0.2 if len(examples) <= 2_000 else 0.1
    train: list[Example] = []
    test: list[Example] = []
    for stratum in _strata(examples, counts, seed).values():
        held_out = max(1, round(len(stratum) * share)) if len(stratum) > 1 else 0
        test.extend(chain.from_iterable(stratum[:held_out]))
        train.extend(chain.from_iterable(stratum[held_out:]))
    _check_trainable(counts, train)
    # Where every text has a stratum of its own (each example another combination of labels) nothing was held out.
    if not test:
        raise DatasetError("Too few distinct texts to hold some out for the evaluation: give every label at least two.")
    order = random.Random(seed)
    order.shuffle(train)
    return Split(train, test, tuple(sorted(counts)), exclusive)


def sample(examples: Sequence[Example], most: int, seed: int) -> list[Example]:
    """At most so many examples, every label in its proportion as far as that goes."""
    if len(examples) <= most:
        return list(examples)
    counts = Counter(chain.from_iterable(example.labels for example in examples))
    places: list[tuple[float, Example]] = []
    for stratum in _strata(examples, counts, seed).values():
        members = list(chain.from_iterable(stratum))
        # Spread evenly over 0 to 1: any beginning of the joint order then has every stratum in its proportion.
        places.extend(((rank + 0.5) / len(members), example) for rank, example in enumerate(members))
    places.sort(key=lambda place: place[0])
    return [example for _, example in places[:most]]


def _check(counts: Counter[str]) -> None:
    if len(counts) < 2:
        named = f"only the label {next(iter(counts))!r}" if counts else "no label at all"
        raise DatasetError(f"The data set has {named}: a classifier needs examples of at least two.")
    if len(counts) > MAX_LABELS:
        raise DatasetError(f"The data set has {len(counts):,} labels: at most {MAX_LABELS:,}.")
    rare = sorted(label for label, count in counts.items() if count < _FEWEST_PER_LABEL)
    if rare:
        raise DatasetError(
            f"{_some(rare)} fewer than two examples: one to train on and one to hold out. Add examples, or leave the label out."
        )


def _check_trainable(counts: Counter[str], train: Sequence[Example]) -> None:
    missing = sorted(set(counts) - {label for example in train for label in example.labels})
    if missing:
        raise DatasetError(
            f"{_some(missing)} only one distinct text, repeated: one to train on and one to hold out are needed. Add examples."
        )


def _some(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:5])
    rest = f" and {len(labels) - 5:,} more" if len(labels) > 5 else ""
    return f"{'The label' if len(labels) == 1 else 'The labels'} {shown}{rest} {'has' if len(labels) == 1 else 'have'}"


def _strata(examples: Sequence[Example], counts: Counter[str], seed: int) -> dict[str, list[list[Example]]]:
    """Groups of examples of the same text, shuffled, under the rarest of the group's labels.

    By the rarest, so that with several labels an example the scarce ones are the ones that are spread evenly.
    """
    same_text: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        same_text[" ".join(example.text.split()).casefold()].append(example)
    strata: dict[str, list[list[Example]]] = defaultdict(list)
    for group in same_text.values():
        labels = sorted({label for example in group for label in example.labels})
        strata[min(labels, key=lambda label: counts[label], default="")].append(group)
    shuffled = random.Random(seed)
    for name in sorted(strata):
        shuffled.shuffle(strata[name])
    return {name: strata[name] for name in sorted(strata)}
