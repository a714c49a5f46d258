"""Training: its steps, its history, interruption and resumption, and an early end."""

from __future__ import annotations

import io
import itertools
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.conftest import load_dataset
from tests.support.encoded import encoded
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import contrast, encoder
from winnow.recipes.catalogue import AUTO, COSTS, OF_ENCODER, candidates
from winnow.training.fit import Training, train

TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "?", "🙂", "x" * 500]
EXAMPLES = {
    True: [Example(record["text"], (record["label"],)) for record in load_dataset("exclusive.json")],
    False: [Example(record["text"], tuple(record["labels"])) for record in load_dataset("multilabel.jsonl")],
}


# A kernel is solved in one pass, so sentence has no epochs with so few examples.
IN_EPOCHS = [recipe for recipe in COSTS if recipe != "sentence"]


@pytest.fixture(params=COSTS)
def recipe(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", autouse=True)
def _encoded_once() -> Iterator[None]:
    """Encode the texts of all tests once, and use few contrast steps."""
    installed = encoded(EXAMPLES[True] + EXAMPLES[False], TEXTS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encoder, "installed", installed)
        patched.setattr(contrast, "_STEPS", 5)
        yield


def training(recipe: str, *, exclusive: bool = True, clock: Callable[[], float] = time.monotonic, **chosen: Any) -> Training:
    settings = Hyperparameters(**({"n_iter": 3} | chosen))
    return Training(recipe, EXAMPLES[exclusive], settings, exclusive=exclusive, clock=clock)


def done(given: Training) -> Training:
    for _ in given.steps():
        pass
    return given


def put_down(given: Training) -> io.BytesIO:
    file = io.BytesIO()
    given.save(file)
    file.seek(0)
    return file


@pytest.mark.parametrize("recipe", IN_EPOCHS)
@pytest.mark.parametrize("exclusive", [True, False])
def test_each_epoch_of_what_answers_has_its_loss_and_its_held_out_score(recipe: str, exclusive: bool) -> None:
    history = done(training(recipe, exclusive=exclusive, n_iter=5)).folds.history

    assert [epoch["epoch"] for epoch in history] == [1, 2, 3, 4, 5]
    assert (history[-1]["loss"] or 0) < (history[0]["loss"] or 0)
    assert all(0 <= (epoch["score"] or 0) <= 1 for epoch in history)
    assert None not in [epoch["score"] for epoch in history]


@pytest.mark.parametrize("exclusive", [True, False])
def test_of_a_kernel_s_one_pass_the_history_has_what_is_left_out_of_it(exclusive: bool) -> None:
    [epoch] = done(training("sentence", exclusive=exclusive)).folds.history

    assert epoch["epoch"] == 1
    assert epoch["loss"] is not None
    assert 0 <= epoch["loss"] < 1
    assert 0.8 < (epoch["score"] or 0) <= 1


def test_the_scores_are_what_the_held_out_examples_say() -> None:
    """Labels without relation to the texts are not learnt, however small the loss."""
    chance = random.Random(0)
    noise = [Example(f"{chance.random()} {chance.random()}", (chance.choice("ab"),)) for _ in range(300)]
    given = done(Training("linear", noise, Hyperparameters(n_iter=20), exclusive=True))

    assert (given.folds.history[-1]["loss"] or 0) < 0.2
    assert 0.3 < (given.folds.history[-1]["score"] or 0) < 0.7


def test_where_nothing_can_be_held_out_there_are_no_scores() -> None:
    pair = [Example("a flat tyre", ("cycling",)), Example("tulip bulbs", ("gardening",))]
    given = done(Training("linear", pair, Hyperparameters(n_iter=2), exclusive=True))

    assert [epoch["score"] for epoch in given.folds.history] == [None, None]
    assert given.result().thresholds == (0.5, 0.5)
    assert given.folds.held_out_score() is None


@pytest.mark.parametrize("exclusive", [True, False])
def test_recipes_that_are_compared_are_scored_on_the_same_texts(exclusive: bool) -> None:
    compared = [done(training(each, exclusive=exclusive)) for each in candidates(AUTO, has_encoder=True)]
    first, *others = (given.folds.held_out()[1] for given in compared)

    assert all(np.array_equal(first, other) for other in others)
    assert all(0 < (given.folds.held_out_score() or 0) <= 1 for given in compared)


def test_the_held_out_score_is_that_of_its_folds_together() -> None:
    """Labels without relation to the texts are guessed. Related labels are known."""
    chance = random.Random(0)
    noise = [Example(f"{chance.random()} {chance.random()}", (chance.choice("ab"),)) for _ in range(300)]
    plain = [Example(f"{label} number {number}", (label,)) for label in ("town", "country") for number in range(50)]
    scores = [
        done(Training("linear", examples, Hyperparameters(n_iter=5), exclusive=True)).folds.held_out_score() for examples in (noise, plain)
    ]

    assert 0.3 < (scores[0] or 0) < 0.7
    assert scores[1] == 1


def test_few_examples_are_trained_in_five_folds_and_on_all_and_without_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {recipe: training(recipe).folds.passes for recipe in IN_EPOCHS} == dict.fromkeys(IN_EPOCHS, 7 * 3)
    # Of more examples, one fold is held out.
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", {"linear": 36, "cnn": 35})
    assert {recipe: training(recipe).folds.passes for recipe in ("linear", "cnn")} == {"linear": 7 * 3, "cnn": 3 * 3}


def test_losses_that_are_no_numbers_are_none() -> None:
    with np.errstate(all="ignore"):
        history = done(training("linear", learn_rate=3e38, n_iter=20)).folds.history
    assert history[-1]["loss"] is None


def test_the_share_grows_from_nothing_to_all(recipe: str) -> None:
    given = training(recipe)
    shares = [given.share, *(given.share for _ in given.steps()), given.share]

    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert given.folds.epoch == given.folds.passes


@pytest.mark.slow
@pytest.mark.parametrize(("exclusive", "dropout"), [(True, 0.0), (False, 0.3)])
def test_put_down_after_any_step_it_comes_to_the_same_classifier(recipe: str, exclusive: bool, dropout: float) -> None:
    chosen: dict[str, Any] = {"dropout": dropout, "batch_size": 8}
    at_one_go = training(recipe, exclusive=exclusive, **chosen)
    steps = sum(1 for _ in at_one_go.steps())
    expected = at_one_go.result()
    scores = expected.scores(TEXTS)

    for stop in range(1, steps + 1, max(1, steps // 5)):
        first = training(recipe, exclusive=exclusive, **chosen)
        for _ in itertools.islice(first.steps(), stop):
            pass
        second = training(recipe, exclusive=exclusive, **chosen)
        second.resume(put_down(first))
        result = done(second).result()
        assert np.array_equal(result.scores(TEXTS), scores), f"put down after step {stop} of {steps}"
        assert second.folds.history == at_one_go.folds.history
        assert second.folds.held_out_score() == at_one_go.folds.held_out_score()
        assert result.thresholds == expected.thresholds


def test_put_down_after_every_step_it_comes_to_the_same_classifier(recipe: str) -> None:
    """Also if it is interrupted before it has read its examples."""
    at_one_go = done(training(recipe))
    kept, segments = None, 0
    # A kernel's factor must be made within one segment.
    most = 16 if recipe in OF_ENCODER else 3
    while True:
        given = training(recipe)
        if kept:
            given.resume(kept)
        # Reading is a step too. A segment with one step makes no progress beyond it.
        if not [None for _ in itertools.islice(given.steps(), most)][most - 1 :]:
            break
        kept, segments = put_down(given), segments + 1
    assert segments > 2
    assert np.array_equal(given.result().scores(TEXTS), at_one_go.result().scores(TEXTS))


def test_a_training_put_down_by_another_form_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first = training("linear")
    for _ in itertools.islice(first.steps(), 3):
        pass
    kept = put_down(first)
    monkeypatch.setattr("winnow.training.fit._FORM", -1)
    second = training("linear")
    second.resume(kept)
    assert second.folds.epoch == 0
    done(second)
    assert np.array_equal(second.result().scores(TEXTS), done(training("linear")).result().scores(TEXTS))


@pytest.mark.parametrize("recipe", IN_EPOCHS)
@pytest.mark.parametrize("across_a_break", [False, True])
def test_patience_ends_it_when_the_score_no_longer_grows_and_takes_the_best_epoch(recipe: str, across_a_break: bool) -> None:
    rate = 0.01 if recipe == "cnn" else 2.0
    given = training(recipe, n_iter=200, patience=2, learn_rate=rate)
    if across_a_break:
        for _ in itertools.islice(given.steps(), 4):
            pass
        again = training(recipe, n_iter=200, patience=2, learn_rate=rate)
        again.resume(put_down(given))
        given = again
    done(given)

    assert given.stopped == "patience"
    assert len(given.folds.history) < 200
    # The fitting on all examples has the mean of the folds' best epochs.
    folds = given.folds.begun[:5]
    best = [max(range(len(fold.epochs)), key=lambda epoch: fold.epochs[epoch][1] or 0) + 1 for fold in folds]
    assert len(given.folds.history) == round(sum(best) / 5)
    assert given.result().choose([example.text for example in EXAMPLES[True]])


@pytest.mark.parametrize("recipe", IN_EPOCHS)
def test_without_patience_every_epoch_is_done(recipe: str) -> None:
    epochs = 10 if recipe == "cnn" else 30
    given = done(training(recipe, n_iter=epochs, learn_rate=0.01 if recipe == "cnn" else 2.0))
    assert (given.stopped, len(given.folds.history)) == (None, epochs)


@pytest.mark.parametrize("minutes", [0.1, 1, 2, 4, 6])
def test_when_its_minutes_are_over_the_best_so_far_answers(recipe: str, minutes: float) -> None:
    """The clock advances a second with each reading. linear's fittings of ten epochs take about 30 steps each."""
    seconds = itertools.count()
    given = training(recipe, n_iter=30, batch_size=4, max_minutes=minutes, clock=lambda: float(next(seconds)))
    kept = None
    while not kept or kept.tell() == 0:
        # Interrupt and resume now and then.
        steps = sum(1 for _ in itertools.islice(given.steps(), 25))
        if steps < 25:
            break
        kept = put_down(given)
        given = training(recipe, n_iter=30, batch_size=4, max_minutes=minutes, clock=lambda: float(next(seconds)))
        given.resume(kept)
        kept = None

    assert given.stopped in {"max_minutes", None}
    assert given.seconds <= 60 * minutes + 30 or given.stopped is None
    assert given.result().choose(TEXTS)
    assert given.result().scores(TEXTS).shape == (len(TEXTS), 3)


def test_minutes_that_end_after_the_answer_is_made_cost_nothing() -> None:
    """Behind the answering fittings come those that only measure. The clock advances a second with each reading."""
    ticks = itertools.count()
    whole = training("linear", n_iter=3, batch_size=4, clock=lambda: float(next(ticks)))
    answered = next(whole.seconds for _ in whole.steps() if len(whole.folds.begun) > whole.folds.plan.answering)
    ticks = itertools.count()

    given = done(training("linear", n_iter=3, batch_size=4, max_minutes=(answered + 5) / 60, clock=lambda: float(next(ticks))))

    assert len(given.folds.begun) < given.folds.plan.fittings
    assert given.stopped is None


def test_the_same_seed_gives_the_same_and_another_another(recipe: str) -> None:
    one, again, other = (
        train(recipe, EXAMPLES[True], Hyperparameters(n_iter=2, seed=seed), exclusive=True).to_files() for seed in (0, 0, 1)
    )
    assert one == again
    assert one != other
