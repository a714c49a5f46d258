"""The dial: what happens to held-out texts at each threshold, and the thresholds for a promise and for the least cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from winnow.domain.policy import Cost
from winnow.evaluation import dial as dials
from winnow.evaluation.dial import Dial
from winnow.evaluation.promise import TooFew, for_cost, for_precision
from winnow.evaluation.tradeoff import tradeoff_report
from winnow.recipes.least_scores import least_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ("a", "b", "c")


def exclusive(scores: NDArray[np.float32], right: NDArray[np.bool_], own: float = 0.5) -> Dial:
    """Of texts whose best label is "a" with these scores, and truly "b" where that isn't right."""
    rest = (1 - scores) / 2
    truth = np.zeros((len(scores), 3), np.bool_)
    truth[np.arange(len(scores)), np.where(right, 0, 1)] = True
    thresholds = np.full((len(scores), 3), own, np.float32)
    told = np.stack([scores, rest, rest], axis=1).astype(np.float32)
    return Dial.of(LABELS, "cross-validation", exclusive=True, truth=truth, scores=told, thresholds=thresholds, familiar=None)


def drawn(texts: int, seed: int, *, too_sure: float = 0.0) -> Dial:
    """Of a calibrated classifier with scores from 0.5 to 1. too_sure: how much higher its scores are than the share of right ones."""
    random = np.random.default_rng(seed)
    scores = (1 - 0.5 * random.random(texts) ** 2).astype(np.float32)
    return exclusive(scores, random.random(texts) < scores - too_sure)


FOUR = exclusive(np.array([0.9, 0.6, 0.8, 0.4], np.float32), np.array([True, False, True, True]))


# --- what happens at a threshold ---


def test_a_text_is_answered_from_its_threshold_on() -> None:
    assert FOUR.outcome() == (3, 2)
    assert FOUR.outcome(least_scores(LABELS, None, 0.8)) == (2, 2)
    assert FOUR.outcome(least_scores(LABELS, None, 0.4)) == (4, 3)
    assert FOUR.outcome(least_scores(LABELS, None, None)) == (0, 0)


def test_a_label_without_a_threshold_keeps_its_own() -> None:
    assert FOUR.outcome(least_scores(LABELS, {"b": 0.95, "gone": 0.1}, None)) == FOUR.outcome()
    assert FOUR.outcome(least_scores(LABELS, {"a": 0.85}, None)) == (1, 1)


def test_strange_texts_are_never_answered() -> None:
    scores = np.array([[0.9, 0.1], [0.8, 0.2]], np.float32)
    truth = np.array([[True, False], [True, False]])
    thresholds = np.full((2, 2), 0.5, np.float32)
    about = {"exclusive": True, "truth": truth, "scores": scores, "thresholds": thresholds}

    found = Dial.of(("a", "b"), "held-out", **about, familiar=np.array([True, False]))  # type: ignore[arg-type]

    assert (found.texts, found.outcome(least_scores(("a", "b"), None, 0.0))) == (2, (1, 1))


def test_with_several_labels_one_wrong_label_makes_the_answer_wrong() -> None:
    scores = np.array([[0.9, 0.7, 0.1], [0.9, 0.6, 0.001], [0.2, 0.2, 0.2]], np.float32)
    truth = np.array([[True, False, False], [True, True, True], [False, False, False]])
    thresholds = np.full((3, 3), 0.5, np.float32)

    found = Dial.of(LABELS, "held-out", exclusive=False, truth=truth, scores=scores, thresholds=thresholds, familiar=None)

    assert found.outcome() == (2, 1)
    assert found.outcome(least_scores(LABELS, None, 0.8)) == (2, 2)
    assert found.outcome(least_scores(LABELS, None, 0.15)) == (3, 1)
    assert [found.falling().outcome(threshold) for threshold in (0.8, 0.15)] == [(2, 2), (3, 1)]
    assert found.examples_of.tolist() == [2, 1, 1]


@pytest.mark.parametrize("threshold", [0.0, 0.501, 0.73, 0.9, 0.99999, 1.0])
def test_the_quick_way_counts_like_the_slow_one(threshold: float) -> None:
    found = drawn(300, 1)
    assert found.falling().outcome(threshold) == found.outcome(least_scores(LABELS, None, threshold))


def test_equal_scores_are_answered_together() -> None:
    scores = np.full(80, 0.8679555654525757, np.float32)
    same = exclusive(scores, np.ones(80, np.bool_))
    threshold = for_precision(same, 0.95)
    assert not isinstance(threshold, TooFew)
    assert same.falling().outcome(threshold) == (80, 80)
    assert same.falling().outcome(same.falling().thresholds([3])[0]) == (80, 80)


def test_it_comes_back_from_its_archive() -> None:
    again = Dial.from_bytes(FOUR.to_bytes())
    assert (again.labels, again.measured_by, again.texts) == (FOUR.labels, FOUR.measured_by, FOUR.texts)
    assert again.outcome() == FOUR.outcome()
    assert tradeoff_report(again) == tradeoff_report(FOUR)


def test_a_dial_of_very_many_texts_has_a_part_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dials, "MOST_TEXTS", 100)
    found = drawn(1_000, 2)
    assert (found.texts, len(found.text), int(found.examples_of.sum())) == (100, 100, 100)


def test_the_curve_falls_from_few_sure_answers_to_all() -> None:
    report = tradeoff_report(drawn(1_000, 3))

    curve = report["curve"]
    assert [point["answered"] for point in curve] == [50 * part for part in range(1, 21)]
    assert [point["threshold"] for point in curve] == sorted((point["threshold"] for point in curve), reverse=True)
    assert all(low <= point["right_share"] <= high for point in curve for low, high in [point["right_interval"]])
    assert curve[0]["right_share"] > curve[-1]["right_share"]
    assert report["own"]["answered"] == curve[-1]["answered"] == report["per_label"][0]["own"]["answered"] == 1_000
    # Nothing is ever called "b", although some texts are.
    [other] = [each for each in report["per_label"] if each["label"] == "b"]
    assert (other["curve"], other["own"]["right_share"], other["own"]["found_share"]) == ([], None, 0)


# --- a promised precision ---


def precision_on_fresh(threshold: float, too_sure: float) -> float:
    """The share of right answers above a threshold, of very many fresh texts."""
    scores = 1 - 0.5 * ((np.arange(100_000) + 0.5) / 100_000) ** 2
    taken = scores[scores >= threshold]
    return float((taken - too_sure).mean())


@pytest.mark.parametrize("texts", [150, 400, pytest.param(2_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("too_sure", [0.0, 0.03])
@pytest.mark.parametrize("promise", [0.9, 0.95])
def test_a_promise_is_kept_on_fresh_texts_in_nineteen_of_twenty_draws(texts: int, too_sure: float, promise: float) -> None:
    draws, kept, made = 200, 0, 0
    for seed in range(draws):
        threshold = for_precision(drawn(texts, seed, too_sure=too_sure), promise)
        made += not isinstance(threshold, TooFew)
        kept += isinstance(threshold, TooFew) or precision_on_fresh(threshold, too_sure) >= promise
    assert kept >= 0.95 * draws - 6
    if texts == 2_000 and promise + too_sure < 0.96:
        # The promise isn't kept by refusing to make it. (A precision of 0.95 is hard to show where the surest have 0.97.)
        assert made >= 0.95 * draws


def test_choosing_the_luckiest_threshold_would_break_promises() -> None:
    broken = 0
    for seed in range(100):
        falling = drawn(400, seed).falling()
        lucky = [each for each in falling.thresholds(range(20, 401)) if (found := falling.outcome(each)).right >= 0.9 * found.answered]
        broken += bool(lucky) and precision_on_fresh(lucky[-1], 0) < 0.9
    assert broken > 30


def test_a_promise_needs_examples_and_says_how_many() -> None:
    few = for_precision(drawn(30, 0), 0.95)
    assert isinstance(few, TooFew)
    assert few.needed is not None
    assert 63 <= few.needed < 2_000
    # As many as it says do, most of the time.
    would_do = [not isinstance(for_precision(drawn(2 * few.needed, seed), 0.95), TooFew) for seed in range(20)]
    assert sum(would_do) >= 12


def test_a_precision_that_no_number_of_examples_can_promise() -> None:
    hopeless = exclusive(np.linspace(0.5, 1, 500, dtype=np.float32), np.arange(500) % 2 == 0)
    assert for_precision(hopeless, 0.95) == TooFew(None)


@pytest.mark.parametrize("promise", [1e-9, 0.5, 1 - 1e-9, 1 - 2**-53])
def test_the_ends_of_what_can_be_promised(promise: float) -> None:
    threshold = for_precision(drawn(200, 0), promise)
    assert isinstance(threshold, TooFew) if promise > 0.9 else not isinstance(threshold, TooFew)


def test_a_dial_that_has_nothing_to_accept_promises_nothing() -> None:
    nothing = Dial.of(
        ("a", "b"),
        "held-out",
        exclusive=True,
        truth=np.array([[True, False]]),
        scores=np.array([[0.9, 0.1]], np.float32),
        thresholds=np.full((1, 2), 0.5, np.float32),
        familiar=np.array([False]),
    )
    assert for_precision(nothing, 0.9) == TooFew(None)
    assert for_cost(nothing, Cost(1, 1)) is None
    assert tradeoff_report(nothing)["curve"] == []


# --- costs ---


@pytest.mark.parametrize("cost", [Cost(10, 1), Cost(1, 10), Cost(3, 1), Cost(1.5, 1)])
def test_no_threshold_costs_less(cost: Cost) -> None:
    found = drawn(300, 4)

    def total(threshold: float) -> float:
        answered, right = found.outcome(least_scores(LABELS, None, threshold))
        return cost.wrong * (answered - right) + cost.refused * (found.texts - answered)

    chosen = for_cost(found, cost)

    assert chosen is not None
    assert total(chosen) <= min(total(float(score)) for score in (*found.score, 2.0)) + 1e-9


def test_where_every_answer_costs_too_much_none_is_given() -> None:
    wrong = exclusive(np.array([0.9, 0.8], np.float32), np.array([False, False]))
    assert for_cost(wrong, Cost(10, 1)) is None
    assert for_cost(wrong, Cost(1, 10)) is not None
