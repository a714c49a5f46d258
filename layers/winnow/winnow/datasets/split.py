"""Parting examples: a stratified, seeded sample, and a stratified, seeded held-out test set."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from winnow.domain.dataset import MAX_LABELS, Example
from winnow.domain.errors import DatasetError

# One to train on, and one to hold out.
FEWEST_TEXTS = 2
_MOST_NAMED = 5

# Examples of the same text, apart from case and white space. They stay together.
Group = list[Example]


@dataclass(frozen=True, slots=True)
class Split:
    """A data set, checked and parted. labels are in alphabetical order; exclusive: every example has exactly one label."""

    train: list[Example]
    test: list[Example]
    labels: tuple[str, ...]
    exclusive: bool


def split(examples: Sequence[Example], seed: int, *, exclusive: bool | None = None) -> Split:
    """Check the examples and part them, the same way for the same seed. exclusive: what the client says of the labels; None: as they are.

    One text in five is held out up to 2,000 examples, one in ten above. Every label is trained on; with exclusive labels, every label is
    in the test set too. The same text never sits on both sides. DatasetError where a classifier can't be made of them.
    """
    if exclusive and not _is_exclusive(examples):
        row = next(example.row for example in examples if len(example.labels) != 1)
        raise DatasetError(
            f"exclusive is true, and example {row} of the data set has not exactly one label: give it one, or leave exclusive out."
        )
    groups = _groups(examples)
    texts = Counter(label for group in groups for label in _labels(group))
    _check(texts)
    train, test = _part(groups, 0.2 if len(examples) <= 2_000 else 0.1, seed)
    return Split(train, test, tuple(sorted(texts)), _is_exclusive(examples) if exclusive is None else exclusive)


def with_test_set(train: Sequence[Example], test: Sequence[Example], seed: int, *, exclusive: bool | None = None) -> Split:
    """A client's own test set beside the examples to train on, none of whose texts stands in it. Checked before, by their reports."""
    shuffled = list(train)
    random.Random(seed).shuffle(shuffled)
    labels = tuple(sorted({label for example in train for label in example.labels}))
    return Split(shuffled, list(test), labels, _is_exclusive([*train, *test]) if exclusive is None else exclusive)


def hold_out(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """The training examples and the held-out ones: about a share of them, stratified, the same way for the same seed.

    Every label stays in training. One with a single distinct text is only there.
    """
    return _part(_groups(examples), share, seed)


def sample(examples: Sequence[Example], most: int, seed: int) -> list[Example]:
    """At most so many examples: two texts of every label, and then every label in its proportion. DatasetError: no room for that."""
    if len(examples) <= most:
        return list(examples)
    labels = len({label for example in examples for label in example.labels})
    if most < FEWEST_TEXTS * labels:
        raise DatasetError(f"n_texts is {most}, and the data set has {labels:,} labels: take at least {FEWEST_TEXTS * labels:,}.")
    places: list[tuple[float, Group]] = []
    for stratum in _strata(_groups(examples), seed):
        # Spread evenly over 0 to 1, any beginning of the joint order has every stratum in its proportion; the first two come before.
        places += [(rank - FEWEST_TEXTS if rank < FEWEST_TEXTS else rank / len(stratum), group) for rank, group in enumerate(stratum)]
    places.sort(key=lambda place: place[0])
    return list(chain.from_iterable(group for _, group in places))[:most]


def _is_exclusive(examples: Sequence[Example]) -> bool:
    return all(len(example.labels) == 1 for example in examples)


def _check(texts: Counter[str]) -> None:
    """texts: of each label, how many distinct ones there are."""
    if len(texts) < 2:
        named = f"only the label {next(iter(texts))!r}" if texts else "no label at all"
        raise DatasetError(f"The data set has {named}: a classifier needs examples of at least two.")
    if len(texts) > MAX_LABELS:
        raise DatasetError(f"The data set has {len(texts):,} labels: at most {MAX_LABELS:,}.")
    rare = sorted(label for label, count in texts.items() if count < FEWEST_TEXTS)
    if rare:
        raise DatasetError(too_rare(rare))


def _part(groups: Sequence[Group], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    train: list[Group] = []
    test: list[Group] = []
    for stratum in _strata(groups, seed):
        held_out = max(1, round(len(stratum) * share)) if len(stratum) > 1 else 0
        test += stratum[:held_out]
        train += stratum[held_out:]
    _give_back({label for group in groups for label in _labels(group)}, train, test)
    shuffled = list(chain.from_iterable(train))
    random.Random(seed).shuffle(shuffled)
    return shuffled, list(chain.from_iterable(test))


def _give_back(labels: set[str], train: list[Group], test: list[Group]) -> None:
    """Move groups from the test set to the training set, until every label is trained on.

    Only with several labels an example can one be missing: where all of its texts were held out for the sake of rarer labels.
    """
    trained = {label for group in train for example in group for label in example.labels}
    for label in sorted(labels - trained):
        group = next(group for group in test if label in _labels(group))
        test.remove(group)
        train.append(group)


def text_key(text: str) -> str:
    """What is the same for texts that differ only in case or white space."""
    return " ".join(text.split()).casefold()


def text_hash(text: str) -> int:
    """A 64-bit hash of what tells the text from others, good for this process alone: Python keys it anew for each."""
    return hash(text_key(text))


def too_rare(labels: Sequence[str]) -> str:
    """The sentence for labels with fewer texts than a training needs."""
    return (
        f"Fewer than two distinct texts for {listed(labels)}: one to train on and one to hold out are needed."
        " Add examples, or leave the label out."
    )


def listed(labels: Sequence[str]) -> str:
    """The first of the labels, and how many more there are."""
    shown = ", ".join(repr(label) for label in labels[:_MOST_NAMED])
    return f"{shown} and {len(labels) - _MOST_NAMED:,} more" if len(labels) > _MOST_NAMED else shown


def _groups(examples: Sequence[Example]) -> list[Group]:
    # By hashes: the texts themselves, without case, would be in memory twice.
    same_text: dict[int, Group] = defaultdict(list)
    for example in examples:
        same_text[text_hash(example.text)].append(example)
    return list(same_text.values())


def _strata(groups: Sequence[Group], seed: int) -> list[list[Group]]:
    """The groups, shuffled, by the rarest of each one's labels: with several labels an example, it is the scarce ones that are to be
    spread evenly. Examples without a label are a stratum too."""
    counts = Counter(label for group in groups for label in _labels(group))
    strata: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        strata[min(sorted(_labels(group)), key=lambda label: counts[label], default="")].append(group)
    shuffled = random.Random(seed)
    for name in sorted(strata):
        shuffled.shuffle(strata[name])
    return [strata[name] for name in sorted(strata)]


def _labels(group: Group) -> set[str]:
    return {label for example in group for label in example.labels}
