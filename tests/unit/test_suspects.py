"""The confident joint, the order of the suspects, and the limits of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from winnow.evaluation.suspects import MOST_EXAMPLES, MOST_FINDINGS, doubts, expected_errors, suspect_report

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = ["a", "b", "c"]


def report(given: Sequence[int], scores: Sequence[Sequence[float]], *, texts: Sequence[str] | None = None) -> dict[str, Any]:
    truth = np.eye(3, dtype=np.bool_)[list(given)]
    rows = range(1, len(given) + 1)
    return suspect_report(truth=truth, scores=np.array(scores, np.float32), labels=LABELS, exclusive=True, rows=rows, texts=texts)


def test_the_confident_joint_by_hand() -> None:
    # The thresholds are the means of the labels' own scores: 0.6 and 0.7.
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.45, 0.55], [0.1, 0.9], [0.4, 0.6]], np.float32)
    given = np.array([0, 0, 0, 1, 1, 1, 1])

    # Of label 0, two examples are confidently 0 and one is confidently 1. Of label 1, two are confidently 1, and two are confident of none.
    assert expected_errors(given, scores) == pytest.approx([1, 0])


def test_examples_that_are_confident_of_no_label_count_by_the_others() -> None:
    # Label 0 has the threshold 0.46: one confident 0, one confident 1, and two of neither.
    scores = np.array([[0.9, 0.1], [0.05, 0.95], [0.45, 0.55], [0.45, 0.55], [0.1, 0.9], [0.1, 0.9]], np.float32)

    assert expected_errors(np.array([0, 0, 0, 0, 1, 1]), scores) == pytest.approx([2, 0])


def test_a_label_without_examples_is_never_expected() -> None:
    scores = np.array([[0.2, 0.1, 0.7], [0.1, 0.2, 0.7]], np.float32)

    assert expected_errors(np.array([0, 1]), scores).tolist() == [0, 0, 0]


def test_a_score_counts_by_what_is_usual_for_its_label() -> None:
    # Label 0 has high scores everywhere. So the same scores say less against label 1 than they would say against label 0.
    usual = [[0.6, 0.2, 0.2]] * 20
    scores = np.array([*usual, [0.6, 0.3, 0.1], [0.3, 0.6, 0.1]], np.float32)
    given = np.array([0] * 20 + [1, 0])

    doubt = doubts(given, scores)

    assert doubt[21] > doubt[20]
    assert doubt[21] == pytest.approx(np.log((0.6 / (4.9 + 1)) / (0.3 / (12.9 + 1))), abs=1e-4)


def test_the_worst_come_first_and_as_many_as_are_expected() -> None:
    sure = [[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]]
    given, scores = [0, 1, 2] * 10, sure * 10
    given += [0, 1]
    scores += [[0.2, 0.79, 0.01], [0.01, 0.01, 0.98]]

    found = report(given, scores)

    assert (found["checked"], found["found"]) == (32, 1)
    assert [(each["row"], each["label"], each["proposed"]) for each in found["suspects"]] == [(32, "b", "c")]
    assert (found["suspects"][0]["label_score"], found["suspects"][0]["proposed_score"]) == (0.01, 0.98)


@pytest.mark.parametrize(("called", "grouped"), [(7, False), (8, True)])
def test_a_label_is_nearly_always_called_another_from_eight_tenths(called: int, grouped: bool) -> None:
    wrong, right, sure = [0.1, 0.9, 0.0], [0.9, 0.1, 0.0], [0.0, 0.9, 0.1]
    found = report([0] * 10 + [1] * 10, [wrong] * called + [right] * (10 - called) + [sure] * 10)

    groups = [each for each in found["suspects"] if each["kind"] == "label"]
    assert [(each["count"], each["of"], len(each["examples"])) for each in groups] == ([(8, 10, MOST_EXAMPLES)] if grouped else [])
    assert found["found"] == (1 if grouped else 7)


def test_a_label_with_few_examples_makes_no_group() -> None:
    found = report([0] * 4 + [1] * 10, [[0.1, 0.9, 0.0]] * 4 + [[0.0, 0.9, 0.1]] * 10)

    assert {each["kind"] for each in found["suspects"]} == {"wrong"}


def test_a_label_that_several_labels_never_need_is_one_finding() -> None:
    truth = np.array([[True, True]] * 6 + [[False, True]] * 6 + [[True, False]])
    scores = np.array([[0.02, 0.9]] * 6 + [[0.02, 0.9]] * 6 + [[0.02, 0.1]], np.float32)

    found = suspect_report(truth=truth, scores=scores, labels=["a", "b"], exclusive=False, rows=range(13), texts=None)

    [group] = found["suspects"]
    assert (group["kind"], group["label"], group["proposed"], group["count"], group["of"]) == ("label", "a", None, 7, 7)


def test_a_label_that_is_likely_is_not_superfluous_even_if_others_have_it_more_likely() -> None:
    truth = np.array([[True]] * 10 + [[False]] * 10)
    scores = np.array([[0.55]] * 9 + [[0.99]] + [[0.7]] * 10, np.float32)

    found = suspect_report(truth=truth, scores=scores, labels=["a"], exclusive=False, rows=range(20), texts=None)

    assert {each["kind"] for each in found["suspects"]} <= {"missing"}


def test_the_list_and_its_texts_have_limits() -> None:
    given = [0] * 2000 + [1] * 2000
    scores = [[0.9, 0.1, 0.0]] * 1300 + [[0.1, 0.9, 0.0]] * 700 + [[0.1, 0.9, 0.0]] * 2000

    found = report(given, scores, texts=["é" * 20_000] * 4000)

    assert (found["found"], len(found["suspects"])) == (700, MOST_FINDINGS)
    assert {len(each["text"]) for each in found["suspects"]} == {200}
