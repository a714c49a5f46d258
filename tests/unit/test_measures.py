"""Accuracy, precision, recall and F1, compared with numbers calculated by hand."""

from __future__ import annotations

import pytest

from winnow.evaluation.measures import evaluate


def test_exclusive_labels() -> None:
    truth = [{"a"}, {"a"}, {"a"}, {"b"}, {"b"}, {"c"}]
    given = [{"a"}, {"a"}, {"b"}, {"b"}, {"a"}, {"c"}]

    measured = evaluate(truth, given, ("a", "b", "c"))

    assert measured["examples"] == 6
    assert measured["accuracy"] == pytest.approx(4 / 6, abs=1e-6)
    assert measured["micro_f1"] == measured["accuracy"]
    # a: 2 right of 3 accepted and 3 true. b: 1 of 2 and of 2. c: 1 of 1 and of 1.
    assert measured["macro_f1"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3, abs=1e-6)
    assert measured["per_label"]["b"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}


def test_multilabel() -> None:
    truth = [{"a", "b"}, {"a"}, set(), {"b"}]
    given = [{"a"}, {"a", "b"}, {"b"}, {"b"}]

    measured = evaluate(truth, given, ("a", "b"))

    # Only the fourth is completely right. Decisions: 3 right of 5 accepted and 4 true.
    assert measured["accuracy"] == 0.25
    assert measured["micro_f1"] == pytest.approx(6 / 9, abs=1e-6)
    assert measured["per_label"]["a"] == {"precision": 1, "recall": 1, "f1": 1, "support": 2}
    assert measured["per_label"]["b"] == {"precision": 0.333333, "recall": 0.5, "f1": 0.4, "support": 2}
    assert measured["macro_f1"] == 0.7


def test_precision_and_recall_are_not_each_other() -> None:
    measured = evaluate([{"a"}, {"b"}, {"b"}, {"b"}], [{"a"}, {"a"}, {"b"}, {"a"}], ("a", "b"))

    assert (measured["per_label"]["a"]["precision"], measured["per_label"]["a"]["recall"]) == (pytest.approx(1 / 3, abs=1e-6), 1)
    assert (measured["per_label"]["b"]["precision"], measured["per_label"]["b"]["recall"]) == (1, pytest.approx(1 / 3, abs=1e-6))


def test_a_label_that_is_neither_there_nor_accepted_does_not_count_in_the_mean() -> None:
    measured = evaluate([{"a"}], [{"a"}], ("a", "absent"))

    assert measured["macro_f1"] == 1
    assert measured["per_label"]["absent"]["f1"] == 0


def test_a_label_accepted_where_it_never_is_pulls_the_mean_down() -> None:
    assert evaluate([{"a"}, {"a"}], [{"a"}, {"b"}], ("a", "b"))["macro_f1"] == pytest.approx((2 / 3 + 0) / 2, abs=1e-6)


def test_nothing_measured_is_zero() -> None:
    measured = evaluate([], [], ("a", "b"))

    assert (measured["accuracy"], measured["macro_f1"], measured["micro_f1"], measured["examples"]) == (0, 0, 0, 0)


def test_as_many_answers_as_examples_are_needed() -> None:
    with pytest.raises(ValueError, match="1 examples, and 0 answers"):
        evaluate([{"a"}], [], ("a",))
