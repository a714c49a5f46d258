"""`make bench-suspects`: wrong labels in a data set, and which of them the suspects find.

20 texts of each label of Banking77, of which a tenth has a wrong label: any other one, at random, or always the most similar one (by the
mean sentence vectors of the labels' texts). All examples are ranked by how doubtful their labels are, by the answers of the folds of a
training. The table has the mean over the draws: the share of wrong labels in the worst tenth, the share of all wrong labels that are in
the worst fifth, and both of these for the findings that the API would list. The peer is the usual ranking with scikit-learn: the score of
the given label by logistic regression over TF-IDF, out of five folds (cross_val_predict).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline, make_union

from benchmarks.encoded import encoded, encoders, vectors
from benchmarks.splits import DATA, FOLDERS, banking77, few, require_banking77
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.evaluation.suspects import doubts, suspect_report
from winnow.recipes.catalogue import COSTS
from winnow.training.calibrate import answers_of_folds
from winnow.training.doubting import doubting_scores
from winnow.training.fit import Training

_PER_LABEL, _WRONG = 20, 0.1
_PEER = "logreg"


class Ranked(NamedTuple):
    """How doubtful the label of each example is, of shape (n,), and the rows that are listed; none for the peer."""

    doubts: NDArray[np.float64]
    listed: Sequence[int]


class Measured(NamedTuple):
    """Shares: of wrong ones in the worst tenth, of all wrong ones in the worst fifth, of wrong ones in the list, of all that it has."""

    tenth: float
    fifth: float
    precision: float
    recall: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-suspects", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with banking77")
    parser.add_argument("--only", nargs="+", default=["linear", "best", _PEER], choices=[*COSTS, _PEER], help="these recipes")
    parser.add_argument("--draws", type=int, default=3, help="draws of texts and wrong labels (3)")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first draw (0)")
    arguments = parser.parse_args()
    folder = arguments.data / FOLDERS["banking77"]
    require_banking77(folder)
    draws = [few(banking77(folder), _PER_LABEL, seed).train for seed in range(arguments.first, arguments.first + arguments.draws)]
    for each in {each.name: each for each in (encoded(), *(each for recipe in COSTS for each in encoders(recipe)))}.values():
        each.encode(example.text for draw in draws for example in draw)
    print(f"banking77: {len(draws[0]):,} texts, {_WRONG:.0%} of them with a wrong label, {len(draws)} draws")
    print(f"  {'recipe':<9} {'wrong labels':<13} {'worst tenth':>12} {'worst fifth':>12} {'listed wrong':>13} {'wrong listed':>13}")
    for recipe in arguments.only:
        for name, choose in (("at random", _at_random), ("most similar", _most_similar)):
            runs = [_run(recipe, draw, choose(draw), arguments.first + number) for number, draw in enumerate(draws)]
            mean = Measured(*np.mean(runs, axis=0))
            listed = "" if recipe == _PEER else f"{mean.precision:>13.3f} {mean.recall:>13.3f}"
            print(f"  {recipe:<9} {name:<13} {mean.tenth:>12.3f} {mean.fifth:>12.3f} {listed}".rstrip(), flush=True)
    return 0


type _Choose = Callable[[str, random.Random], str]


def _at_random(examples: Sequence[Example]) -> _Choose:
    labels = sorted({example.labels[0] for example in examples})
    return lambda label, chance: chance.choice([each for each in labels if each != label])


def _most_similar(examples: Sequence[Example]) -> _Choose:
    labels = sorted({example.labels[0] for example in examples})
    means = np.stack([vectors([example.text for example in examples if example.labels == (label,)]).mean(axis=0) for label in labels])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    likeness = means @ means.T
    np.fill_diagonal(likeness, -1)
    nearest = dict(zip(labels, (labels[place] for place in likeness.argmax(axis=1)), strict=True))
    return lambda label, _: nearest[label]


def _run(recipe: str, draw: Sequence[Example], choose: _Choose, seed: int) -> Measured:
    chance = random.Random(seed)
    wrong = set(chance.sample(range(len(draw)), round(_WRONG * len(draw))))
    labels = [choose(example.labels[0], chance) if place in wrong else example.labels[0] for place, example in enumerate(draw)]
    # Rows count from 1.
    examples = [Example(example.text, (label,), row) for row, (example, label) in enumerate(zip(draw, labels, strict=True), start=1)]
    ranked = (_peer if recipe == _PEER else _ours)(recipe, examples)
    order = (np.argsort(-ranked.doubts, kind="stable")).tolist()
    tenth, fifth = order[: len(draw) // 10], order[: len(draw) // 5]
    found = [row for row in ranked.listed if row - 1 in wrong]
    return Measured(
        len(wrong.intersection(tenth)) / len(tenth),
        len(wrong.intersection(fifth)) / len(wrong),
        len(found) / max(1, len(ranked.listed)),
        len(found) / len(wrong),
    )


def _ours(recipe: str, examples: Sequence[Example]) -> Ranked:
    chosen = Hyperparameters()
    training = Training(recipe, examples, chosen, exclusive=True, encoders=encoders(recipe))
    for _ in training.steps():
        pass
    trained = replace(training.result(), early=())
    answers = answers_of_folds(trained, examples, training.folds.answers().of_last_stage, chosen.min_precision)
    rows = [example.row for example in answers.examples]
    ranked, scores = np.full(len(examples), -np.inf), doubting_scores(trained, answers)
    ranked[np.array(rows) - 1] = doubts(answers.truth.argmax(axis=1), scores)
    report = suspect_report(truth=answers.truth, scores=scores, labels=training.labels, exclusive=True, rows=rows, texts=None)
    return Ranked(ranked, [each["row"] for each in report["suspects"] if each["kind"] != "label"])


def _peer(_: str, examples: Sequence[Example]) -> Ranked:
    labels = [example.labels[0] for example in examples]
    features = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    model = make_pipeline(features, LogisticRegression(C=20, max_iter=1000))
    scores = cross_val_predict(model, [example.text for example in examples], labels, cv=5, method="predict_proba")
    own = scores[np.arange(len(labels)), np.searchsorted(sorted(set(labels)), labels)]
    return Ranked(1 - own, [])


if __name__ == "__main__":
    sys.exit(main())
