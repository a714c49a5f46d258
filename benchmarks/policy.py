"""`make bench-policy`: whether a promised precision is kept on fresh texts, and how many texts are answered.

Each draw trains on other texts: half of the sample (400 texts, and the other half is fresh), or 20 of each label of Banking77 (1,540
texts, and its test set is fresh). The threshold is chosen on the held-out answers of the folds, as by PUT /models/{model_id}/policy. A
promise counts as kept if the 95 % interval (Wilson) of the share of right answers among the accepted fresh texts contains it, or is above
it. The columns: in how many draws the promise was made at all, and kept; in how many the share itself is at least the promise; the mean
share of right answers, and of fresh texts that are answered; and both at the version's own thresholds.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.encoded import encoders
from benchmarks.splits import DATA, FOLDERS, Split, banking77, few
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.evaluation.intervals import wilson
from winnow.evaluation.promise import TooFew, for_precision
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import COSTS
from winnow.recipes.least_scores import Least, least_scores
from winnow.training.calibrate import answers_of_folds
from winnow.training.fit import Training
from winnow.training.measure import dial_of_answers

PROMISES = (0.9, 0.95)
_PER_LABEL = 20
_SAMPLE = Path(__file__).parents[1] / "local" / "sample" / "savings.json"


class Measured(NamedTuple):
    """The fresh texts of one draw: how many there are, how many are answered, and how many of those rightly."""

    texts: int
    answered: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.answered if self.answered else 1.0

    def keeps(self, promise: float) -> bool:
        return not self.answered or wilson(self.right, self.answered)[1] >= promise


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-policy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with banking77")
    parser.add_argument("--only", nargs="+", default=["sample", "banking77", "linear", "best"], help="these data sets and recipes")
    parser.add_argument("--draws", type=int, default=20, help="draws of training texts (20)")
    arguments = parser.parse_args()
    print(
        f"{'':<20} {'promise':>7} {'made':>5} {'kept':>5} {'reached':>8} {'right':>7} {'answered':>9}   {'own: right':>10} {'answered':>9}"
    )
    for name, drawn in _data_sets(arguments.data):
        if name not in arguments.only:
            continue
        for recipe in (recipe for recipe in COSTS if recipe in arguments.only):
            _measure(name, recipe, [drawn(draw) for draw in range(arguments.draws)])
    return 0


def _data_sets(folder: Path) -> Iterator[tuple[str, Callable[[int], Split]]]:
    sample = [Example(row["text"], (row["label"],)) for row in json.loads(_SAMPLE.read_text(encoding="utf-8"))]
    yield "sample", lambda draw: _halves(sample, draw)
    if (folder / FOLDERS["banking77"]).is_dir():
        whole = banking77(folder / FOLDERS["banking77"])
        yield "banking77", lambda draw: few(whole, _PER_LABEL, draw)
    else:
        print(f"banking77: skipped, because the data folder has no {FOLDERS['banking77']} (set DATA=…)")


def _halves(examples: Sequence[Example], draw: int) -> Split:
    shuffled = random.Random(draw).sample(examples, len(examples))
    half = len(examples) // 2
    return Split(shuffled[:half], shuffled[half:], exclusive=True)


def _measure(name: str, recipe: str, draws: Sequence[Split]) -> None:
    """Print a row for each promise."""
    for each in encoders(recipe):
        each.encode(example.text for split in draws for example in (*split.train, *split.test))
    own: list[Measured] = []
    promised: dict[float, list[Measured]] = {promise: [] for promise in PROMISES}
    for split in draws:
        trained, choose = _trained(recipe, split)
        own.append(_on_fresh(trained, split, None))
        for promise in PROMISES:
            threshold = choose(promise)
            if threshold is not None:
                promised[promise].append(_on_fresh(trained, split, least_scores(trained.labels, None, threshold)))
    for promise, made in promised.items():
        kept, reached = (sum(flags) for flags in ([it.keeps(promise) for it in made], [it.precision >= promise for it in made]))
        ours, beside = (f"{_mean(it, 'right'):>7.3f} {_mean(it, 'answered'):>9.3f}" for it in (made, own))
        print(f"{name + ' ' + recipe:<20} {promise:>7} {len(made):>5} {kept:>5} {reached:>8} {ours}   {'':>3}{beside}", flush=True)


def _trained(recipe: str, split: Split) -> tuple[TrainedClassifier, Callable[[float], float | None]]:
    """The classifier, and the choice of a threshold for a promise: None if it can't be made."""
    chosen = Hyperparameters()
    training = Training(recipe, split.train, chosen, exclusive=True, encoders=encoders(recipe))
    for _ in training.steps():
        pass
    trained = training.result()
    dial = dial_of_answers(
        trained, answers_of_folds(trained, split.train, training.folds.answers(), chosen.min_precision), "cross-validation"
    )

    def choose(promise: float) -> float | None:
        found = for_precision(dial, promise)
        return None if isinstance(found, TooFew) else found

    return trained, choose


def _on_fresh(trained: TrainedClassifier, split: Split, least: Least | None) -> Measured:
    """The answers about the fresh texts, as a prediction gives them."""
    found = [labels[0] for labels, _ in trained.predict_by_stage([example.text for example in split.test], 1, least)]
    right = [label.label in example.labels for label, example in zip(found, split.test, strict=True) if label.accepted]
    return Measured(len(split.test), len(right), sum(right))


def _mean(made: Sequence[Measured], which: str) -> float:
    """The mean share of right answers, or of answered texts."""
    shares = [it.precision if which == "right" else it.answered / it.texts for it in made]
    return float(np.mean(shares)) if shares else float("nan")


if __name__ == "__main__":
    sys.exit(main())
