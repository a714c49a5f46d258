"""The temperature and the thresholds, checked with made-up scores whose properties are known."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.recipes.calibration import fit_temperature, fit_thresholds, scores_of

CHANCE = np.random.default_rng(0)


def drawn(count: int, labels: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and the truth drawn from their scores at temperature 1 / sharpness."""
    logits = CHANCE.normal(size=(count, labels)).astype(np.float32) * 2
    scores = scores_of(logits, 1 / sharpness, exclusive=True)
    truth = np.array([CHANCE.multinomial(1, row / row.sum() * (1 - 1e-6)) for row in scores.astype(np.float64)], dtype=np.bool_)
    return logits, truth


@pytest.mark.parametrize("sharpness", [0.25, 1.0, 3.0])
def test_the_temperature_of_drawn_labels_is_found_again(sharpness: float) -> None:
    logits, truth = drawn(8_000, 5, sharpness)
    assert fit_temperature(logits, truth, exclusive=True) == pytest.approx(1 / sharpness, rel=0.08)


def test_the_temperature_of_independent_labels_is_found_again() -> None:
    logits = CHANCE.normal(size=(8_000, 4)).astype(np.float32) * 3
    truth = CHANCE.random(logits.shape) < scores_of(logits, 2.0, exclusive=False)
    assert fit_temperature(logits, truth, exclusive=False) == pytest.approx(2.0, rel=0.08)


@pytest.mark.parametrize("least", [0.7, 0.8, 0.95])
def test_what_an_exclusive_threshold_takes_is_as_precise_as_was_asked_and_no_less_is_taken(least: float) -> None:
    logits, truth = drawn(4_000, 5, 1.0)
    scores = scores_of(logits, 1.0, exclusive=True)
    thresholds = fit_thresholds(scores, truth, exclusive=True, min_precision=least)
    assert len(set(thresholds)) == 1
    assert len(thresholds) == 5
    right = truth[np.arange(len(truth)), scores.argmax(axis=1)]
    taken = scores.max(axis=1) >= thresholds[0]
    assert right[taken].mean() >= least
    lower = scores.max(axis=1) >= thresholds[0] - 0.1
    assert right[lower].mean() < least


def test_a_precision_that_can_not_be_had_takes_the_best_there_is() -> None:
    scores = np.array([[0.9, 0.1]] * 50 + [[0.6, 0.4]] * 50, dtype=np.float32)
    truth = np.array([[True, False]] * 40 + [[False, True]] * 60)
    (threshold, _) = fit_thresholds(scores, truth, exclusive=True, min_precision=1.0)
    assert 0.1 <= threshold <= 0.9


def test_labels_with_enough_examples_have_a_threshold_of_their_own_and_the_others_share_one() -> None:
    truth = np.zeros((200, 3), dtype=np.bool_)
    truth[:50, 0] = truth[50:100, 1] = True
    truth[100:105, 2] = True
    scores = np.full((200, 3), 0.05, dtype=np.float32)
    scores[:50, 0] = 0.3
    scores[50:100, 1] = 0.8
    scores[100:150, 1] = 0.5
    scores[100:105, 2] = 0.4
    own, other, shared = fit_thresholds(scores, truth, exclusive=False, min_precision=0.9)
    assert 0.05 < own < 0.3
    assert 0.5 < other < 0.8
    assert 0.05 < shared <= 0.3
