"""`make bench-languages`: our recipes in several languages and scripts, beside scikit-learn's character and word SVC.

languages/ has the same sentences in each language, in four classes, with its own training and test files: few texts, so that one answer is
8 points. zh_titles/ has Chinese titles of ten labels, with 39 and 41 training texts per label.
The SVC reads TF-IDF of words and pairs of words, and of characters from one up, across words. Its settings (the longest character
n-gram, C) are chosen by five folds of the training set, ours are the defaults. Nothing is chosen on a test set. `auto` chooses as the
workflow does.
ratio: accuracy divided by the SVC's.
--across trains on English alone and asks in each other language: once the test sentences, and once ("translated") every sentence, where
the training had all of them in English.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.svm import LinearSVC

from benchmarks.encoded import encoders
from benchmarks.splits import DATA, FOLDS, Split, every_nth
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import catalogue
from winnow.training.choose import Candidate, choose
from winnow.training.fit import Training

RECIPES = ("linear", "auto", "sentence", "light", "best")
_DEFAULT = ("linear", "auto")
_LONGEST, _CS = (2, 3, 5), (0.3, 1.0, 3.0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-languages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with languages and zh_titles")
    parser.add_argument("--only", nargs="+", default=[], help=f"only these recipes ({', '.join(RECIPES)}) and data sets, such as de")
    parser.add_argument("--across", action="store_true", help="train on English, ask in the other languages")
    arguments = parser.parse_args()
    recipes = [recipe for recipe in RECIPES if recipe in arguments.only] or list(_DEFAULT)
    wanted = {*arguments.only} - {*RECIPES}
    print(f"{'data set':<18} {'learnt':>7} {'tested':>7} {'svc':>6}  {'  '.join(f'{recipe:>8} ratio' for recipe in recipes)}", flush=True)
    rows = []
    for name, language, split in _data_sets(arguments.data, across=arguments.across):
        if wanted and name not in wanted:
            continue
        svc = _accuracy(_svc(split.train).predict([example.text for example in split.test]), split.test)
        told = [_ours(recipe, split, language) for recipe in recipes]
        rows.append((svc, *told))
        _print(name, f"{len(split.train):>7,} {len(split.test):>7,}", rows[-1])
    if len(rows) > 1:
        _print("mean", " " * 15, [statistics.fmean(column) for column in zip(*rows, strict=True)])
    return 0


def _print(name: str, texts: str, row: Sequence[float]) -> None:
    svc, *ours = row
    ratios = "  ".join(f"{100 * each:>8.1f} {each / svc if svc else float('nan'):>5.2f}" for each in ours)
    print(f"{name:<18} {texts} {100 * svc:>6.1f}  {ratios}", flush=True)


def _data_sets(folder: Path, *, across: bool) -> Iterator[tuple[str, str, Split]]:
    """The name, the language of the training texts, and the split of each data set."""
    for file in sorted((folder / "languages").glob("l-*-test.jsonl")):
        language = file.name.split("-")[1]
        source = "en" if across else language
        if across and language == source:
            continue
        learnt, asked = file.with_name(f"l-{source}-train.jsonl"), file.with_name(f"l-{language}-train.jsonl")
        yield f"en, asked {language}" if across else language, source, Split(_lines(learnt), _lines(file), exclusive=True)
        if across:
            both = Split([*_lines(learnt), *_lines(file.with_name("l-en-test.jsonl"))], [*_lines(asked), *_lines(file)], exclusive=True)
            yield f"en, translated {language}", source, both
    for file in [] if across else sorted((folder / "zh_titles").glob("train-*.csv")):
        yield f"zh_titles-{file.stem.removeprefix('train-')}", "zh", Split(_table(file), _table(file.with_name("test.csv")), exclusive=True)


def _lines(file: Path) -> list[Example]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Example(row["text"], (row["label"],)) for row in rows]


def _table(file: Path) -> list[Example]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [Example(row["text"], (row["label"],)) for row in csv.DictReader(lines)]


def _svc(examples: Sequence[Example]) -> Pipeline:
    """Trained with the settings that are best over five folds of the examples. The first of equals wins."""
    folds = [every_nth(examples, FOLDS, fold) for fold in range(FOLDS)]

    def worth(settings: tuple[int, float]) -> float:
        fitted = ((_fitted(*settings, rest), held_out) for rest, held_out in folds)
        return statistics.fmean(_accuracy(each.predict([example.text for example in held_out]), held_out) for each, held_out in fitted)

    return _fitted(*max(product(_LONGEST, _CS), key=worth), examples)


def _fitted(longest: int, c: float, examples: Sequence[Example]) -> Pipeline:
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    characters = TfidfVectorizer(sublinear_tf=True, analyzer="char", ngram_range=(1, longest))
    pipeline = make_pipeline(make_union(words, characters), LinearSVC(C=c))
    pipeline.fit([example.text for example in examples], [example.labels[0] for example in examples])
    return pipeline


def _ours(recipe: str, split: Split, language: str) -> float:
    trainings: dict[str, Training] = {}
    for name in catalogue.candidates(recipe, has_encoder=True):
        trainings[name] = Training(name, split.train, Hyperparameters(), exclusive=True, encoders=encoders(name, language))
        for _ in trainings[name].steps():
            pass
    candidates = [Candidate(name, training.folds.held_out_score()) for name, training in trainings.items()]
    choice = choose(candidates, language, frozenset().union(*catalogue.LANGUAGES_OF_ENCODER.values()))
    answers = trainings[choice.winner.recipe].result().choose([example.text for example in split.test])
    return _accuracy([next(iter(answer)) for answer in answers], split.test)


def _accuracy(answers: Sequence[str], truth: Sequence[Example]) -> float:
    return statistics.fmean(answer == example.labels[0] for answer, example in zip(answers, truth, strict=True))


if __name__ == "__main__":
    sys.exit(main())
