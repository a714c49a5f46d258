"""The contrast of labels: its gradient, its effect on vectors, and interruption and resumption."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from winnow.recipes import contrast
from winnow.recipes.contrast import Contrast, projected

Vectors = NDArray[np.float64]

_TEMPERATURE = 0.2


def points(size: int = 40, dimensions: int = 16, labels: int = 4) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Vectors of length 1 that hardly depend on their labels."""
    chance = np.random.default_rng(0)
    truth = np.arange(size) % labels
    vectors = 0.6 * chance.normal(size=(labels, dimensions))[truth] + chance.normal(size=(size, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def loss(vectors: Vectors, labels: NDArray[np.int64], projection: Vectors) -> float:
    """Supervised contrastive loss, as in the paper (arXiv 2004.11362, equation 2), over texts that share their label."""
    moved = vectors + vectors @ projection.T
    unit = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    losses = []
    for one in range(len(unit)):
        others = [other for other in range(len(unit)) if other != one]
        alike = [other for other in others if labels[other] == labels[one]]
        if alike:
            whole = np.log(sum(np.exp(unit[one] @ unit[other] / _TEMPERATURE) for other in others))
            losses.append(-np.mean([unit[one] @ unit[other] / _TEMPERATURE - whole for other in alike]))
    return float(np.mean(losses))


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 1, 2, 2], [0, 0, 0, 1, 2, 2, 3]])
def test_its_gradient_is_that_of_the_loss(labels: list[int]) -> None:
    """Also with a label that has a single text, which has no others to be near."""
    chance = np.random.default_rng(1)
    vectors, _ = points(len(labels), dimensions=5)
    exact, truth, added = vectors.astype(np.float64), np.array(labels), 0.3 * chance.normal(size=(5, 5))
    measured = np.zeros_like(added)
    for place in np.ndindex(added.shape):
        step = np.zeros_like(added)
        step[place] = 1e-5
        measured[place] = (loss(exact, truth, added + step) - loss(exact, truth, added - step)) / 2e-5

    computed = contrast._gradient(exact, truth, added)  # type: ignore[arg-type]

    assert np.abs(measured).max() > 0.1
    assert np.allclose(computed, measured, atol=1e-5)


def drawn(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> Contrast:
    made = Contrast(vectors, labels)
    for _ in made.steps():
        pass
    return made


def apart(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """How much nearer vectors of the same label are than others, in cosines."""
    near, alike = vectors @ vectors.T, labels[:, None] == labels
    return float(near[alike & ~np.eye(len(labels), dtype=np.bool_)].mean() - near[~alike].mean())


def test_vectors_of_one_label_are_drawn_together() -> None:
    vectors, labels = points()
    projection = drawn(vectors, labels).projection
    moved = projected(vectors, projection)

    assert apart(moved, labels) > apart(vectors, labels) + 0.02
    assert loss(vectors.astype(float), labels, projection.astype(float)) < loss(vectors.astype(float), labels, np.zeros((16, 16)))
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-6)
    assert np.abs(projection).max() < 0.1  # near the identity


def test_without_steps_it_is_the_identity() -> None:
    vectors, labels = points()
    assert np.allclose(projected(vectors, Contrast(vectors, labels).projection), vectors, atol=1e-6)


def test_labels_of_one_text_each_draw_nothing() -> None:
    vectors, _ = points(4)
    assert not drawn(vectors, np.arange(4)).projection.any()


@pytest.mark.parametrize("most", [2_000, 15])
def test_put_down_after_any_step_it_comes_to_the_same(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if each step draws its texts from more than the maximum."""
    monkeypatch.setattr(contrast, "_MOST_TEXTS", most)
    monkeypatch.setattr(contrast, "_STEPS", 8)
    vectors, labels = points()
    whole = drawn(vectors, labels)
    for stop in range(9):
        first, second = Contrast(vectors, labels), Contrast(vectors, labels)
        for _ in itertools.islice(first.steps(), stop):
            pass
        second.resume(first.save())
        assert second.share == first.share == stop / 8
        for _ in second.steps():
            pass
        assert np.array_equal(second.projection, whole.projection)
    assert whole.projection.any()
