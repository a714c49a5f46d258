"""`make bench-active`: how many labels the review queue saves, against labelling in random order.

The pool is 3,000 texts of Banking77's training set, drawn by a seed. A run begins with the names of the labels alone (zero-shot), or with 5
texts a label. Each round labels the next texts of the pool, in the queue's order (evaluation.review_order, as POST /models/{id}/queue uses
it) or in random order, and trains on all labels so far, as feedback does: a label needs two texts. As in the service, the names make the
queue until a version knows all labels; the accuracy is that of the trained version all the same. The recipe is `sentence` with the
multilingual encoder, and without the folds that calibrate it: they take most of the time. The test set only measures; the rule was chosen
on parts of the training set. share: the labels that the queue's order needs for the accuracy of the random order, by linear interpolation
between rounds; the goal is 0.6.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.encoded import encoded
from benchmarks.splits import DATA, Split, banking77, require_banking77
from winnow.datasets.split import FEWEST_TEXTS
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.domain.label_names import NamedLabel
from winnow.evaluation import review_order
from winnow.recipes import sentence
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import ZERO_SHOT
from winnow.recipes.encoder import MULTILINGUAL
from winnow.recipes.text_vectors import closeness_of, vectors_of
from winnow.recipes.zero_shot import NEVER, TEMPERATURE, Classifier

_POOL = 3_000
_STARTS = {"names": 0, "5 a label": 5}

type Curve = list[tuple[int, float]]
"""The labels that were given so far, and the accuracy in percent."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-active", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA / "banking77", help="the folder with Banking77's train.csv and test.csv")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--labels", type=int, default=100, help="the labels of a round")
    parser.add_argument("--only", choices=_STARTS, help="only this start")
    arguments = parser.parse_args()
    require_banking77(arguments.data)
    split = banking77(arguments.data)
    encoded(MULTILINGUAL).encode(example.text for example in (*split.train, *split.test))
    for start in [arguments.only] if arguments.only else _STARTS:
        curves: dict[str, list[Curve]] = {"queue": [], "random": []}
        for seed in range(arguments.seeds):
            for order, found in curves.items():
                found.append(_curve(split, _STARTS[start], order, seed, [arguments.labels] * arguments.rounds))
                told = "  ".join(f"{labels}: {accuracy:.1f}" for labels, accuracy in found[-1])
                print(f"{start:<10} {order:<7} seed {seed}  {told}", flush=True)
        _compare(start, _mean(curves["queue"]), _mean(curves["random"]))
    return 0


def _curve(split: Split, start: int, order: str, seed: int, rounds: Sequence[int]) -> Curve:
    """One run. order: "queue" or "random"."""
    pool = random.Random(seed).sample(list(split.train), _POOL)
    labelled: list[Example] = []
    for example in pool if start else ():
        if sum(each.labels == example.labels for each in labelled) < start:
            labelled.append(example)
    pool = [example for example in pool if example not in labelled]
    live = trained = _trained(split, labelled)
    curve = [(0, _accuracy(trained, split.test))]
    for labels in rounds:
        places = _queue(live, labelled, [example.text for example in pool], labels) if order == "queue" else range(labels)
        labelled += [pool[place] for place in places]
        pool = [example for place, example in enumerate(pool) if place not in set(places)]
        trained = _trained(split, labelled)
        live = trained if {*live.labels} <= {*trained.labels} else live
        curve.append((curve[-1][0] + labels, _accuracy(trained, split.test)))
    return curve


def _trained(split: Split, labelled: Sequence[Example]) -> TrainedClassifier:
    """What a model has learnt from these labels; from none, the names."""
    texts_of = Counter(example.labels for example in labelled)
    known = [example for example in labelled if texts_of[example.labels] >= FEWEST_TEXTS]
    if not known:
        names = [NamedLabel(name) for name in sorted({example.labels[0] for example in split.train})]
        classifier = Classifier([name.name for name in names], exclusive=True, language="en", encoding=encoded(MULTILINGUAL)).learn(names)
        return TrainedClassifier(ZERO_SHOT, classifier, TEMPERATURE, (NEVER,) * len(names))
    labels = sorted({example.labels[0] for example in known})
    learning = sentence.Classifier(labels, exclusive=True, language="en", encoding=encoded(MULTILINGUAL))
    fitting = learning.fitting(known, sentence.settings(Hyperparameters(), len(known), len(labels), exclusive=True))
    for _ in chain(fitting.begin(), fitting.run_epoch()):
        pass
    fitting.finish()
    return TrainedClassifier(sentence.NAME, learning, 1.0, (0.5,) * len(labels))


def _queue(live: TrainedClassifier, labelled: Sequence[Example], texts: Sequence[str], most: int) -> list[int]:
    """The places of the first texts of the queue (winnow.review.make)."""
    judged, same = live.judged(texts), closeness_of(live).same
    uncertain = review_order.uncertainty(judged.scores, live.thresholds_of(judged), exclusive=True).tolist()
    if live.recipe == ZERO_SHOT:
        texts_of = Counter(example.labels[0] for example in labelled)
        lacking, vectors = [max(FEWEST_TEXTS - texts_of[label], 0) for label in live.labels], vectors_of(live, texts)
        near = review_order.nearest(vectors, list(vectors_of(live, [example.text for example in labelled])) if labelled else [])
        return review_order.without_examples(judged.scores, uncertain, vectors, near, lacking=lacking, same=same, most=most)
    places = review_order.least_certain(uncertain, review_order.CANDIDATES)
    picked = review_order.spread([uncertain[place] for place in places], vectors_of(live, [texts[place] for place in places]), same, most)
    return [places[place] for place in picked]


def _accuracy(trained: TrainedClassifier, test: Sequence[Example]) -> float:
    answers = trained.choose([example.text for example in test])
    return 100 * float(np.mean([answer == {*example.labels} for answer, example in zip(answers, test, strict=True)]))


def _mean(curves: Sequence[Curve]) -> Curve:
    return [(points[0][0], float(np.mean([accuracy for _, accuracy in points]))) for points in zip(*curves, strict=True)]


def _compare(start: str, queue: Curve, at_random: Curve) -> None:
    """Print the shares of labels that the queue's order needs."""
    reached = np.maximum.accumulate([accuracy for _, accuracy in queue])
    for labels, accuracy in at_random[1:]:
        if reached[0] < accuracy <= reached[-1]:
            needed = float(np.interp(accuracy, reached, [count for count, _ in queue]))
            print(f"{start:<10} random {labels}: {accuracy:.1f}  queue {needed:.0f}  share {needed / labels:.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
