"""python -m benchmarks.peer_models DATA FOLDER: trains the Banking77 models of benchmarks/peers_prediction, one file each.

It runs in the environment of requirements/bench.txt. The models of scikit-learn and fastText are those in docs/benchmarks.md. The spaCy
model is the default of `nlp.add_pipe("textcat")`, TextCatEnsemble with Tok2Vec and a linear bag of words, after one pass over part of
the examples. Its answers are poor, but that doesn't change the cost of loading and using it.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import fasttext
import joblib
import spacy
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from spacy.training import Example as Doc
from thinc.api import fix_random_seed

from benchmarks.peers import BUCKETS, THREADS, fasttext_line, words
from benchmarks.splits import banking77
from winnow.domain.dataset import Example

# The best setting of `make bench-training` on a held-out fifth of Banking77.
_FASTTEXT = {"dim": 50, "lr": 1.0, "epoch": 39, "wordNgrams": 2, "minn": 2, "maxn": 5}
_SPACY_EXAMPLES, _SPACY_BATCH = 1_000, 100


def main() -> None:
    data, folder = map(Path, sys.argv[1:])
    examples = banking77(data).train
    for name, make in (("spacy_ensemble", _spacy_ensemble), ("sklearn_svc", _sklearn_svc), ("fasttext", _fasttext)):
        make(examples, folder / name)


def _spacy_ensemble(examples: Sequence[Example], file: Path) -> None:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    textcat = nlp.add_pipe("textcat")
    labels = sorted({example.labels[0] for example in examples})
    for label in labels:
        textcat.add_label(label)  # type: ignore[attr-defined]
    few = examples[:: len(examples) // _SPACY_EXAMPLES]
    docs = [
        Doc.from_dict(nlp.make_doc(example.text), {"cats": {label: float(label == example.labels[0]) for label in labels}})
        for example in few
    ]
    optimizer = nlp.initialize(lambda: docs)
    for start in range(0, len(docs), _SPACY_BATCH):
        nlp.update(docs[start : start + _SPACY_BATCH], sgd=optimizer)
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(Path(folder) / "model")
        # Not compressed, because decompression would dominate the loading time.
        with tarfile.open(file, "w") as packed:
            packed.add(Path(folder) / "model", "model")


def _sklearn_svc(examples: Sequence[Example], file: Path) -> None:
    pipeline = make_pipeline(words(), LinearSVC(C=1))
    pipeline.fit([example.text for example in examples], [example.labels[0] for example in examples])
    joblib.dump(pipeline, file)


def _fasttext(examples: Sequence[Example], file: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as lines:
        lines.writelines(f"__label__{example.labels[0]} {fasttext_line(example.text)}\n" for example in examples)
        lines.flush()
        model = fasttext.train_supervised(lines.name, **_FASTTEXT, loss="softmax", bucket=BUCKETS, thread=THREADS, seed=0, verbose=0)
    model.save_model(str(file))


if __name__ == "__main__":
    main()
