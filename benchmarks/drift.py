"""`make bench-drift`: how often drift is found where there is some, and where there is none.

10,003 texts of Banking77 (its training and test texts together, shuffled) make a version, as through the API: a tenth of them is held out,
and the version's answers about that are what days are compared with. The other 3,080 texts are fresh. Two things are measured:

- Simulated: held-out answers and days are drawn from the same answers, with replacement. So it is sure that nothing drifts. Each of the
  models has held-out answers of its own, and 30 days of 1,000 texts. A model counts if one of its days is found to have drifted.
- Fresh: days of 1,000 fresh texts. In some, a tenth of the texts is replaced by texts of one label, of five, of ten, or of half of the
  labels. With "labels" below, only the texts of the ten commonest labels are used, as if the model had no others. The columns: the share of
  days that are found, by which test, and the median of the index (psi).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.encoded import encoders
from benchmarks.splits import DATA, FOLDERS, banking77, require_banking77
from winnow.datasets.split import hold_out
from winnow.domain.dataset import Example
from winnow.domain.drift import Usual
from winnow.domain.job import Hyperparameters
from winnow.evaluation.drift import DAYS, LEAST_P, Comparison, Seen, compare, usual_of
from winnow.recipes.catalogue import COSTS
from winnow.training.calibrate import answers_of
from winnow.training.fit import Training

TEXTS, SHARE = 1_000, 0.1
_MADE_OF = 10_003
# The scores and flags of n texts.
type Answered = dict[str, NDArray[Any]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-drift", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA / FOLDERS["banking77"], help="the folder with train.csv and test.csv")
    parser.add_argument("--recipe", choices=list(COSTS), default="linear", help="the recipe (linear)")
    parser.add_argument("--models", type=int, default=20, help="simulated models (20)")
    parser.add_argument("--days", type=int, default=100, help="fresh days of each kind (100)")
    arguments = parser.parse_args()
    require_banking77(arguments.data)
    whole = banking77(arguments.data)
    texts = random.Random(0).sample([*whole.train, *whole.test], len(whole.train) + len(whole.test))
    learnt, test = hold_out(texts[:_MADE_OF], 0.1, 0)
    labels, found = _answered(arguments.recipe, learnt, [*test, *texts[_MADE_OF:]])
    _simulated(labels, found, len(test), arguments.models)
    best = found["scores"].argmax(axis=1)
    commonest = np.argsort(-np.bincount(best, minlength=len(labels)))[:10]
    print(f"{'fresh texts':<34} {'found':>6} {'by labels':>10} {'by scores':>10} {'psi':>7}")
    for chosen in (np.arange(len(labels)), commonest):
        _fresh(labels, found, len(test), chosen, arguments.days)
    return 0


def _simulated(labels: Sequence[str], answers: Answered, held_out: int, models: int) -> None:
    draw, size, with_alarm, alarms = np.random.default_rng(0), len(answers["scores"]), 0, 0
    for _ in range(models):
        usual = _usual(labels, answers, draw.integers(size, size=held_out))
        found = [_day(labels, usual, answers, draw.integers(size, size=TEXTS)).drifted for _ in range(DAYS)]
        with_alarm, alarms = with_alarm + any(found), alarms + sum(found)
    print(
        f"simulated, {held_out:,} held out: {with_alarm} of {models} models have a false alarm in {DAYS} days ({alarms} alarms)", flush=True
    )


def _fresh(labels: Sequence[str], answers: Answered, held_out: int, chosen: NDArray[np.intp], days: int) -> None:
    """Rows for days of fresh texts, of which the version says that they have one of the chosen labels."""
    best = answers["scores"].argmax(axis=1)
    places = np.flatnonzero(np.isin(best, chosen))
    usual = _usual(labels, answers, places[places < held_out])
    fresh, drawing = places[places >= held_out].tolist(), random.Random(0)

    def injected(number: int) -> list[int]:
        """A day in which a tenth of the texts has one of so many labels."""
        others = set(drawing.sample(chosen.tolist(), number))
        of_others = [place for place in fresh if best[place] in others]
        changed = int(TEXTS * SHARE) if number else 0
        return [*some(TEXTS - changed), *drawing.choices(of_others, k=changed)]

    def some(number: int) -> list[int]:
        """Without replacement where there are enough."""
        return drawing.sample(fresh, number) if number <= len(fresh) else drawing.choices(fresh, k=number)

    for number in sorted({0, 1, 5, 10, len(chosen) // 2}):
        if number < len(chosen):
            name = f"{len(chosen)} labels, {f'a tenth to {number} labels' if number else 'undrifted'}"
            _row(name, [_day(labels, usual, answers, injected(number)) for _ in range(days)])


def _answered(recipe: str, learnt: Sequence[Example], others: Sequence[Example]) -> tuple[Sequence[str], Answered]:
    """The labels, and the version's answers about texts that it has not learnt."""
    for each in encoders(recipe):
        each.encode(example.text for example in (*learnt, *others))
    training = Training(recipe, learnt, Hyperparameters(), exclusive=True, encoders=encoders(recipe))
    for _ in training.steps():
        pass
    trained = training.result()
    found = answers_of(trained, others)
    return trained.labels, {"scores": found.scores, "accepted": found.accepted}


def _usual(labels: Sequence[str], answers: Answered, places: NDArray[np.intp]) -> Usual:
    scores, accepted = answers["scores"][places], answers["accepted"][places]
    return Usual(**usual_of(labels, "held-out", scores=scores, accepted=accepted, surplus=None))


def _day(labels: Sequence[str], usual: Usual, answers: Answered, places: Any) -> Comparison:
    scores = answers["scores"][places]
    said = [labels[best] for best in scores.argmax(axis=1)]
    found = compare(usual, Seen(said, scores.max(axis=1).tolist(), int(answers["accepted"][places].sum()), []))
    if found is None:
        sys.exit("winnow: too few texts")
    return found


def _row(name: str, days: Sequence[Comparison]) -> None:
    def share(of: Callable[[Comparison], bool]) -> float:
        return sum(map(of, days)) / len(days)

    by_labels, by_scores = share(lambda day: day.p_labels <= LEAST_P), share(lambda day: day.p_scores <= LEAST_P)
    psi = float(np.median([day.psi for day in days]))
    print(f"{name:<34} {share(lambda day: day.drifted):>6.2f} {by_labels:>10.2f} {by_scores:>10.2f} {psi:>7.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
