"""The estimate of a training: the model of memory and time, and where it sends a training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters, TrainingLimits
from winnow.domain.model import TrainedOn
from winnow.recipes.catalogue import COSTS, most_cross_validated
from winnow.training import prices
from winnow.training.estimate import _COSTS, _SIZES, Estimate, Size, _container, _fittings, estimates
from winnow.training.fit import settings_for
from winnow.training.folds import FoldPlan

DEFAULT = TrainingLimits(memory_mb=3008, seconds=900, minutes=1440, containers=True)
LARGE = Size(2_000_000, 200, 200_000_000)


def of(size: Size, limits: TrainingLimits = DEFAULT, recipe: str = "linear") -> Estimate:
    [found] = estimates([recipe], size, None, limits)
    return found


def test_every_recipe_that_learns_from_examples_has_its_costs() -> None:
    assert _COSTS.keys() == COSTS.keys()


@pytest.mark.parametrize("recipe", COSTS)
def test_more_of_anything_takes_more(recipe: str) -> None:
    size = Size(50_000, 20, 5_000_000)
    found = of(size, recipe=recipe)
    for more in (replace(size, texts=100_000), replace(size, characters=10_000_000), replace(size, labels=200)):
        larger = of(more, recipe=recipe)
        assert larger.memory_mb >= found.memory_mb
        assert larger.seconds >= found.seconds
    assert of(replace(size, texts=100_000, characters=10_000_000), recipe=recipe).memory_mb > found.memory_mb


def test_a_small_training_is_in_a_lambda_and_a_large_one_in_a_container() -> None:
    small, large = of(Size(10_000, 77, 600_000)), of(LARGE)
    assert (small.trained_on, small.container, small.fits) == (TrainedOn.LAMBDA, None, True)
    assert (large.trained_on, large.lambdas, large.fits) == (TrainedOn.FARGATE, None, True)
    assert large.container is not None
    assert large.container.memory_mb >= 1.2 * large.memory_mb
    assert large.dollars == round(prices.of_container(large.seconds, large.container.vcpus, large.container.memory_mb), 4)
    assert of(LARGE, replace(DEFAULT, containers=False)).trained_on is TrainedOn.LAMBDA
    assert not of(LARGE, replace(DEFAULT, containers=False)).fits


def test_a_lambda_that_spends_its_time_on_reading_is_not_for_it() -> None:
    # Memory would be enough.
    limits = replace(DEFAULT, memory_mb=10_240_000, seconds=70)
    assert of(LARGE, limits).trained_on is TrainedOn.FARGATE
    in_lambdas = of(LARGE, replace(limits, containers=False))
    assert (in_lambdas.lambdas, in_lambdas.fits) == (None, False)


def test_what_each_lambda_reads_again_counts() -> None:
    limits = replace(DEFAULT, memory_mb=10_240_000, containers=False)
    size = Size(500_000, 200, 50_000_000)
    short, long = of(size, replace(limits, seconds=400)), of(size, limits)
    assert short.lambdas is not None
    assert long.lambdas is not None
    assert short.lambdas > long.lambdas
    assert short.seconds > long.seconds


def test_the_containers_are_sizes_of_fargate() -> None:
    for vcpus, least, most, step in _SIZES:
        assert (most - least) % step == 0
        assert _container(1024 * most).vcpus == vcpus
        assert _container(1024 * most).memory_mb == 1024 * most
    assert (_container(1).vcpus, _container(1).memory_mb) == (1, 2048)
    assert _container(1024 * 8.1).vcpus == 2
    assert _container(1024 * 31).memory_mb == 1024 * 32
    # The largest there is: `fits` says that it may not be enough.
    assert _container(1024 * 500).memory_mb == 1024 * 120


@pytest.mark.parametrize("recipe", COSTS)
@pytest.mark.parametrize("texts", [100, 2_500])
def test_the_passes_are_those_of_a_training(recipe: str, texts: int) -> None:
    labels = [f"label-{number}" for number in range(10)]
    examples = [Example(f"text {number}", (labels[number % 10],)) for number in range(texts)]
    settings = settings_for(recipe, Hyperparameters(), texts, len(labels), exclusive=True)
    plan = FoldPlan(recipe, examples, labels, settings, exclusive=True)
    planned = sum(plan.weight(place) for place in range(plan.fittings)) / texts
    assert _fittings(recipe, texts, most_cross_validated([recipe])) == pytest.approx(planned, rel=0.15)


def test_prices_are_those_of_the_pages() -> None:
    # 1 GB for 1,000 s, and an hour of 1 virtual CPU with 2 GB: computed by hand from the pages that prices.py names.
    assert prices.of_lambdas(1_000, 1_024, 2) == pytest.approx(0.0133338, abs=1e-7)
    assert prices.of_container(3_600, 1, 2_048) == pytest.approx(0.0445, abs=1e-4)
