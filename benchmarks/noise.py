"""`make bench-noise`: scores of models that learnt from wrong labels, measured on texts with right labels.

A share of the training labels is replaced by another label, at random. The table has the mean over the draws and the worst draw: accuracy,
expected calibration error, and the share of test texts with an accepted label. The peer is logistic regression over TF-IDF, with
scikit-learn's own calibration (CalibratedClassifierCV, sigmoid). It has no threshold.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from benchmarks.encoded import encoders
from benchmarks.splits import DATA, FOLDERS, Split, banking77, few
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.evaluation.calibration_error import reliability
from winnow.recipes.catalogue import COSTS
from winnow.recipes.label_matrix import label_flags
from winnow.training.fit import Training

_SHARES = (0.0, 0.04, 0.08, 0.16)
_PEER = "logreg"
_SAMPLE = Path(__file__).parents[1] / "local" / "sample" / "savings.json"
# Labels of the sample, and training texts of each label.
_LABELS_OF_SAMPLE, _PER_LABEL = 4, {"sample": 24, "banking77": 20}


@dataclass(frozen=True, slots=True)
class Measured:
    """The measures of one model. accepted: None for the peer, which has no threshold."""

    accuracy: float
    error: float
    accepted: float | None


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-noise", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with banking77")
    parser.add_argument("--only", nargs="+", default=["sample", "banking77", *COSTS, _PEER], help="these data sets and recipes")
    parser.add_argument("--draws", type=int, default=8, help="draws of texts and wrong labels (8)")
    arguments = parser.parse_args()
    recipes = [recipe for recipe in (*COSTS, _PEER) if recipe in arguments.only]
    for name, drawn in _data_sets(arguments.data):
        if name in arguments.only:
            _measure(name, [drawn(draw) for draw in range(arguments.draws)], recipes)
    return 0


def _data_sets(folder: Path) -> Iterator[tuple[str, Callable[[int], Split]]]:
    rows = json.loads(_SAMPLE.read_text(encoding="utf-8"))
    labels = list(dict.fromkeys(row["label"] for row in rows))[:_LABELS_OF_SAMPLE]
    sample = [Example(row["text"], (row["label"],)) for row in rows if row["label"] in labels]
    yield "sample", lambda draw: _with_the_rest_as_test(few(Split(sample, [], exclusive=True), _PER_LABEL["sample"], draw), sample)
    if (folder / FOLDERS["banking77"]).is_dir():
        whole = banking77(folder / FOLDERS["banking77"])
        yield "banking77", lambda draw: few(whole, _PER_LABEL["banking77"], draw)
    else:
        print(f"banking77: skipped, because the data folder has no {FOLDERS['banking77']} (set DATA=…)")


def _with_the_rest_as_test(split: Split, examples: Sequence[Example]) -> Split:
    learnt = set(split.train)
    return Split(split.train, [example for example in examples if example not in learnt], exclusive=True)


def _measure(name: str, draws: Sequence[Split], recipes: Sequence[str]) -> None:
    print(f"{name}: {len(draws[0].train):,} texts to train on, {len(draws[0].test):,} to test, {len(draws)} draws")
    for each in {each.name: each for recipe in recipes for each in encoders(recipe)}.values():
        each.encode([example.text for draw in draws for example in (*draw.train, *draw.test)])
    print(f"  {'recipe':<9} {'wrong':>6} {'accuracy':>9} {'error':>7} {'worst':>7} {'accepted':>9} {'least':>7}")
    for recipe in recipes:
        for share in _SHARES:
            runs = [_run(recipe, _flipped(split.train, share, draw), split.test) for draw, split in enumerate(draws)]
            errors, accepted = [run.error for run in runs], [run.accepted for run in runs if run.accepted is not None]
            told = f"{np.mean(accepted):>9.3f} {min(accepted):>7.3f}" if accepted else ""
            accuracy = np.mean([run.accuracy for run in runs])
            print(f"  {recipe:<9} {share:>6.0%} {accuracy:>9.3f} {np.mean(errors):>7.3f} {max(errors):>7.3f} {told}".rstrip(), flush=True)
    print()


def _flipped(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """The examples in another order, and a share of them with another label."""
    labels, chance = sorted({example.labels[0] for example in examples}), random.Random(seed)
    mixed = chance.sample(examples, len(examples))
    wrong = round(share * len(mixed))
    flipped = [Example(each.text, (chance.choice([label for label in labels if label not in each.labels]),)) for each in mixed[:wrong]]
    return chance.sample(flipped + mixed[wrong:], len(mixed))


def _run(recipe: str, train: Sequence[Example], test: Sequence[Example]) -> Measured:
    texts, labels = [example.text for example in test], sorted({example.labels[0] for example in train})
    truth = label_flags(test, labels)
    if recipe == _PEER:
        scores, accepted = _of_peer(train, texts), None
    else:
        training = Training(recipe, train, Hyperparameters(), exclusive=True, encoders=encoders(recipe))
        for _ in training.steps():
            pass
        trained = training.result()
        judged = trained.judged(texts)
        scores, accepted = judged.scores, float(trained.accepts(judged).mean())
    right = truth[np.arange(len(truth)), scores.argmax(axis=1)].mean()
    return Measured(float(right), reliability(truth, scores, exclusive=True)["ece"], accepted)


def _of_peer(train: Sequence[Example], texts: Sequence[str]) -> NDArray[np.float32]:
    features = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    peer = make_pipeline(features, CalibratedClassifierCV(LogisticRegression(C=20, max_iter=1000), cv=5))
    peer.fit([example.text for example in train], [example.labels[0] for example in train])
    return np.asarray(peer.predict_proba(texts), np.float32)


if __name__ == "__main__":
    sys.exit(main())
