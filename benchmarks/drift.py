"""`make bench-drift`: how often drift is found where there is some, and where there is none.

10,003 texts of Banking77 (its training and test texts together, shuffled) make a version, as through the API: a tenth of them is held out,
and the version's answers about that are what days are compared with. The other 3,080 texts are fresh. Two things are measured:

- Simulated: held-out answers and days are drawn from the same answers, with replacement. So it is sure that nothing drifts. Each of the
  models has held-out answers of its own, and 30 days of 1,000 texts. A model counts if one of its days is found to have drifted.
- Fresh: days of 1,000 fresh texts. In some, a tenth of the texts is replaced by texts of one label, of five, of ten, or of half of the
  labels. The second version is made of 1,000 texts of the ten commonest labels, and cross-validated. The columns: the share of days that
  are found, by which test, and the median of the index (psi).

Beside these, what the best possible tests of the labels find (computed, of samples with the shares of the held-out answers).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

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
from winnow.training.calibrate import answers_of, answers_of_folds
from winnow.training.fit import Training

TEXTS, SHARE = 1_000, 0.1
_MADE_OF = 10_003
# Of the ten commonest labels.
_CROSS_VALIDATED = 1_000
# Samples for what is computed: the first number without a change, for a threshold that few of them reach.
_UNCHANGED, _CHANGED = 60_000, 3_000


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
    many = _answered(arguments.recipe, learnt, test, texts[_MADE_OF:])
    _simulated(many, arguments.models)
    print(f"{'fresh texts':<34} {'found':>6} {'by labels':>10} {'by scores':>10} {'psi':>7}")
    _fresh(many, arguments.days)
    _possible(many.usual)
    commonest = {label for label, _ in Counter(example.labels[0] for example in texts).most_common(10)}
    of_ten = [example for example in texts if example.labels[0] in commonest]
    # As many as are cross-validated.
    few = _answered(arguments.recipe, of_ten[:_CROSS_VALIDATED], [], of_ten[_CROSS_VALIDATED:])
    _fresh(few, arguments.days)
    _possible(few.usual)
    return 0


class Version(NamedTuple):
    """A version: its labels, how it answers usually, and what it answers about fresh texts. scores: of shape (texts, labels)."""

    labels: Sequence[str]
    usual: Usual
    scores: NDArray[np.float32]

    def day(self, places: Sequence[int] | NDArray[np.intp], usual: Usual | None = None) -> Comparison:
        """A day of these fresh texts."""
        scores = self.scores[places]
        said = [self.labels[best] for best in scores.argmax(axis=1)]
        found = compare(usual or self.usual, Seen(said, scores.max(axis=1).tolist(), 0, []))
        if found is None:
            sys.exit("winnow: too few texts")
        return found


def _simulated(version: Version, models: int) -> None:
    draw, size, with_alarm, alarms = np.random.default_rng(0), len(version.scores), 0, 0
    held_out = sum(version.usual.labels.values())
    for _ in range(models):
        usual = _usual(version.labels, "held-out", version.scores[draw.integers(size, size=held_out)])
        found = [version.day(draw.integers(size, size=TEXTS), usual).drifted for _ in range(DAYS)]
        with_alarm, alarms = with_alarm + any(found), alarms + sum(found)
    print(
        f"simulated, {held_out:,} held out: {with_alarm} of {models} models have a false alarm in {DAYS} days ({alarms} alarms)", flush=True
    )


def _fresh(version: Version, days: int) -> None:
    best, drawing, count = version.scores.argmax(axis=1), random.Random(0), len(version.labels)

    def some(number: int) -> list[int]:
        """Without replacement where there are enough."""
        return drawing.sample(range(len(best)), number) if number <= len(best) else drawing.choices(range(len(best)), k=number)

    def injected(number: int) -> list[int]:
        """A day in which a tenth of the texts has other labels. number: how many labels these are."""
        others = set(drawing.sample(sorted(set(best.tolist())), number))
        of_others = [place for place, label in enumerate(best.tolist()) if label in others]
        changed = int(TEXTS * SHARE) if number else 0
        return [*some(TEXTS - changed), *(drawing.choices(of_others, k=changed) if changed else [])]

    for number in (0, *_numbers(count)):
        name = f"{count} labels, {f'a tenth with {number} of them' if number else 'undrifted'}"
        _row(name, [version.day(injected(number)) for _ in range(days)])


def _numbers(labels: int) -> list[int]:
    """To how many labels the changed texts come."""
    return [number for number in sorted({1, 5, 10, labels // 2}) if number < labels]


def _possible(usual: Usual) -> None:
    """What two tests of the labels find that no test can do better than (Neyman and Pearson), with as few false alarms.

    Both know how many texts change. The first also knows which labels these come to. The second knows to how many labels; it takes each
    label for one of them with the same probability. The usual shares are known from the held-out texts only.
    """
    draw, counts = np.random.default_rng(0), np.array(list(usual.labels.values()))
    labels, held_out = len(counts), int(counts.sum())
    shares, texts = counts / held_out, TEXTS + held_out

    def usually(number: int) -> NDArray[np.int64]:
        return draw.multinomial(held_out, shares, size=number)

    def ratio(day: NDArray[np.int64], both: NDArray[np.int64], in_it: float) -> NDArray[np.float64]:
        inside, outside = (
            np.log(probability) + day * np.log(factor) - both * np.log1p(TEXTS / texts * (factor - 1))
            for probability, factor in ((in_it, 1 - SHARE + SHARE / in_it), (1 - in_it, 1 - SHARE))
        )
        found: NDArray[np.float64] = np.logaddexp(inside, outside).sum(axis=1)
        return found

    for number in _numbers(labels):
        which = draw.permuted(np.tile(np.arange(labels) < number, (_CHANGED, 1)), axis=1)
        changed = (1 - SHARE) * shares + SHARE * which * shares / (which * shares).sum(axis=1, keepdims=True)
        day = draw.multinomial(TEXTS, changed)
        both = day + usually(_CHANGED)
        # The sum of these over the day's texts, in standard deviations of a permutation test.
        weights = np.log(changed / shares)
        mean = (both * weights).sum(axis=1) / texts
        variance = TEXTS * held_out / (texts - 1) * ((both * weights**2).sum(axis=1) / texts - mean**2)
        knows_which = ((day * weights).sum(axis=1) - TEXTS * mean) / np.sqrt(variance) > NormalDist().inv_cdf(1 - LEAST_P)
        unchanged = draw.multinomial(TEXTS, shares, size=_UNCHANGED)
        least = np.quantile(ratio(unchanged, unchanged + usually(_UNCHANGED), number / labels), 1 - LEAST_P)
        knows_how_many = ratio(day, both, number / labels) > least
        print(
            f"{labels} labels, a tenth with {number} of them: the best possible test finds {knows_which.mean():.2f} if it knows which, "
            f"{knows_how_many.mean():.2f} if it knows how many",
            flush=True,
        )


def _answered(recipe: str, learnt: Sequence[Example], test: Sequence[Example], fresh: Sequence[Example]) -> Version:
    """A version. test: its held-out examples; none if the folds measure it."""
    for each in encoders(recipe):
        each.encode(example.text for example in (*learnt, *test, *fresh))
    chosen = Hyperparameters()
    training = Training(recipe, learnt, chosen, exclusive=True, encoders=encoders(recipe))
    for _ in training.steps():
        pass
    trained = training.result()
    of_folds = answers_of_folds(trained, learnt, training.folds.answers(), chosen.min_precision).scores
    if test:
        usual = _usual(trained.labels, "held-out", answers_of(trained, test).scores, of_folds)
    else:
        usual = _usual(trained.labels, "cross-validation", of_folds)
    return Version(trained.labels, usual, answers_of(trained, fresh).scores)


def _usual(labels: Sequence[str], by: str, scores: NDArray[np.float32], of_folds: NDArray[np.float32] | None = None) -> Usual:
    accepted = np.ones(len(scores), np.bool_)
    return Usual(**usual_of(labels, by, scores=scores, accepted=accepted, surplus=None, of_folds=of_folds))


def _row(name: str, days: Sequence[Comparison]) -> None:
    def share(of: Callable[[Comparison], bool]) -> float:
        return sum(map(of, days)) / len(days)

    by_labels, by_scores = share(lambda day: day.p_labels <= LEAST_P), share(lambda day: day.p_scores <= LEAST_P)
    psi = float(np.median([day.psi for day in days]))
    print(f"{name:<34} {share(lambda day: day.drifted):>6.2f} {by_labels:>10.2f} {by_scores:>10.2f} {psi:>7.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
