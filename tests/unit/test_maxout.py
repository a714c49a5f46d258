"""The network over sentence vectors: numpy gives what thinc trained; interruption and resumption; when it is used."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import load_dataset
from tests.support.encoded import encoded
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder, sentence
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.encoder import Remembered
from winnow.recipes.maxout import How, MaxoutHead
from winnow.recipes.maxout_fitting import MaxoutFitting
from winnow.training.fit import Training, settings_for

_LABELS, _DIMENSIONS = 4, 24


def points(size: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Vectors of length 1, each near the centre of its label, and the labels."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(_LABELS, size=size)
    vectors = np.random.default_rng(99).normal(size=(_LABELS, _DIMENSIONS))[labels] + chance.normal(size=(size, _DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def fitting(*, exclusive: bool = True, epochs: int = 3, seed: int = 0) -> MaxoutFitting:
    vectors, labels = points(330, 0)
    truth = np.eye(_LABELS, dtype=np.bool_)[labels]
    if not exclusive:
        truth[::3] |= np.roll(truth[::3], 1, axis=1)
    how = How(epochs=epochs, rate=0.003, dropout=0.3, batch=8, seed=seed)
    return MaxoutFitting(vectors, truth, how, points(1100, 1)[0], exclusive=exclusive)


def done(given: MaxoutFitting, epochs: int = 3) -> list[float]:
    """Do the remaining epochs. Returns their losses."""
    losses = []
    for _ in given.begin():
        pass
    while given.epochs < epochs:
        for _ in given.run_epoch():
            pass
        losses.append(given.loss)
    return losses


def test_numpy_answers_as_thinc_predicts() -> None:
    given = fitting()
    done(given)
    asked = points(1100, 1)[0]
    assert np.allclose(given.head().logits(asked), given._model.predict(asked), atol=1e-5)
    assert np.array_equal(given.held_out_logits(), given.head().logits(asked))


def test_a_head_no_longer_changes_when_it_is_trained_further() -> None:
    given = fitting()
    done(given, epochs=1)
    head, asked = given.head(), points(50, 1)[0]
    before = head.logits(asked)
    for _ in given.run_epoch():
        pass
    assert np.array_equal(head.logits(asked), before)
    assert not np.array_equal(given.head().logits(asked), before)


def test_made_again_from_its_arrays_it_says_the_same() -> None:
    given = fitting()
    done(given)
    asked = points(50, 1)[0]
    assert np.array_equal(MaxoutHead.from_arrays(given.head().arrays()).logits(asked), given.head().logits(asked))


@pytest.mark.parametrize("exclusive", [True, False])
def test_it_learns(exclusive: bool) -> None:
    given = fitting(exclusive=exclusive)
    losses = done(given)
    best, truth = given.held_out_logits().argmax(axis=1), points(1100, 1)[1]

    assert losses == sorted(losses, reverse=True)
    # If labels aren't exclusive, every third of these texts also has the label before.
    assert ((best == truth) | (best == (truth + 1) % _LABELS) & (not exclusive)).mean() > 0.9


@pytest.mark.parametrize("exclusive", [True, False])
def test_put_down_after_any_step_it_comes_to_the_same(exclusive: bool) -> None:
    whole = fitting(exclusive=exclusive)
    losses = done(whole)
    counted = fitting(exclusive=exclusive)
    list(counted.begin())
    steps = sum(1 for _ in range(3) for _ in counted.run_epoch())
    assert steps > 6
    for stop in range(steps + 1):
        first, second = fitting(exclusive=exclusive), fitting(exclusive=exclusive)
        list(first.begin())
        for _ in itertools.islice((None for _ in range(3) for _ in first.run_epoch()), stop):
            pass
        kept = first.save()  # with the random state, which is shared
        list(second.begin())
        second.resume(kept)
        assert second.share == first.share
        while second.epochs < 3:
            for _ in second.run_epoch():
                pass
        assert np.array_equal(second.held_out_logits(), whole.held_out_logits()), f"put down after step {stop} of {steps}"
        assert second.loss == losses[-1]


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    one, again, other = fitting(), fitting(), fitting(seed=1)
    for given in (one, again, other):
        done(given)
    assert np.array_equal(one.held_out_logits(), again.held_out_logits())
    assert not np.array_equal(one.held_out_logits(), other.held_out_logits())


# --- where the recipes take it ---

EXAMPLES = {
    True: [Example(record["text"], (record["label"],)) for record in load_dataset("exclusive.json")],
    False: [Example(record["text"], tuple(record["labels"])) for record in load_dataset("multilabel.jsonl")],
}


@pytest.fixture(scope="module")
def installed() -> Callable[..., Remembered]:
    return encoded(EXAMPLES[True] + EXAMPLES[False])


@pytest.fixture
def _no_room_for_a_kernel(monkeypatch: pytest.MonkeyPatch, installed: Callable[..., Remembered]) -> None:
    monkeypatch.setattr(sentence, "MOST_OF_A_KERNEL", 20)
    monkeypatch.setattr(encoder, "installed", installed)


def training(recipe: str, *, exclusive: bool, epochs: int = 20) -> Training:
    chosen = Hyperparameters(n_iter=epochs if recipe == "sentence" else 3, batch_size=8)
    return Training(recipe, EXAMPLES[exclusive], chosen, exclusive=exclusive)


@pytest.mark.usefixtures("_no_room_for_a_kernel")
@pytest.mark.parametrize("exclusive", [True, False])
def test_sentence_takes_it_where_a_kernel_has_no_room(exclusive: bool) -> None:
    given = training("sentence", exclusive=exclusive)
    for _ in given.steps():
        pass
    made, texts = given.result(), [example.text for example in EXAMPLES[exclusive]]

    assert isinstance(made.classifier, sentence.Classifier)
    assert isinstance(made.classifier.head, MaxoutHead)
    assert len(given.folds.history) == 20
    right = [taken == set(example.labels) for taken, example in zip(made.choose(texts), EXAMPLES[exclusive], strict=True)]
    assert sum(right) > 0.8 * len(right)
    assert TrainedClassifier.from_files(made.to_files()).predict(texts) == made.predict(texts)


@pytest.mark.slow
@pytest.mark.usefixtures("_no_room_for_a_kernel")
@pytest.mark.parametrize("recipe", ["sentence", "best"])
def test_a_training_with_it_is_put_down_and_comes_to_the_same(recipe: str) -> None:
    whole = training(recipe, exclusive=True, epochs=4)
    steps = sum(1 for _ in whole.steps())
    files = whole.result().to_files()
    # The parts of best have their own tests of this. Its fittings take four times as long.
    stops = 3 if recipe == "sentence" else 1
    for stop in range(steps // (stops + 1), steps, steps // (stops + 1)):
        first, second = (training(recipe, exclusive=True, epochs=4) for _ in range(2))
        for _ in itertools.islice(first.steps(), stop):
            pass
        file = io.BytesIO()
        first.save(file)
        file.seek(0)
        second.resume(file)
        for _ in second.steps():
            pass
        assert second.result().to_files() == files, f"put down after step {stop} of {steps}"
        assert second.folds.history == whole.folds.history


def test_the_client_s_passes_count_where_it_is_taken_and_a_kernel_has_one() -> None:
    chosen = Hyperparameters(n_iter=7, dropout=0.1, batch_size=16, learn_rate=0.01)
    most = sentence.MOST_OF_A_KERNEL

    assert settings_for("sentence", chosen, most + 1, 3, exclusive=True) == chosen
    assert settings_for("sentence", chosen, most, 3, exclusive=True) == Hyperparameters(n_iter=1)
    filled = settings_for("sentence", Hyperparameters(), most + 1, 3, exclusive=True)
    assert None not in (filled.n_iter, filled.dropout, filled.batch_size, filled.learn_rate)
