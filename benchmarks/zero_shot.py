"""`make bench-zero-shot`: labels without examples. How often the best label is right, and how often the right one is among the best five.

banking77 is the official test set of Banking77, by the names of its 77 labels alone: it has no descriptions. sample is the shipped sample
data set (local/sample), by the names of its 8 labels, and by names and descriptions (labels.csv, written from the names). Nothing was
chosen on Banking77's test set; that name and description are two vectors was chosen on the sample. score: the mean of the best label's.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.splits import DATA
from winnow.domain.label_names import NamedLabel
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import ZERO_SHOT
from winnow.recipes.zero_shot import NEVER, TEMPERATURE, Classifier

_SAMPLE = Path(__file__).parents[1] / "local" / "sample"
_BEST = 5

Texts = Sequence[tuple[str, str]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-zero-shot", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with banking77/test.csv")
    arguments = parser.parse_args()
    print(f"{'data set':<10} {'from':<24} {'labels':>6} {'texts':>6} {'right':>6} {'best 5':>6} {'score':>6} {'ready in':>9}", flush=True)
    for name, known_by, labels, texts in _rows(arguments.data):
        began = time.perf_counter()
        classifier = Classifier([label.name for label in labels], exclusive=True, language="en").learn(labels)
        trained = TrainedClassifier(ZERO_SHOT, classifier, TEMPERATURE, (NEVER,) * len(labels))
        ready = time.perf_counter() - began
        answers = trained.predict([text for text, _ in texts], _BEST)
        right = [answer[0].label == label for answer, (_, label) in zip(answers, texts, strict=True)]
        among = [label in {scored.label for scored in answer} for answer, (_, label) in zip(answers, texts, strict=True)]
        score = np.mean([answer[0].score for answer in answers])
        print(
            f"{name:<10} {known_by:<24} {len(labels):>6} {len(texts):>6,} {100 * np.mean(right):>6.1f} {100 * np.mean(among):>6.1f}"
            f" {score:>6.2f} {ready:>7.1f} s",
            flush=True,
        )
    return 0


def _rows(folder: Path) -> Iterator[tuple[str, str, list[NamedLabel], Texts]]:
    banking = folder / "banking77" / "test.csv"
    if banking.is_file():
        with banking.open(encoding="utf-8", newline="") as file:
            texts = [(row["text"], row["category"]) for row in csv.DictReader(file)]
        yield "banking77", "names", [NamedLabel(name) for name in sorted({label for _, label in texts})], texts
    else:
        print(f"{banking} is missing: see docs/benchmarks.md.", file=sys.stderr)
    texts = [(record["text"], record["label"]) for record in json.loads((_SAMPLE / "savings.json").read_text(encoding="utf-8"))]
    with (_SAMPLE / "labels.csv").open(encoding="utf-8", newline="") as file:
        described = [NamedLabel(row["name"], row["description"]) for row in csv.DictReader(file)]
    yield "sample", "names", [NamedLabel(label.name) for label in described], texts
    yield "sample", "names and descriptions", described, texts


if __name__ == "__main__":
    sys.exit(main())
