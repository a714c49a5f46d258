"""The evaluation report, compared with scikit-learn where it has the measure, otherwise with numbers calculated by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped, unused-ignore]
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support  # type: ignore[import-untyped, unused-ignore]

from winnow.evaluation.calibration_error import reliability
from winnow.evaluation.intervals import intervals
from winnow.evaluation.report import MOST_WRONG, TOP_CONFUSIONS, evaluation_report

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Scores = NDArray[np.float32]

# Examples, labels, the number of labels (the last ones) without examples, and whether labels are exclusive.
SHAPES = [
    (1, 2, 0, True),
    (40, 3, 0, True),
    (200, 7, 2, True),
    (300, 60, 5, True),
    (1, 2, 0, False),
    (40, 3, 0, False),
    (200, 7, 2, False),
    (150, 60, 5, False),
]
every_case = pytest.mark.parametrize("seed", range(4))
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}{'' if shape[3] else '-multilabel'}")


def made(seed: int, examples: int, labels: int, without_support: int, exclusive: bool) -> dict[str, Any]:
    """Arguments for a report: truth, and scores that are right more often than not."""
    random = np.random.default_rng(seed)
    truth = np.zeros((examples, labels), dtype=np.bool_)
    supported = labels - without_support
    if exclusive:
        truth[np.arange(examples), random.integers(supported, size=examples)] = True
    else:
        truth[:, :supported] = random.random((examples, supported)) < 0.2
    logits = random.normal(size=truth.shape) * 2 + truth * 3
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) if exclusive else 1 / (1 + np.exp(1.5 - logits))
    return {
        "truth": truth,
        "scores": scores.astype(np.float32),
        "uncalibrated": np.sqrt(scores).astype(np.float32),
        "thresholds": random.uniform(0.3, 0.7, size=labels).tolist(),
        "labels": names(labels),
        "exclusive": exclusive,
        "rows": range(1, examples + 1),
        "texts": None,
    }


def names(count: int) -> list[str]:
    return [f"label {number}" for number in range(count)]


def told(truth: list[str], scores: list[list[float]], *, exclusive: bool = True, **changes: Any) -> dict[str, Any]:
    """The report on examples with the labels a, b, c …. Truth is in letters ("ac", or "" for none), and thresholds are 0.5."""
    labels = [chr(ord("a") + column) for column in range(len(scores[0]))]
    flags = np.array([[label in given for label in labels] for given in truth])
    array = np.array(scores, dtype=np.float32)
    arguments: dict[str, Any] = {"truth": flags, "scores": array, "uncalibrated": array, "thresholds": [0.5] * len(labels)}
    arguments |= {"labels": labels, "exclusive": exclusive, "rows": range(len(truth)), "texts": None}
    return evaluation_report(**arguments | changes)


def predicted(arguments: dict[str, Any]) -> Any:
    """The predictions for scikit-learn: the best label's number, or a matrix of 0 and 1."""
    if arguments["exclusive"]:
        return arguments["scores"].argmax(axis=1)
    return (arguments["scores"] >= np.array(arguments["thresholds"], dtype=np.float32)).astype(int)


def true(arguments: dict[str, Any]) -> Any:
    return arguments["truth"].argmax(axis=1) if arguments["exclusive"] else arguments["truth"].astype(int)


# --- against scikit-learn ---


@every_case
@every_shape
def test_accuracy_and_the_averages_are_scikit_learn_s(seed: int, shape: tuple[int, int, int, bool]) -> None:
    arguments = made(seed, *shape)
    report, theirs, ours = evaluation_report(**arguments), true(arguments), predicted(arguments)
    columns = list(range(shape[1]))
    # scikit-learn's macro uses the labels that it gets: here those that occur or were predicted.
    occur = [column for column in columns if np.any(theirs == column) or np.any(ours == column)]
    if not arguments["exclusive"]:
        occur = [column for column in columns if theirs[:, column].any() or ours[:, column].any()]

    assert report["examples"] == shape[0]
    assert report["accuracy"] == pytest.approx(accuracy_score(theirs, ours), abs=1e-6)
    for average in ("micro", "macro", "weighted"):
        given = [report[f"{average}_{name}"] for name in ("precision", "recall", "f1")]
        expected = precision_recall_fscore_support(theirs, ours, labels=occur, average=average, zero_division=0)[:3] if occur else [0] * 3
        assert given == pytest.approx(expected, abs=1e-6), average


@every_case
@every_shape
def test_each_label_s_measures_are_scikit_learn_s(seed: int, shape: tuple[int, int, int, bool]) -> None:
    arguments = made(seed, *shape)
    report = evaluation_report(**arguments)
    expected = precision_recall_fscore_support(
        true(arguments), predicted(arguments), labels=list(range(shape[1])), average=None, zero_division=0
    )

    assert list(report["per_label"]) == arguments["labels"]
    for place, name in enumerate(("precision", "recall", "f1", "support")):
        assert [each[name] for each in report["per_label"].values()] == pytest.approx(expected[place], abs=1e-6), name


@every_case
def test_the_confusion_matrix_is_scikit_learn_s(seed: int) -> None:
    arguments = made(seed, 400, 9, 2, True)
    confusion = evaluation_report(**arguments)["confusion"]

    assert confusion["labels"] == arguments["labels"]
    assert confusion["matrix"] == confusion_matrix(true(arguments), predicted(arguments), labels=range(9)).tolist()


@every_case
def test_of_many_labels_the_most_frequent_confusions_are_told(seed: int) -> None:
    arguments = made(seed, 3000, 51, 0, True)
    arguments["scores"][:, 7] += 0.2  # a label that is often predicted
    matrix = confusion_matrix(true(arguments), predicted(arguments), labels=range(51))
    np.fill_diagonal(matrix, 0)
    top = evaluation_report(**arguments)["confusion"]["top"]

    assert [each["count"] for each in top] == sorted(matrix.ravel().tolist(), reverse=True)[:TOP_CONFUSIONS]
    place = {label: column for column, label in enumerate(arguments["labels"])}
    assert all(matrix[place[each["truth"]], place[each["predicted"]]] == each["count"] for each in top)


def test_labels_that_were_never_confused_are_not_told() -> None:
    truth = np.eye(51, dtype=np.bool_)
    scores = truth.astype(np.float32)
    scores[3, 5] = 2
    arguments = made(0, 51, 51, 0, True) | {"truth": truth, "scores": scores}

    assert evaluation_report(**arguments)["confusion"] == {"top": [{"truth": "label 3", "predicted": "label 5", "count": 1}]}


def test_fifty_labels_have_a_matrix_and_multilabel_data_none() -> None:
    assert set(evaluation_report(**made(0, 100, 50, 0, True))["confusion"]) == {"labels", "matrix"}
    assert evaluation_report(**made(0, 100, 5, 0, False))["confusion"] is None


# --- what counts as predicted ---


def test_of_exclusive_labels_the_best_counts_though_it_misses_its_threshold() -> None:
    report = told(["a", "b"], [[0.4, 0.3, 0.3], [0.4, 0.3, 0.3]])

    assert (report["accuracy"], report["micro_f1"]) == (0.5, 0.5)


def test_a_score_that_is_the_threshold_reaches_it() -> None:
    # 0.7 as float32 is less than 0.7 as float64.
    assert told(["a"], [[0.7, 0.1]], exclusive=False, thresholds=[0.7, 0.2])["accuracy"] == 1


# --- calibration ---


def test_the_calibration_error_of_exclusive_labels_is_the_one_worked_out_by_hand() -> None:
    scores = [[0.95, 0.05], [0.91, 0.09], [0.2, 0.8], [0.75, 0.25], [0.45, 0.55]]
    after = told(["a", "b", "b", "a", "a"], scores)["calibration"]["after"]

    # (0.9, 1]: confidence 0.93, 1 of 2 right; (0.7, 0.8]: 0.775, 2 of 2 right (it includes 0.8); (0.5, 0.6]: 0.55, 0 of 1 right.
    assert after["ece"] == pytest.approx((2 * 0.43 + 2 * 0.225 + 1 * 0.55) / 5, abs=1e-6)
    filled = [each for each in after["bins"] if each["count"]]
    assert [(each["from"], each["to"], each["count"], each["accuracy"]) for each in filled] == [
        (0.5, 0.6, 1, 0),
        (0.7, 0.8, 2, 1),
        (0.9, 1, 2, 0.5),
    ]
    assert [each["confidence"] for each in filled] == pytest.approx([0.55, 0.775, 0.93], abs=1e-6)


def test_the_calibration_error_of_multilabel_data_is_over_all_decisions() -> None:
    after = told(["a", "ab"], [[0.85, 0.0], [0.1, 0.35]], exclusive=False)["calibration"]["after"]

    # [0, 0.1]: confidence 0.05, 1 of 2 true; (0.3, 0.4]: 0.35, 1 of 1; (0.8, 0.9]: 0.85, 1 of 1.
    assert after["ece"] == pytest.approx((2 * 0.45 + 0.65 + 0.15) / 4, abs=1e-6)
    assert after["bins"][0] == {"from": 0, "to": 0.1, "count": 2, "confidence": 0.05, "accuracy": 0.5}
    assert after["bins"][1] == {"from": 0.1, "to": 0.2, "count": 0, "confidence": None, "accuracy": None}


def test_before_is_of_the_uncalibrated_scores() -> None:
    calibration = told(["a"], [[0.9, 0.1]], uncalibrated=np.array([[0.6, 0.4]], dtype=np.float32))["calibration"]

    assert (calibration["before"]["ece"], calibration["after"]["ece"]) == (0.4, 0.1)


def test_every_score_is_in_a_bin() -> None:
    edges = np.append(np.linspace(0, 1, 11, dtype=np.float32), np.nextafter(np.float32(1), np.float32(2)))
    bins = reliability(np.ones((12, 1), dtype=np.bool_), edges[:, None], exclusive=False)["bins"]

    assert [each["count"] for each in bins] == [2, *[1] * 8, 2]


def test_scores_that_say_what_they_mean_have_next_to_no_error() -> None:
    random = np.random.default_rng(0)
    scores = random.random((20_000, 1), dtype=np.float32)

    assert reliability(random.random(scores.shape) < scores, scores, exclusive=False)["ece"] < 0.01


# --- intervals ---


@every_case
@every_shape
def test_the_intervals_hold_the_figures(seed: int, shape: tuple[int, int, int, bool]) -> None:
    report = evaluation_report(**made(seed, *shape))

    assert set(report["intervals"]) == {"accuracy", "micro_f1", "macro_f1"}
    for name, (low, high) in report["intervals"].items():
        assert 0 <= low <= report[name] <= high <= 1, name


def test_the_intervals_are_those_of_resampling_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = made(1, 60, 5, 1, False)
    truth, given = arguments["truth"], predicted(arguments).astype(np.bool_)
    monkeypatch.setattr("winnow.evaluation.intervals.RESAMPLES", 100)
    whole = intervals(truth, given, 3)
    random, drawn = np.random.default_rng(3), []
    for rows in random.integers(60, size=(100, 60)):
        occur = [column for column in range(5) if truth[rows, column].any() or given[rows, column].any()]
        scored = [
            precision_recall_fscore_support(truth[rows], given[rows], labels=occur, average=average, zero_division=0)[2]
            for average in ("micro", "macro")
        ]
        drawn.append(scored)
    expected = np.percentile(drawn, (2.5, 97.5), axis=0)

    assert [whole[name] for name in ("micro_f1", "macro_f1")] == [pytest.approx(ends, abs=1e-6) for ends in expected.T]
    # In several steps, as with many examples: the same draws.
    monkeypatch.setattr("winnow.evaluation.intervals._MOST_DRAWN", 60 * 7)
    assert intervals(truth, given, 3) == whole


@pytest.mark.parametrize(("right", "of"), [(24, 24), (0, 3), (800, 1000), (1, 2)])
def test_the_interval_of_accuracy_is_wilson_s(right: int, of: int) -> None:
    truth = np.ones((of, 1), dtype=np.bool_)
    given = np.arange(of)[:, None] < right

    expected = binomtest(right, of).proportion_ci(method="wilson")
    assert intervals(truth, given, 0)["accuracy"] == pytest.approx(expected, abs=1e-6)


def test_24_right_of_24_is_not_certainty() -> None:
    right = np.eye(4, dtype=np.bool_)[np.arange(24) % 4]
    found = intervals(right, right, 0)

    # With one label each, micro-F1 is the accuracy.
    assert found["accuracy"] == found["micro_f1"] == [pytest.approx(0.862, abs=5e-4), 1]


def test_the_same_seed_gives_the_same_report() -> None:
    arguments = made(2, 100, 5, 0, True)

    assert evaluation_report(**arguments, seed=1) == evaluation_report(**arguments, seed=1)
    assert evaluation_report(**arguments, seed=1)["intervals"] != evaluation_report(**arguments, seed=2)["intervals"]


# --- the most wrong ---


def test_exclusive_examples_are_told_from_the_most_confidently_wrong_on() -> None:
    # The first example's own label b has 1 - 0.05 = 0.95, which is no label's score.
    scores = [[0.6, 0.05, 0.35], [0.9, 0.1, 0], [0.3, 0.7, 0], [0.8, 0.2, 0], [0.9, 0.1, 0]]
    report = told(["b", "a", "a", "b", "b"], scores, rows=[11, 12, 13, 14, 15])

    assert report["most_wrong"] == [
        {"row": 15, "truth": ["b"], "predicted": ["a"], "score": 0.9},
        {"row": 14, "truth": ["b"], "predicted": ["a"], "score": 0.8},
        {"row": 13, "truth": ["a"], "predicted": ["b"], "score": 0.7},
        {"row": 11, "truth": ["b"], "predicted": ["a"], "score": 0.6},
    ]


def test_multilabel_examples_are_told_by_their_surest_wrong_decision() -> None:
    scores = [[0.6, 0.7, 0.1], [0.9, 0.05, 0.1], [0.2, 0.1, 0.1], [0.9, 0.8, 0.4]]
    report = told(["", "ab", "", "ab"], scores, exclusive=False)

    assert report["most_wrong"] == [
        {"row": 1, "truth": ["a", "b"], "predicted": ["a"], "score": 0.95},
        {"row": 0, "truth": [], "predicted": ["b", "a"], "score": 0.7},
    ]


def test_texts_are_shown_only_if_they_are_given() -> None:
    shown = told(["b", "a"], [[0.6, 0.4], [0.9, 0.1]], texts=["wrong", "right"])["most_wrong"]

    assert [each["text"] for each in shown] == ["wrong"]


def test_twenty_are_told_at_most() -> None:
    wrong = told(["b"] * 30, [[0.5 + number / 100, 0.5 - number / 100] for number in range(30)])["most_wrong"]

    assert [each["row"] for each in wrong] == list(range(29, 29 - MOST_WRONG, -1))


# --- as a whole ---


@every_shape
def test_the_report_is_json(shape: tuple[int, int, int, bool]) -> None:
    report = evaluation_report(**made(0, *shape))

    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize("name", ["truth", "scores", "uncalibrated", "thresholds", "labels", "rows", "texts"])
def test_what_is_of_another_number_is_refused(name: str) -> None:
    arguments = made(0, 9, 3, 0, True) | {"texts": ["text"] * 9}
    arguments[name] = arguments[name][:-1]

    with pytest.raises(ValueError, match=r"expected [89] examples and [23] labels"):
        evaluation_report(**arguments)
