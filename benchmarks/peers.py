"""The peers of our recipes, each trained as its documentation recommends. Needs requirements/bench.txt.

A peer gives scores. This module turns the scores of all peers into labels in the same way: the best label if labels are exclusive,
otherwise all labels that reach one threshold.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fasttext
import joblib
import numpy as np
import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MultiLabelBinarizer
from sklearn.svm import LinearSVC
from spacy.tokens import DocBin

from benchmarks.encoded import vectors
from benchmarks.splits import FOLDS, every_nth
from winnow.domain.dataset import Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Settings = Mapping[str, Any]
type Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Fitted:
    """A trained peer. scores: one row per text, one column per label. threshold: None if the peer doesn't choose one itself."""

    labels: Sequence[str]
    scores: Callable[[Sequence[str]], Scores]
    size: int
    """The bytes that a deployment must load."""
    threshold: float | None = None

    def choose(self, texts: Sequence[str], *, exclusive: bool) -> list[set[str]]:
        return chosen(self.scores(texts), self.labels, None if exclusive else self.threshold)


class DivergedError(Exception):
    """The training ended in NaN: the settings don't suit the data."""


@dataclass(frozen=True)
class Peer:
    """A way to train a text classifier. grid: the settings to choose from, on a held-out fold of the training set."""

    fit: Callable[[Sequence[Example], Settings, bool, int], Fitted]
    """Called with the examples, one entry of the grid, whether labels are exclusive, and a seed."""
    grid: Callable[[int], Sequence[Settings]]
    """Called with the number of examples."""

    def best_settings(self, examples: Sequence[Example], *, exclusive: bool) -> Settings:
        """The best settings on a fifth of the examples, trained on the others. The first of equals wins."""
        grid = self.grid(len(examples))
        if len(grid) == 1:
            return grid[0]
        rest, held_out = every_nth(examples, FOLDS, 0)
        return max(grid, key=lambda settings: self._worth(settings, rest, held_out, exclusive=exclusive))

    def _worth(self, settings: Settings, train: Sequence[Example], held_out: Sequence[Example], *, exclusive: bool) -> float:
        """Accuracy. If labels aren't exclusive: micro-F1 at the best threshold."""
        try:
            fitted = self.fit(train, settings, exclusive, 0)
        except DivergedError:
            return 0.0
        scores = fitted.scores([example.text for example in held_out])
        if not exclusive:
            return _best_threshold(scores, _indicators(held_out, fitted.labels))[1]
        right = zip(chosen(scores, fitted.labels, None), held_out, strict=True)
        return sum(given == set(example.labels) for given, example in right) / len(held_out)

    def train(self, examples: Sequence[Example], settings: Settings, *, exclusive: bool, seed: int) -> Fitted:
        """Train on all examples. If labels aren't exclusive and the peer has no threshold: use the best one on out-of-fold scores."""
        fitted = self.fit(examples, settings, exclusive, seed)
        if exclusive or fitted.threshold is not None:
            return fitted
        scores, truth = [], []
        for fold in range(FOLDS):
            rest, held_out = every_nth(examples, FOLDS, fold)
            part = self.fit(rest, settings, exclusive, seed)
            if set(part.labels) != set(fitted.labels):
                raise ValueError("a fold of the training set lacks a label: there are too few examples to tune a threshold")
            scores.append(part.scores([example.text for example in held_out]))
            truth.append(_indicators(held_out, part.labels))
        return Fitted(fitted.labels, fitted.scores, fitted.size, _best_threshold(np.vstack(scores), np.vstack(truth))[0])


def chosen(scores: Scores, labels: Sequence[str], threshold: float | None) -> list[set[str]]:
    """The labels of each row: without a threshold the best one, otherwise all that reach it (maybe none)."""
    if threshold is None:
        return [{labels[column]} for column in scores.argmax(axis=1).tolist()]
    return [{labels[column] for column in np.flatnonzero(row >= threshold).tolist()} for row in scores]


def _indicators(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([[label in example.labels for label in labels] for example in examples])


def _best_threshold(scores: Scores, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """The threshold with the highest micro-F1 on these scores, half-way to the next lower score; and that micro-F1."""
    flat = scores.ravel().astype(np.float64)
    order = np.argsort(-flat, kind="stable")
    right = np.cumsum(truth.ravel()[order])
    f1 = 2 * right / (np.arange(1, len(flat) + 1) + truth.sum())
    # A threshold can't separate equal scores, so only the last of them is a place to cut.
    ordered = flat[order]
    f1[:-1][ordered[:-1] == ordered[1:]] = 0
    best = int(f1.argmax())
    return float(ordered[best : best + 2].mean()), float(f1[best])


# --- scikit-learn ---


def _scikit(
    features: Callable[[], Any], make: Callable[[float, bool], Any], method: str
) -> Callable[[Sequence[Example], Settings, bool, int], Fitted]:
    def fit(examples: Sequence[Example], settings: Settings, exclusive: bool, _seed: int) -> Fitted:
        texts = [example.text for example in examples]
        if exclusive:
            pipeline = make_pipeline(features(), make(settings["C"], exclusive))
            pipeline.fit(texts, [example.labels[0] for example in examples])
            labels = [str(label) for label in pipeline.classes_]
        else:
            pipeline = make_pipeline(features(), OneVsRestClassifier(make(settings["C"], exclusive)))
            binarizer = MultiLabelBinarizer()
            pipeline.fit(texts, binarizer.fit_transform([example.labels for example in examples]))
            labels = [str(label) for label in binarizer.classes_]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.joblib"
            joblib.dump((pipeline, labels), file)
            size = file.stat().st_size
        return Fitted(labels, getattr(pipeline, method), size)

    return fit


def words() -> FeatureUnion:
    return FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)),
        ]
    )


def _sentence() -> FunctionTransformer:
    return FunctionTransformer(vectors)


def _words_and_sentence() -> FeatureUnion:
    return FeatureUnion([("words", words()), ("sentence", _sentence())], transformer_weights={"sentence": 2})


def _svc(c: float, _exclusive: bool) -> Any:
    return LinearSVC(C=c)


def _logistic(c: float, exclusive: bool) -> Any:
    # For two classes, liblinear finds nearly the same result in a fraction of the time.
    return LogisticRegression(C=c, max_iter=1000, solver="lbfgs" if exclusive else "liblinear")


# --- fastText ---

_PUNCTUATION = re.compile(r"([^\w\s])")
# Rows of the input matrix. fastText's default of two million makes every model 400 MB at 50 dimensions.
BUCKETS = 100_000
THREADS = 10


def fasttext_line(text: str) -> str:
    """Lower case, with punctuation as separate words, as in fastText's tutorial."""
    return " ".join(_PUNCTUATION.sub(r" \1 ", text.lower()).split())


def _fasttext_grid(examples: int) -> list[Settings]:
    # Enough passes to show about 100,000 or 400,000 texts: fewer examples get more passes.
    epochs = sorted({min(1000, max(5, seen // examples)) for seen in (100_000, 400_000)})
    ngrams = ((1, 0, 0), (2, 0, 0), (1, 2, 5), (2, 2, 5))
    grid = itertools.product((50, 100), (0.5, 1.0), epochs, ngrams)
    return [
        {"dim": dim, "lr": rate, "epoch": epoch, "wordNgrams": words, "minn": shortest, "maxn": longest}
        for dim, rate, epoch, (words, shortest, longest) in grid
    ]


def _fit_fasttext(examples: Sequence[Example], settings: Settings, exclusive: bool, seed: int) -> Fitted:
    labels = sorted({label for example in examples for label in example.labels})
    numbers = {label: number for number, label in enumerate(labels)}
    marked = [" ".join([*(f"__label__{numbers[label]}" for label in example.labels), fasttext_line(example.text)]) for example in examples]
    with tempfile.TemporaryDirectory() as folder:
        file, artifact = Path(folder) / "train.txt", Path(folder) / "model.bin"
        # fastText learns nothing from a text without a label.
        file.write_text("\n".join(line for line, example in zip(marked, examples, strict=True) if example.labels), encoding="utf-8")
        loss = "softmax" if exclusive else "ova"
        # Each of ten threads initializes a tenth of the input matrix. With fewer threads (DenseMatrix::uniform of 0.9.3), the rest stays
        # uninitialized, and training can end in NaN. With ten threads, the same seed gives slightly different numbers each time.
        try:
            model = fasttext.train_supervised(str(file), **settings, loss=loss, bucket=BUCKETS, thread=THREADS, seed=seed, verbose=0)
        except RuntimeError as error:
            raise DivergedError(str(error)) from error
        model.save_model(str(artifact))
        size = artifact.stat().st_size

    def scores(texts: Sequence[str]) -> Scores:
        rows = np.zeros((len(texts), len(labels)), dtype=np.float32)
        for row, (names, values) in zip(rows, zip(*model.predict([fasttext_line(text) for text in texts], k=-1), strict=True), strict=True):
            row[[int(name.removeprefix("__label__")) for name in names]] = values
        return rows

    return Fitted(labels, scores, size)


# --- spaCy ---


def _fit_spacy(examples: Sequence[Example], _settings: Settings, exclusive: bool, seed: int) -> Fitted:
    """`spacy init config --optimize efficiency` and `spacy train` with their defaults. A tenth of the examples is the dev set."""
    name = "textcat" if exclusive else "textcat_multilabel"
    labels = sorted({label for example in examples for label in example.labels})
    train, dev = every_nth(examples, 10, seed % 10)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for part, corpus in (("train", train), ("dev", dev)):
            _corpus(corpus, labels).to_disk(folder / f"{part}.spacy")
        _spacy("init", "config", folder / "config.cfg", "--lang", "en", "--pipeline", name, "--optimize", "efficiency")
        paths = ("--paths.train", folder / "train.spacy", "--paths.dev", folder / "dev.spacy")
        _spacy("train", folder / "config.cfg", "--output", folder, *paths, "--system.seed", seed)
        best = folder / "model-best"
        nlp = spacy.load(best)
        size = sum(file.stat().st_size for file in best.rglob("*") if file.is_file())
    names = list(nlp.get_pipe(name).labels)  # type: ignore[attr-defined]

    def scores(texts: Sequence[str]) -> Scores:
        return np.array([[doc.cats[label] for label in names] for doc in nlp.pipe(texts)])

    if exclusive:
        return Fitted(names, scores, size)
    threshold, _ = _best_threshold(scores([example.text for example in dev]), _indicators(dev, names))
    return Fitted(names, scores, size, threshold)


def _corpus(examples: Sequence[Example], labels: Sequence[str]) -> DocBin:
    nlp, corpus = spacy.blank("en"), DocBin()
    for example in examples:
        doc = nlp.make_doc(example.text)
        doc.cats = {label: float(label in example.labels) for label in labels}
        corpus.add(doc)
    return corpus


def _spacy(*arguments: object) -> None:
    command = [sys.executable, "-m", "spacy", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"spacy {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:] or done.stdout[-500:]}")


def _only(settings: Settings) -> Callable[[int], Sequence[Settings]]:
    return lambda _examples: [settings]


def _values_of_c(*values: float) -> Callable[[int], Sequence[Settings]]:
    return lambda _examples: [{"C": value} for value in values]


_SVC, _LOGISTIC = _values_of_c(1, 0.3, 3), _values_of_c(20, 5, 80)

PEERS: Mapping[str, Peer] = {
    "spacy": Peer(_fit_spacy, _only({})),
    "svc": Peer(_scikit(words, _svc, "decision_function"), _SVC),
    "logreg": Peer(_scikit(words, _logistic, "predict_proba"), _LOGISTIC),
    "fasttext": Peer(_fit_fasttext, _fasttext_grid),
    "minilm-logreg": Peer(_scikit(_sentence, _logistic, "predict_proba"), _LOGISTIC),
    "minilm-svc": Peer(_scikit(_words_and_sentence, _svc, "decision_function"), _SVC),
}

OF_ENCODER = ("minilm-logreg", "minilm-svc")
"""The peers that use sentence vectors."""
