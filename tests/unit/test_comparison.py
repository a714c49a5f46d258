"""Two versions on the same examples."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import f1_score

from winnow.domain.dataset import Example, example_id
from winnow.evaluation.difference import changed_examples, comparison_report
from winnow.training.gate import _drawn

LABELS = ["a", "b", "c", "never"]


def flags(*rows: str) -> np.ndarray:
    return np.array([[label in row for label in "abcn"] for row in rows])


def test_what_got_better_and_what_worse() -> None:
    truth = flags("a", "a", "b", "b", "c")
    before, after = flags("a", "b", "b", "b", "a"), flags("a", "a", "a", "b", "c")

    report = comparison_report(truth, before, after, LABELS)

    assert (report["examples"], report["gained"], report["lost"]) == (5, 2, 1)
    assert (report["before"]["accuracy"], report["after"]["accuracy"]) == (0.6, 0.8)
    assert [change["label"] for change in report["per_label"]] == ["b", "a", "c"]
    for which, predicted in (("before", before), ("after", after)):
        oracle = f1_score(truth, predicted, average=None, zero_division=0)
        assert {change["label"]: change[which] for change in report["per_label"]} == {
            label: round(f1, 6) for label, f1 in zip("abc", oracle, strict=False)
        }
    assert all(round(change["after"] - change["before"], 5) == round(change["change"], 5) for change in report["per_label"])
    assert [change["support"] for change in report["per_label"]] == [2, 2, 1]


def test_the_texts_that_changed_are_shown_with_what_each_version_says() -> None:
    truth, before, after = flags("a", "b", "ab", "c"), flags("b", "b", "a", "c"), flags("a", "", "ab", "c")
    examples = [Example(text * 300, ("a",)) for text in "wxyz"]

    report = changed_examples(truth, before, after, LABELS, examples, uid="uid", keep_texts=True)

    assert [(each["text"], each["labels"], each["before"], each["after"]) for each in report["fixed"]] == [
        ("w" * 200, ["a"], ["b"], ["a"]),
        ("y" * 200, ["a", "b"], ["a"], ["a", "b"]),
    ]
    assert [(each["example"], each["before"], each["after"]) for each in report["broken"]] == [(example_id("uid", "x" * 300), ["b"], [])]
    hidden = changed_examples(truth, before, after, LABELS, examples, uid="uid", keep_texts=False)
    assert [each.keys() for each in hidden["broken"]] == [{"example", "labels", "before", "after"}]


def test_at_most_a_hundred_changed_texts_are_shown() -> None:
    truth, before = flags(*["a"] * 120), flags(*["b"] * 120)
    report = changed_examples(
        truth, before, truth, LABELS, [Example(str(number), ("a",)) for number in range(120)], uid="uid", keep_texts=True
    )
    assert [each["text"] for each in report["fixed"]] == [str(number) for number in range(100)]
    assert report["broken"] == []


def test_the_same_predictions_change_nothing() -> None:
    truth = flags("a", "bc", "")
    report = comparison_report(truth, truth, truth, LABELS)
    assert (report["gained"], report["lost"], report["before"]) == (0, 0, report["after"])
    assert {change["change"] for change in report["per_label"]} == {0.0}


def test_fewer_long_texts_than_short_ones_are_compared() -> None:
    short, long = ([Example(f"{number} {text}", ("a",)) for number in range(200)] for text in ("how deep", "how deep " * 1_000))
    assert len(_drawn(short, 100)) == len({example.text for example in _drawn(short, 100)}) == 100
    assert sorted(example.text for example in _drawn(short[:50], 100)) == sorted(example.text for example in short[:50])
    assert len(_drawn(long, 100)) == 1
    assert _drawn([*short, *long], 100) == _drawn([*short, *long], 100)
