"""Kernel ridge regression, compared with scikit-learn's and with really leaving texts out; interruption and resumption."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.kernel_ridge import KernelRidge as Peer  # type: ignore[import-untyped, unused-ignore]

from winnow.recipes.calibration import cross_entropy
from winnow.recipes.kernel_ridge import KernelFitting, KernelRidge, left_out_logits

Matrix = NDArray[np.float32]

_LABELS, _DIMENSIONS = 5, 48


def points(size: int, seed: int = 0) -> tuple[Matrix, NDArray[np.int64]]:
    """Vectors of length 1 that float16 can hold, each near the centre of its label, and the labels."""
    chance = np.random.default_rng(seed)
    middles = np.random.default_rng(99).normal(size=(_LABELS, _DIMENSIONS))
    labels = np.concatenate([np.arange(_LABELS), chance.integers(_LABELS, size=size)])[:size]
    vectors = middles[labels] + 1.5 * chance.normal(size=(size, _DIMENSIONS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32), labels


def truth_of(labels: NDArray[np.int64], *, exclusive: bool) -> NDArray[np.bool_]:
    """Exclusive: one of five labels. Otherwise every third text also has the following label."""
    truth = np.eye(_LABELS, dtype=np.bool_)[labels]
    if not exclusive:
        truth[::3] |= np.roll(truth[::3], 1, axis=1)
    return truth


def targets_of(truth: NDArray[np.bool_], *, exclusive: bool) -> NDArray[np.float64]:
    return np.where(truth, 1.0, -1 / (_LABELS - 1) if exclusive else -1.0)


def kernel(left: Matrix, right: Matrix) -> NDArray[np.float64]:
    return np.asarray(np.exp(-2 * (1 - left.astype(np.float64) @ right.astype(np.float64).T)))


def learnt(vectors: Matrix, truth: NDArray[np.bool_], strength: float, *, exclusive: bool) -> KernelRidge:
    ridge = KernelRidge()
    for _ in ridge.learn(vectors, truth, strength, exclusive=exclusive):
        pass
    return ridge


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_it_says_what_scikit_learn_s_says(size: int, exclusive: bool) -> None:
    vectors, labels = points(size)
    asked, _ = points(300, seed=1)
    truth = truth_of(labels, exclusive=exclusive)
    peer = Peer(kernel="precomputed", alpha=0.03).fit(kernel(vectors, vectors), targets_of(truth, exclusive=exclusive))

    ridge = learnt(vectors, truth, 0.03, exclusive=exclusive)

    said = ridge.logits(asked) / ridge.sharpness
    assert said.dtype == np.float32
    assert np.abs(said - peer.predict(kernel(asked, vectors))).max() < 1e-4


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("size", [40, pytest.param(300, marks=pytest.mark.slow)])
def test_its_loss_is_that_of_texts_that_are_really_left_out(size: int, exclusive: bool) -> None:
    vectors, labels = points(size)
    truth, near = truth_of(labels, exclusive=exclusive), kernel(vectors, vectors)
    targets = targets_of(truth, exclusive=exclusive)
    left_out = np.empty_like(targets)
    for place in range(size):
        others = np.arange(size) != place
        weights = np.linalg.solve(near[np.ix_(others, others)] + 0.1 * np.eye(size - 1), targets[others])
        left_out[place] = near[place, others] @ weights
    logits = left_out.astype(np.float32)

    ridge = learnt(vectors, truth, 0.1, exclusive=exclusive)

    assert ridge.loss == pytest.approx(cross_entropy(logits * np.float32(ridge.sharpness), truth, exclusive=exclusive), rel=1e-3)


def test_its_scores_have_one_scale_whatever_the_labels() -> None:
    vectors, labels = points(200)
    wrong = labels.copy()
    wrong[::10] = (wrong[::10] + 1) % (labels.max() + 1)
    right, noisy = (learnt(vectors, truth_of(each, exclusive=True), 0.1, exclusive=True) for each in (labels, wrong))

    assert right.sharpness == noisy.sharpness


def test_of_many_texts_a_thousand_tell_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = points(600)
    truth = truth_of(labels, exclusive=True)
    by_all = learnt(vectors, truth, 0.1, exclusive=True)
    monkeypatch.setattr("winnow.recipes.kernel_ridge._LEFT_OUT", 300)
    by_half = learnt(vectors, truth, 0.1, exclusive=True)

    assert by_half.loss != by_all.loss
    assert by_half.loss == pytest.approx(by_all.loss, abs=0.01)
    assert np.array_equal(by_half.weights, by_all.weights)


@pytest.mark.parametrize("projected", [True, False])
def test_made_again_from_its_arrays_it_says_the_same(projected: bool) -> None:
    vectors, labels = points(60)
    asked, _ = points(30, seed=1)
    ridge = KernelRidge()
    if projected:
        added = 0.1 * np.random.default_rng(2).normal(size=(_DIMENSIONS, _DIMENSIONS))
        ridge.projection = added.astype(np.float16).astype(np.float32)
    for _ in ridge.learn(vectors, truth_of(labels, exclusive=True), 0.1, exclusive=True):
        pass

    again = KernelRidge.from_arrays(ridge.arrays())

    assert np.array_equal(again.logits(asked), ridge.logits(asked))
    assert ("projection" in ridge.arrays()) == projected


def test_a_projection_is_what_vectors_go_through_first() -> None:
    vectors, labels = points(60)
    asked, _ = points(30, seed=1)
    added = (0.2 * np.random.default_rng(2).normal(size=(_DIMENSIONS, _DIMENSIONS))).astype(np.float32)
    moved, moved_asked = (each + each @ added.T for each in (vectors, asked))
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    moved_asked /= np.linalg.norm(moved_asked, axis=1, keepdims=True)
    ridge = KernelRidge()
    ridge.projection = added
    for _ in ridge.learn(vectors, truth_of(labels, exclusive=True), 0.1, exclusive=True):
        pass

    straight = learnt(moved, truth_of(labels, exclusive=True), 0.1, exclusive=True)
    assert np.allclose(ridge.logits(asked), straight.logits(moved_asked), atol=1e-4)


# --- its fitting ---


def fitting(*, contrast: bool) -> KernelFitting:
    vectors, labels = points(60)
    return KernelFitting(vectors, truth_of(labels, exclusive=True), 0.1, points(30, seed=1)[0], exclusive=True, contrast=contrast)


def done(given: KernelFitting) -> KernelFitting:
    for _ in itertools.chain(given.begin(), given.run_epoch()):
        pass
    return given


@pytest.mark.parametrize("contrast", [True, False])
def test_put_down_after_any_step_it_comes_to_the_same(contrast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.recipes.contrast._STEPS", 6)
    whole = done(fitting(contrast=contrast))
    steps = sum(1 for _ in fitting(contrast=contrast).run_epoch())
    for stop in range(steps + 1):
        first, second = fitting(contrast=contrast), fitting(contrast=contrast)
        for _ in itertools.islice(first.run_epoch(), stop):
            pass
        second.resume(first.save())
        assert np.array_equal(done(second).held_out_logits(), whole.held_out_logits())
        assert second.loss == whole.loss


@pytest.mark.parametrize("contrast", [True, False])
def test_put_down_when_it_is_solved_it_is_not_solved_again(contrast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.recipes.contrast._STEPS", 6)
    whole, again = done(fitting(contrast=contrast)), fitting(contrast=contrast)
    again.resume(whole.save())

    assert (again.epochs, again.loss) == (1, whole.loss)
    assert np.array_equal(again.held_out_logits(), whole.held_out_logits())


def test_where_its_time_is_over_it_is_solved_all_the_same() -> None:
    early = fitting(contrast=False)
    for _ in itertools.islice(early.run_epoch(), 1):
        pass
    early.finish()
    assert np.array_equal(early.held_out_logits(), done(fitting(contrast=False)).held_out_logits())


def test_its_share_grows_while_a_projection_is_sought() -> None:
    given = fitting(contrast=True)
    shares = [given.share for _ in given.run_epoch()]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


@pytest.mark.parametrize("size", [3, 256, 300])
def test_left_out_logits_are_those_of_a_ridge_of_the_others(size: int) -> None:
    vectors, labels = points(size)
    truth = truth_of(labels, exclusive=True)
    trust = np.random.default_rng(3).uniform(0.01, 1, size).astype(np.float32)
    found = left_out_logits(vectors, truth, trust, 0.03)
    assert found.shape == (size, _LABELS)
    for place in range(0, size, 37):
        rest = np.arange(size) != place
        others = vectors[rest]
        peer = Peer(kernel="precomputed", alpha=0.03)
        peer.fit(kernel(others, others), targets_of(truth[rest], exclusive=True), sample_weight=trust[rest])
        expected = KernelRidge().sharpness * peer.predict(kernel(vectors[place : place + 1], others))[0]
        np.testing.assert_allclose(found[place], expected, atol=2e-3)
