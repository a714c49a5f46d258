"""The data sets of the benchmarks, as their authors split them, and parts of a training set."""

from __future__ import annotations

import csv
import json
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from winnow.domain.dataset import Example

DATA = Path(__file__).parents[2] / "shared" / "data"
FOLDERS = {"banking77": "banking77", "nlupp": "nlupp_banking"}
"""Of each data set, in the data folder."""

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Split:
    """A training set, and the test set on which nothing is chosen."""

    train: Sequence[Example]
    test: Sequence[Example]
    exclusive: bool


def require_banking77(folder: Path) -> None:
    """End the program with a sentence where Banking77 isn't in the folder."""
    if not (folder / "train.csv").exists():
        sys.exit(f"winnow: {folder} has no train.csv: give the folder of Banking77 with DATA=…")


def banking77(folder: Path) -> Split:
    """Casanueva et al. 2020 (arXiv 2003.04807): train.csv and test.csv with the columns text and category."""
    return Split(_banking77(folder / "train.csv"), _banking77(folder / "test.csv"), exclusive=True)


def nlupp(folder: Path) -> Split:
    """NLU++ banking intents (Casanueva et al. 2022, arXiv 2204.13021): folds 0 to 15 in train.jsonl, 16 to 19 in test.jsonl."""
    return Split(_nlupp(folder / "train.jsonl"), _nlupp(folder / "test.jsonl"), exclusive=False)


def few(split: Split, per_label: int, seed: int) -> Split:
    """The split with only so many training texts of each label, drawn by the seed; the test set stays whole."""
    drawn = random.Random(seed)
    of_label: dict[str, list[Example]] = defaultdict(list)
    for example in split.train:
        of_label[example.labels[0]].append(example)
    picked = [example for label in sorted(of_label) for example in drawn.sample(of_label[label], min(per_label, len(of_label[label])))]
    return Split(picked, split.test, split.exclusive)


def every_nth(examples: Sequence[Example], n: int, which: int) -> tuple[list[Example], list[Example]]:
    """The examples without, and those of, part `which` of n: every nth of each set of labels, in an order that is always the same."""
    order = list(range(len(examples)))
    random.Random(0).shuffle(order)
    # Stable: shuffled among those with equal labels, and one label after the other, so that each part has its share of all.
    order.sort(key=lambda index: examples[index].labels)
    held_out = set(order[which::n])
    rest = [example for index, example in enumerate(examples) if index not in held_out]
    return rest, [examples[index] for index in sorted(held_out)]


def _banking77(file: Path) -> list[Example]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [Example(row["text"], (row["category"],)) for row in csv.DictReader(lines)]


def _nlupp(file: Path) -> list[Example]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Example(row["text"], tuple(row["labels"])) for row in rows]
