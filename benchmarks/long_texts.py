"""`make bench-long-texts`: what the sentence encoder's windows give on texts that are longer than one of them.

Each file DATA/long_texts/NAME.jsonl has documents, as {"text", "label"}. `built` is made here: 30 texts of one label of Banking77, joined,
for 20 of its labels, so that every window says the same. The classifiers answer five folds of the documents, which they had not learnt,
once with the first window of each document and once with windows. `linear` reads whole texts. Nothing is chosen here: the settings are the
defaults. seconds: processor time to encode a document.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.splits import DATA, FOLDERS, FOLDS, Split, banking77, every_nth, few
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder
from winnow.recipes.artifact import recipe_of
from winnow.recipes.catalogue import OF_ENCODER
from winnow.recipes.windows import MOST_WINDOWS
from winnow.training.fit import settings_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding

_RECIPES = ("linear", "sentence", "best")
_PER_LABEL = 60
_JOINED, _BUILT_LABELS = 30, 20
_LONGEST = 100_000


class Read:
    """An Encoding (recipes.encoder) that has read some texts, with so many windows at most."""

    def __init__(self, encoding: Encoding, texts: Sequence[str], windows: int) -> None:
        self.name, self.digest = encoding.name, encoding.digest
        began = time.process_time()
        self._known = {text: encoding.vectors([text], windows)[0] for text in texts}
        self.seconds = (time.process_time() - began) / len(texts)
        self._encoding, self._windows = encoding, windows

    def vectors(self, texts: Sequence[str], _windows: int = 1) -> NDArray[np.float32]:
        new = {text: self._encoding.vectors([text], self._windows)[0] for text in texts if text not in self._known}
        return np.stack([self._known[text] if text in self._known else new[text] for text in texts])


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench-long-texts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with long_texts and banking77")
    parser.add_argument("--only", nargs="+", default=[], help="only these files, without .jsonl, or built")
    parser.add_argument("--encoder", default=encoder.MINILM, choices=encoder.IN_LAYER, help="the sentence encoder (minilm)")
    parser.add_argument("--per-label", type=int, default=_PER_LABEL, help=f"documents of each label ({_PER_LABEL})")
    arguments = parser.parse_args()
    encoding = encoder.installed(arguments.encoder)
    # Opening it isn't part of a document's time.
    encoding.vectors(["Are you there?"])
    columns = f"{'sentence':>8}{'best':>8}{'seconds':>8}"
    print(f"{'':>43}   {'1 window':<24}   {MOST_WINDOWS} windows at most")
    print(f"{'documents':<14} {'':>6} {'labels':>6} {'words':>6} {'linear':>7}   {columns}   {columns}")
    for name, examples in _data_sets(arguments.data, arguments.per_label):
        if not arguments.only or name in arguments.only:
            _measure(name, examples, encoding)
    read = [Read(encoding, ["How deep do tulip bulbs go? " * (_LONGEST // 28)], windows).seconds for windows in (1, MOST_WINDOWS)]
    print(f"a text of {_LONGEST:,} characters: {read[0]:.2f} and {read[1]:.2f} seconds")
    return 0


def _measure(name: str, examples: Sequence[Example], encoding: Encoding) -> None:
    texts = [example.text for example in examples]
    words = statistics.mean(len(text.split()) for text in texts)
    told = f"{name:<14} {len(examples):>6,} {len({example.labels for example in examples}):>6} {words:>6.0f}"
    row = [f"{100 * _accuracy('linear', examples, None):>7.1f}"]
    for windows in (1, MOST_WINDOWS):
        read = Read(encoding, texts, windows)
        accuracies = [100 * _accuracy(recipe, examples, read) for recipe in _RECIPES if recipe in OF_ENCODER]
        row.append("".join(f"{accuracy:>8.1f}" for accuracy in accuracies) + f"{read.seconds:>8.2f}")
    print(told, "   ".join(row), flush=True)


def _data_sets(folder: Path, per_label: int) -> Iterator[tuple[str, list[Example]]]:
    for file in sorted((folder / "long_texts").glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        examples = [Example(row["text"], (row["label"],)) for row in rows]
        yield file.stem, list(few(Split(examples, [], exclusive=True), per_label, 0).train)
    if (folder / FOLDERS["banking77"]).is_dir():
        yield "built", list(_built(banking77(folder / FOLDERS["banking77"]).train))


def _built(examples: Sequence[Example]) -> Iterator[Example]:
    """Documents of _JOINED different texts of one label each."""
    for label in sorted({example.labels for example in examples})[:_BUILT_LABELS]:
        texts = [example.text for example in examples if example.labels == label]
        for begin in range(0, len(texts) - _JOINED + 1, _JOINED):
            yield Example(" ".join(texts[begin : begin + _JOINED]), label)


def _accuracy(recipe: str, examples: Sequence[Example], encoding: Encoding | None) -> float:
    """The share of right answers in the folds. Labels with a single document are never asked for."""
    several = {labels for labels, count in Counter(example.labels for example in examples).items() if count > 1}
    right = asked = 0
    for fold in range(FOLDS):
        learnt, held_out = every_nth(examples, FOLDS, fold)
        held_out = [example for example in held_out if example.labels in several]
        labels = sorted({label for example in learnt for label in example.labels})
        settings = settings_for(recipe, Hyperparameters(), len(learnt), len(labels), exclusive=True)
        classifier = recipe_of(recipe).Classifier(labels, exclusive=True, language="en", **({"encoding": encoding} if encoding else {}))
        fitting = classifier.fitting(learnt, settings)
        for _ in fitting.begin():
            pass
        while fitting.epochs < (settings.n_iter or 1):
            for _ in fitting.run_epoch():
                pass
        fitting.finish()
        answers = classifier.logits([example.text for example in held_out]).argmax(axis=1).tolist()
        right += sum(labels[answer] == example.labels[0] for answer, example in zip(answers, held_out, strict=True))
        asked += len(held_out)
    return right / asked


if __name__ == "__main__":
    sys.exit(main())
