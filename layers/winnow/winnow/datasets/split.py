"""Split examples: a stratified sample and a stratified held-out test set, both seeded."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

from winnow.domain.dataset import MAX_LABELS, Example
from winnow.domain.errors import DatasetError
from winnow.domain.normal_form import text_key

# One to train on and one to hold out.
FEWEST_TEXTS = 2
FEWEST_LABELS = 2
_MOST_NAMED = 5

# The held-out shares, up to _FEW examples and above.
_FEW, _SHARE_OF_FEW, _SHARE = 2_000, 0.2, 0.1

# Examples with the same text (ignoring case and white space). They stay together.
Group = list[Example]


@dataclass(frozen=True, slots=True)
class Split:
    """A data set, checked and split. labels: in alphabetical order. exclusive: every example has exactly one label."""

    train: list[Example]
    test: list[Example]
    labels: tuple[str, ...]
    exclusive: bool


def split(examples: Sequence[Example], seed: int, *, most_cross_validated: int = 0, exclusive: bool | None = None) -> Split:
    """Check the examples and split them. The same seed gives the same split.

    exclusive: the client's statement about the labels; None means as found. Up to `most_cross_validated` examples, nothing is held out.
    Above, one text in five is held out up to 2,000 examples, and otherwise one in ten. Every label is trained on; exclusive labels are all
    tested too. A text is never on both sides.

    Raises DatasetError if no classifier can be made of the examples.
    """
    if exclusive and not _is_exclusive(examples):
        row = next(example.row for example in examples if len(example.labels) != 1)
        raise DatasetError(
            f"`exclusive` is true, but example {row} of the data set does not have exactly one label: fix it, or leave out `exclusive`."
        )
    groups = _groups(examples)
    texts = Counter(label for group in groups for label in _labels(group))
    _check(texts)
    held_out = share_held_out(len(examples), most_cross_validated)
    train, test = _part(groups, held_out, seed) if held_out else _shuffled(groups, [], seed)
    return Split(train, test, tuple(sorted(texts)), _is_exclusive(examples) if exclusive is None else exclusive)


def share_held_out(examples: int, most_cross_validated: int) -> float:
    """The share of this number of examples that `split` holds out for the test."""
    if examples <= most_cross_validated:
        return 0.0
    return _SHARE_OF_FEW if examples <= _FEW else _SHARE


def with_test_set(train: Sequence[Example], test: Sequence[Example], seed: int, *, exclusive: bool | None = None) -> Split:
    """The client's own test set with the training examples. No text is in both. Their reports were checked before."""
    shuffled = list(train)
    random.Random(seed).shuffle(shuffled)
    labels = tuple(sorted({label for example in train for label in example.labels}))
    return Split(shuffled, list(test), labels, _is_exclusive([*train, *test]) if exclusive is None else exclusive)


def hold_out(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """The training examples and about `share` of them held out, stratified. The same seed gives the same result.

    Every label stays in training. A label with a single distinct text is only there.
    """
    return _part(_groups(examples), share, seed)


def fold_of(examples: Sequence[Example], place: int, folds: int, seed: int) -> tuple[list[Example], list[Example]]:
    """The training examples and the held-out examples of one of so many folds, stratified. Together, the folds hold out each text once.

    The same seed gives the same folds. Every label stays in training, so a label's only distinct text is held out in no fold.

    With a few more examples, nearly all texts stay in their folds, so that two versions of a data set can be compared by their folds.
    """
    train: list[Group] = []
    test: list[Group] = []
    for stratum in _strata(_groups(examples), seed):
        most, sizes = -(-len(stratum) // folds), [0] * folds
        for number, group in sorted((_number(group, seed), group) for group in stratum):
            # The text's own fold, or if it has its share already, the smallest one.
            wanted = number % folds
            fold = wanted if sizes[wanted] < most else min(range(folds), key=lambda each: (sizes[each], (each - wanted) % folds))
            sizes[fold] += 1
            (test if fold == place else train).append(group)
    return _shuffled(train, test, seed)


def _number(group: Group, seed: int) -> int:
    """A number that depends only on the group's text and the seed, in every process."""
    return int.from_bytes(blake2b(f"{seed} {text_key(group[0].text)}".encode("utf-8", "surrogatepass"), digest_size=8).digest())


def sample(examples: Sequence[Example], most: int, seed: int) -> list[Example]:
    """At most `most` examples: two texts per label, then each label in proportion. Raises DatasetError if two per label don't fit."""
    if len(examples) <= most:
        return list(examples)
    labels = len({label for example in examples for label in example.labels})
    if most < FEWEST_TEXTS * labels:
        raise DatasetError(f"`n_texts` is {most}, too few for {labels:,} labels: use at least {FEWEST_TEXTS * labels:,}.")
    places: list[tuple[float, Group]] = []
    for stratum in _strata(_groups(examples), seed):
        # Ranks spread evenly over 0 to 1, so every prefix of the joint order has each stratum in proportion. The first two come before all.
        places += [(rank - FEWEST_TEXTS if rank < FEWEST_TEXTS else rank / len(stratum), group) for rank, group in enumerate(stratum)]
    places.sort(key=lambda place: place[0])
    return list(chain.from_iterable(group for _, group in places))[:most]


def _is_exclusive(examples: Sequence[Example]) -> bool:
    return all(len(example.labels) == 1 for example in examples)


def _check(texts: Counter[str]) -> None:
    """texts: the number of distinct texts per label."""
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
    return _shuffled(train, test, seed)


def _shuffled(train: Sequence[Group], test: list[Group], seed: int) -> tuple[list[Example], list[Example]]:
    train = [*train, *_taken_back(train, test)]
    shuffled = list(chain.from_iterable(train))
    random.Random(seed).shuffle(shuffled)
    return shuffled, list(chain.from_iterable(test))


def _taken_back(train: Sequence[Group], test: list[Group]) -> list[Group]:
    """Take groups from test until every label is trained on.

    A label is missing if its only text was held out, or if examples have several labels and all its texts were held out for rarer labels.
    """
    taken: list[Group] = []
    trained = {label for group in train for label in _labels(group)}
    for label in sorted({label for group in test for label in _labels(group)} - trained):
        group = next(group for group in test if label in _labels(group))
        test.remove(group)
        taken.append(group)
    return taken


def text_hash(text: str) -> int:
    """A 64-bit hash of `text_key`. It differs in every process: Python chooses a new key."""
    return hash(text_key(text))


def too_rare(labels: Sequence[str]) -> str:
    """The sentence about labels that have too few texts for training."""
    return (
        f"Fewer than two distinct texts for {listed(labels)}: training needs one and the test needs another."
        " Add examples, or remove the label."
    )


def listed(labels: Sequence[str]) -> str:
    """The first labels, and the number of others."""
    shown = ", ".join(repr(label) for label in labels[:_MOST_NAMED])
    return f"{shown} and {len(labels) - _MOST_NAMED:,} more" if len(labels) > _MOST_NAMED else shown


def _groups(examples: Sequence[Example]) -> list[Group]:
    # By hash: keys without case would hold the texts in memory a second time.
    same_text: dict[int, Group] = defaultdict(list)
    for example in examples:
        same_text[text_hash(example.text)].append(example)
    return list(same_text.values())


def _strata(groups: Sequence[Group], seed: int) -> list[list[Group]]:
    """The shuffled groups, by the rarest label of each, so that scarce labels are spread evenly. No label is a stratum too."""
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
