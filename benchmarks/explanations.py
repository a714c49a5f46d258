"""`make bench-explanations`: how long it takes to explain texts of different lengths, by recipe.

The models learn the sample, in this process. The texts are sentences of the sample, joined. Median processor seconds of the rounds, and the
number of words that were tried. The goal is for 20 words.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import COSTS, OF_ENCODER
from winnow.training.fit import Training

_SAMPLE = Path(__file__).parents[1] / "local" / "sample" / "savings.json"
_WORDS = (20, 100, 300, 1_000)
_GOAL = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench-explanations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=["linear", *OF_ENCODER], choices=COSTS, help="these recipes (not cnn)")
    parser.add_argument("--rounds", type=int, default=5, help="the number of times that each text is explained (5)")
    arguments = parser.parse_args()
    rows = json.loads(_SAMPLE.read_text(encoding="utf-8"))
    words = " ".join(row["text"] for row in rows).split()
    texts = [" ".join(words[:count]) for count in _WORDS]
    print(f"{'words':<10}" + "".join(f"{count:>16,}" for count in _WORDS), flush=True)
    worst = 0.0
    for recipe in arguments.only:
        classifier = _trained(recipe, [Example(row["text"], (row["label"],)) for row in rows])
        found = [_explained(classifier, text, arguments.rounds) for text in texts]
        worst = max(worst, found[0][0])
        print(f"{recipe:<10}" + "".join(f"{seconds:>9.3f} s {tried:>4}" for seconds, tried in found), flush=True)
    print(f"{'met   ' if worst <= _GOAL else 'MISSED'} {_WORDS[0]} words took {worst:.2f} s; goal: at most {_GOAL:g}")
    return 0


def _trained(recipe: str, examples: list[Example]) -> TrainedClassifier:
    training = Training(recipe, examples, Hyperparameters(), exclusive=True)
    for _ in training.steps():
        pass
    return training.result()


def _explained(classifier: TrainedClassifier, text: str, rounds: int) -> tuple[float, int]:
    """The median seconds, and the words that were tried."""
    [[first]] = classifier.predict([text], 1)
    took = []
    for _ in range(rounds):
        began = time.process_time()
        told = classifier.explain(text, first.label)
        took.append(time.process_time() - began)
    return statistics.median(took), len(told.words)


if __name__ == "__main__":
    sys.exit(main())
