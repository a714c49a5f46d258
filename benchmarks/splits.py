"""The data sets of the benchmarks with the splits of their authors, and parts of a training set."""

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
"""The folder of each data set, in the data folder."""

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Split:
    """A training set and a test set. The test set is never used to choose anything."""

    train: Sequence[Example]
    test: Sequence[Example]
    exclusive: bool


def require_banking77(folder: Path) -> None:
    """End the program with a message if the folder doesn't have Banking77."""
    if not (folder / "train.csv").exists():
        sys.exit(f"winnow: {folder} has no train.csv: set DATA=… to the folder of Banking77")


def banking77(folder: Path) -> Split:
    """Casanueva et al. 2020 (arXiv 2003.04807): train.csv and test.csv with the columns text and category."""
    return Split(_banking77(folder / "train.csv"), _banking77(folder / "test.csv"), exclusive=True)


def nlupp(folder: Path) -> Split:
    """NLU++ banking intents (Casanueva et al. 2022, arXiv 2204.13021): folds 0 to 15 in train.jsonl, 16 to 19 in test.jsonl."""
    return Split(_nlupp(folder / "train.jsonl"), _nlupp(folder / "test.jsonl"), exclusive=False)


def few(split: Split, per_label: int, seed: int) -> Split:
    """The split with only `per_label` training texts of each label, drawn by the seed. The test set stays complete."""
    drawn = random.Random(seed)
    of_label: dict[str, list[Example]] = defaultdict(list)
    for example in split.train:
        of_label[example.labels[0]].append(example)
    picked = [example for label in sorted(of_label) for example in drawn.sample(of_label[label], min(per_label, len(of_label[label])))]
    return Split(picked, split.test, split.exclusive)


def every_nth(examples: Sequence[Example], n: int, which: int) -> tuple[list[Example], list[Example]]:
    """The examples outside and inside part `which` of n. A part has every nth example of each set of labels, always in the same order."""
    order = list(range(len(examples)))
    random.Random(0).shuffle(order)
    # A stable sort by labels after a shuffle: each part gets its share of every set of labels.
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
