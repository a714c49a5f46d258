"""How much memory and time a training takes, and so where it runs, before it begins. Works without the spaCy layer.

The numbers below were measured with `make bench-estimates` on one thread of an x86_64 processor (docs/large-trainings.md has its table).
Memory is the same everywhere. Seconds are of that processor: others are up to twice as fast or slow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from winnow.domain.dataset import Example
from winnow.domain.job import TrainingLimits
from winnow.domain.model import TrainedOn
from winnow.recipes.catalogue import ZERO_SHOT, most_cross_validated
from winnow.training import prices


@dataclass(frozen=True, slots=True)
class Size:
    """What a training learns from. characters: those of all texts."""

    texts: int
    labels: int
    characters: int


@dataclass(frozen=True, slots=True)
class Container:
    """A size of a task on Fargate."""

    vcpus: int
    memory_mb: int

    def for_fargate(self) -> dict[str, str]:
        """The same as a task takes it: units of CPU (1,024 are one), and MB."""
        return {"cpu": str(1024 * self.vcpus), "memory": str(self.memory_mb)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimate of one recipe's training.

    memory_mb: the most that it needs (1 MB is 2 ** 20 bytes, as in Lambda's settings). seconds: until the end, with what each Lambda reads
    again. lambdas: how many, one after the other; None in a container. container: None in Lambdas. fits: whether memory and time suffice.
    dollars: of the Lambdas, or of the container if it isn't on Spot.
    """

    recipe: str
    trained_on: TrainedOn
    memory_mb: int
    seconds: int
    lambdas: int | None
    container: Container | None
    fits: bool
    dollars: float
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a recipe needs.

    megabytes: of the program. bytes_of_text, bytes_of_character: for each of them. copies: how often the weights of the linear layer are in
    memory at once, in the last epochs and while a checkpoint is written. squared: bytes for each pair of texts of a kernel.
    encode, read: seconds for each character, once and in each fitting. learn, of_cell: seconds for each pass over a character, and for each
    label of it. passes: over the texts, in each fitting.
    """

    megabytes: int
    bytes_of_text: int
    bytes_of_character: int
    copies: int
    squared: int
    encode: float
    read: float
    learn: float
    of_cell: float
    passes: int


_COSTS = {
    "linear": _Cost(110, 1_200, 24, 6, 0, 0.0, 2.1e-6, 0.5e-6, 7e-9, 8),
    "light": _Cost(150, 2_800, 24, 6, 4, 50e-6, 2.1e-6, 0.5e-6, 7e-9, 8),
    "cnn": _Cost(200, 2_000, 40, 0, 0, 0.0, 2e-6, 14.5e-6, 45e-9, 10),
    "sentence": _Cost(270, 2_400, 4, 0, 4, 190e-6, 0.0, 2e-6, 0.0, 12),
    "best": _Cost(350, 4_000, 24, 6, 4, 240e-6, 2.1e-6, 0.5e-6, 7e-9, 8),
}

# Recipes with a kernel of this many texts use a network above it (recipes.sentence).
_MOST_OF_A_KERNEL = 15_000
# A linear layer has at most this many weights (recipes.sparse_linear), and at most a row for each place of a feature (recipes.features).
# A new feature comes about every eighth character at the beginning.
_MOST_WEIGHTS, _MOST_ROWS, _CHARACTERS_OF_ROW = 64_000_000, 2 << 18, 8

# The share of a Lambda's memory that a training may fill by the estimate, and what a container has beyond the estimate.
_FILLED, _SPARE = 0.8, 1.25
# What the last checkpoint has of a Lambda's time, and what its start and the reading of the examples take at least.
_TO_SAVE, _TO_START = 60, 5
# Seconds to read and to group an example from S3.
_SECONDS_OF_EXAMPLE = 20e-6
# From the start of a task on Fargate until its program runs: the image is fetched. Documented as typical, not measured.
_SECONDS_TO_FETCH = 120

# Virtual CPUs with their memory in GB: from, to, and the step.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
_SIZES = ((1, 2, 8, 1), (2, 4, 16, 1), (4, 8, 30, 1), (8, 16, 60, 4), (16, 32, 120, 8))
_MOST_MEMORY_MB = 120 * 1024


def characters_of(examples: Sequence[Example]) -> int:
    """The characters of all texts."""
    return sum(len(example.text) for example in examples)


def estimates(recipes: Sequence[str], size: Size, n_iter: int | None, limits: TrainingLimits) -> list[Estimate]:
    """One for each recipe that learns from examples. n_iter: the client's choice of passes, if there is one."""
    return [_estimate(recipe, size, n_iter, limits, most_cross_validated(recipes)) for recipe in recipes if recipe != ZERO_SHOT]


def _estimate(recipe: str, size: Size, n_iter: int | None, limits: TrainingLimits, most_folded: int) -> Estimate:
    memory_mb, seconds, again = _needs(recipe, size, n_iter, most_folded)
    share = limits.seconds - _TO_SAVE - again
    lambdas = math.ceil(seconds / share) if share > 0 else None
    in_lambdas = None if lambdas is None else seconds + lambdas * again
    too_long = in_lambdas is None or in_lambdas > 60 * limits.minutes
    too_large = memory_mb > _FILLED * limits.memory_mb
    if limits.containers and (too_large or too_long):
        container = _container(_SPARE * memory_mb)
        whole = round(_SECONDS_TO_FETCH + seconds + again)
        fits = _SPARE * memory_mb <= _MOST_MEMORY_MB and whole <= 60 * limits.minutes
        dollars = prices.of_container(whole, container.vcpus, container.memory_mb)
        cpus = f"{container.vcpus} virtual CPU{'' if container.vcpus == 1 else 's'}"
        sentence = (
            f"{recipe}: about {_duration(whole)} in a container with {cpus} and {_gigabytes(container.memory_mb)},"
            f" for {_dollars(dollars)}, or up to {prices.SPOT_SAVES_AT_MOST:.0%} less on Spot."
        )
        if not fits:
            sentence += " That is more than a container or LongestTraining allows: train on fewer texts (n_texts)."
        return Estimate(recipe, TrainedOn.FARGATE, memory_mb, whole, None, container, fits, round(dollars, 4), sentence)
    whole = round(seconds + again if in_lambdas is None else in_lambdas)
    calls = lambdas or 1
    dollars = prices.of_lambdas(whole, limits.memory_mb, calls)
    sentence = (
        f"{recipe}: about {_duration(whole)} in {calls:,} Lambda{'' if calls == 1 else 's'},"
        f" with {_gigabytes(memory_mb)} of {_gigabytes(limits.memory_mb)}, for {_dollars(dollars)}."
    )
    if too_large:
        sentence += " It will probably run out of memory: train on fewer texts (n_texts), or ask the operator for LargeTrainings."
    elif too_long:
        sentence += " That is longer than LongestTraining allows: train on fewer texts (n_texts), or in fewer epochs (n_iter)."
    return Estimate(recipe, TrainedOn.LAMBDA, memory_mb, whole, lambdas, None, not (too_large or too_long), round(dollars, 4), sentence)


def _needs(recipe: str, size: Size, n_iter: int | None, most_folded: int) -> tuple[int, float, float]:
    """Memory in MB, the seconds of the work, and those that each Lambda takes before it goes on where the last one stopped."""
    cost = _COSTS[recipe]
    cells = size.texts * size.labels
    weights = 4 * min(_MOST_WEIGHTS, min(_MOST_ROWS, size.characters // _CHARACTERS_OF_ROW) * size.labels)
    kernel = cost.squared * min(size.texts, _MOST_OF_A_KERNEL) ** 2
    # Whether the text has the label, and the same of the texts of the part that is learnt.
    memory = cost.bytes_of_text * size.texts + cost.bytes_of_character * size.characters + 2 * cells + cost.copies * weights + kernel
    fittings = _fittings(recipe, size.texts, most_folded)
    read = cost.read * size.characters
    a_pass = (cost.learn + cost.of_cell * size.labels) * size.characters
    again = _TO_START + _SECONDS_OF_EXAMPLE * size.texts + read
    seconds = cost.encode * size.characters + fittings * (read + (n_iter or cost.passes) * a_pass)
    return math.ceil(cost.megabytes + memory / 2**20), seconds, again


def _fittings(recipe: str, texts: int, most_folded: int) -> float:
    """How many passes over all examples one pass of the training is: those of training.folds.FoldPlan."""
    if texts > most_folded:
        # cnn isn't trained again on all examples.
        return 2 if recipe == "cnn" and texts > 2_000 else 3
    return 7 if recipe == "cnn" else 10.5


def _container(memory_mb: float) -> Container:
    """The smallest that has this memory; the largest if none has."""
    for vcpus, least, most, step in _SIZES:
        gigabytes = max(least, math.ceil(memory_mb / 1024 / step) * step)
        if gigabytes <= most:
            return Container(vcpus, gigabytes * 1024)
    return Container(_SIZES[-1][0], _MOST_MEMORY_MB)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _dollars(dollars: float) -> str:
    return "less than a cent" if dollars < 0.01 else f"${dollars:.2f}"


def _gigabytes(memory_mb: int) -> str:
    return f"{memory_mb / 1024:.1f} GB"
