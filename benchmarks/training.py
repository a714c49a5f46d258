"""`make bench-training`: train and test our recipes and their peers in one run on the same splits.

Nothing is chosen on a test set. A peer with settings to choose (C of scikit-learn, the grid of fastText) tries all of them on a fifth of
the training set, trained on the rest. With several draws of a data set, it does so only on the first draw. If a text may have several
labels, the scikit-learn and fastText peers use the one threshold with the best micro-F1 over five folds of the training set; spaCy uses
the best threshold on its dev set; ours tune their own. CPU s is user and system time of one training with the chosen settings. It
includes the tuning of thresholds and child processes, but not the search for settings.
The peers see only texts and labels. Ours may also learn from the names of the labels.
sentence, best, auto and the peers named minilm read with MiniLM, and light, best and auto with the multilingual encoder. The encoders
are never trained. CPU s includes one encoding of the training texts by each. This run encodes each text once for all recipes and measures
that.
auto trains its candidates and chooses as the workflow does, by texts that each candidate held out of the training set. Its CPU s
includes all candidates.
MB (10^6 bytes) is the size that a deployment must load, without the encoder, whose layer is 60 to 69 MB, for ours and the peers.
Figures of a data set with several draws are mean ± standard deviation.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from benchmarks import peers
from benchmarks.encoded import Encoded, encoded, encoders
from benchmarks.peers import PEERS, DivergedError, Settings
from benchmarks.splits import DATA, FOLDERS, Split, banking77, few, nlupp
from winnow.domain.job import Hyperparameters
from winnow.recipes import catalogue as ours
from winnow.training.choose import Candidate, choose

OURS = (*ours.COSTS, ours.AUTO)
RECIPES = (*OURS, *PEERS)
BEST = "best"
PER_LABEL = {"banking77-5": 5, "banking77-10": 10, "banking77-20": 20}
DATASETS = ("banking77", *PER_LABEL, "nlupp")


@dataclass(frozen=True, slots=True)
class Measured:
    """One training. first: accuracy, or micro-F1 if texts may have several labels. seconds: CPU. size: bytes. recipe: the chosen one."""

    first: float
    macro_f1: float
    seconds: float
    size: int
    recipe: str


type Choose = Callable[[Sequence[str]], Sequence[set[str]]]


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model. choose: gives the labels of texts. size: bytes. recipe: the recipe that made it."""

    choose: Choose
    size: int
    recipe: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with banking77 and nlupp_banking")
    parser.add_argument("--only", nargs="+", default=[], choices=(*DATASETS, *RECIPES), help="only these data sets and recipes")
    parser.add_argument("--seeds", type=int, default=3, help="the number of draws of few texts per label (3)")
    arguments = parser.parse_args()
    recipes = [name for name in RECIPES if name in arguments.only] or list(RECIPES)
    datasets = [name for name in DATASETS if name in arguments.only] or list(DATASETS)
    print((__doc__ or "").split("\n\n", 1)[1])
    print(", ".join(f"{package} {version(package)}" for package in ("spacy", "scikit-learn", "fasttext-numpy2")) + "\n", flush=True)
    for name in datasets:
        folder = arguments.data / FOLDERS[name.partition("-")[0]]
        if not folder.is_dir():
            print(f"{name}: skipped, because the data folder has no {folder.name} (set DATA=…)\n")
            continue
        _measure(name, list(_draws(name, folder, arguments.seeds)), recipes)
    return 0


def _draws(name: str, folder: Path, seeds: int) -> Iterator[Split]:
    if name == "nlupp":
        yield nlupp(folder)
    elif name == "banking77":
        yield banking77(folder)
    else:
        whole = banking77(folder)
        yield from (few(whole, PER_LABEL[name], seed) for seed in range(seeds))


def _measure(name: str, draws: Sequence[Split], recipes: Sequence[str]) -> None:
    split = draws[0]
    kind = f"{len(draws)} draws" if name in PER_LABEL else "the authors' split"
    print(f"{name}: {len(split.train):,} texts to train on, {len(split.test):,} to test, {kind}")
    for encoder in {each.name: each for recipe in recipes for each in _encoders(recipe)}.values():
        _encode(encoder, draws)
    print(
        f"  {'recipe':<13} {'accuracy' if split.exclusive else 'micro-F1':>12} {'macro-F1':>12} {'CPU s':>12} {'MB':>12}  settings",
        flush=True,
    )
    for recipe in recipes:
        try:
            settings = PEERS[recipe].best_settings(split.train, exclusive=split.exclusive) if recipe in PEERS else {}
            runs = [_run(recipe, settings, draw, seed) for seed, draw in enumerate(draws)]
        except (ImportError, DivergedError) as error:
            print(f"  {recipe:<13} no figures: {error}")
            continue
        columns = (
            _figure([100 * run.first for run in runs], 1),
            _figure([100 * run.macro_f1 for run in runs], 1),
            _figure([run.seconds for run in runs], 1),
            _figure([run.size / 1e6 for run in runs], 1),
        )
        said = " ".join(f"{key} {value}" for key, value in settings.items())
        if recipe == ours.AUTO:
            said = f"chose {' '.join(run.recipe for run in runs)}"
        print(f"  {recipe:<13} {' '.join(f'{column:>12}' for column in columns)}  {said}".rstrip(), flush=True)
    print()


def _encoders(recipe: str) -> list[Encoded]:
    """The encoders that a recipe or a peer reads with."""
    return [encoded()] if recipe in peers.OF_ENCODER else encoders(BEST if recipe == ours.AUTO else recipe)


def _encode(encoder: Encoded, draws: Sequence[Split]) -> None:
    """Encode each text of these draws, and print the time."""
    texts = [example.text for draw in draws for example in draw.train]
    encoder.encode([*texts, *(example.text for example in draws[0].test)])
    print(f"  one encoding by {encoder.name}: {1000 * encoder.seconds(texts) / len(set(texts)):.1f} ms of CPU per text", flush=True)


def _run(recipe: str, settings: Settings, split: Split, seed: int) -> Measured:
    began = _cpu_seconds()
    trained = (_ours if recipe in OURS else _peer)(recipe, settings, split, seed)
    seconds = _cpu_seconds() - began
    for each in _encoders(recipe):
        seconds += each.seconds(example.text for example in split.train)
    given = trained.choose([example.text for example in split.test])
    labels = sorted({label for example in split.train for label in example.labels})
    truth = _indicators([set(example.labels) for example in split.test], labels)
    guessed = _indicators(given, labels)
    # Skip labels that neither occur in the test set nor were predicted: they have no F1.
    seen = np.flatnonzero((truth | guessed).any(axis=0))
    macro = f1_score(truth, guessed, labels=seen, average="macro", zero_division=0)
    right = [set(example.labels) == answer for example, answer in zip(split.test, given, strict=True)]
    first = statistics.fmean(right) if split.exclusive else f1_score(truth, guessed, average="micro", zero_division=0)
    return Measured(float(first), float(macro), seconds, trained.size, trained.recipe)


def _ours(recipe: str, _settings: Mapping[str, Any], split: Split, _seed: int) -> Trained:
    from winnow.training.fit import Training  # noqa: PLC0415 - the peers can be measured without our package

    trainings: dict[str, Training] = {}
    for name in ours.candidates(recipe, has_encoder=True):
        trainings[name] = Training(name, split.train, Hyperparameters(), exclusive=split.exclusive, encoders=encoders(name))
        for _ in trainings[name].steps():
            pass
    choice = choose([Candidate(name, training.folds.held_out_score()) for name, training in trainings.items()], "en", {"en"})
    trained = trainings[choice.winner.recipe].result()
    return Trained(trained.choose, sum(len(content) for content in trained.to_files().values()), trained.recipe)


def _peer(recipe: str, settings: Mapping[str, Any], split: Split, seed: int) -> Trained:
    fitted = PEERS[recipe].train(split.train, settings, exclusive=split.exclusive, seed=seed)
    return Trained(lambda texts: fitted.choose(texts, exclusive=split.exclusive), fitted.size, recipe)


def _indicators(answers: Sequence[set[str]], labels: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([[label in answer for label in labels] for answer in answers])


def _figure(values: Sequence[float], digits: int) -> str:
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def _cpu_seconds() -> float:
    """CPU seconds of this process, all of its threads, and its finished child processes."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    sys.exit(main())
