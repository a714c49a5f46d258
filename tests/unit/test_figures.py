"""The figures of an evaluation: well-formed, harmless, and equal to the report."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.reports import made
from winnow.domain.model import FIGURES
from winnow.evaluation import figures, svg

SVG = "{http://www.w3.org/2000/svg}"
EPOCHS = {"epochs": [{"epoch": number, "loss": 1 / number, "score": 1 - 1 / (1 + number)} for number in range(1, 6)]}
CURVE = {
    "learning_curve": {
        "points": [
            {"examples": 40, "accuracy": 0.0, "interval": [0.0, 0.1]},
            {"examples": 80, "accuracy": 0.75, "interval": [0.7, 0.8]},
            {"examples": 320, "accuracy": 1.0, "interval": [0.9, 1.0]},
        ],
        "conclusion": "More examples will probably help: from 80 to 320 learnt examples, accuracy went from 0.750 to 1.000.",
    }
}
REPORTS = {
    "exclusive": made(3, exclusive=True) | EPOCHS,
    "fifty labels": made(50, exclusive=True) | EPOCHS,
    "many labels": made(60, exclusive=True) | EPOCHS,
    "multilabel": made(4, exclusive=False) | EPOCHS,
    "many labels, multilabel": made(60, exclusive=False) | EPOCHS,
    "one epoch": made(2, exclusive=True) | {"epochs": EPOCHS["epochs"][:1]},
    "no epochs": made(2, exclusive=True) | {"epochs": []},
    "a thousand epochs": made(2, exclusive=True) | {"epochs": [{"epoch": number, "loss": 0.0, "score": 0.5} for number in range(1, 1001)]},
    "learning curve": made(3, exclusive=True) | EPOCHS | CURVE,
    "nothing confused": made(60, exclusive=True) | EPOCHS | {"confusion": {"top": []}},
}


def parsed(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn.encode())  # noqa: S314


def texts(drawn: str) -> list[str]:
    return [element.text or "" for element in parsed(drawn).iter(f"{SVG}text")]


def hints(drawn: str) -> list[str]:
    return [element.text or "" for element in parsed(drawn).iter(f"{SVG}title")]


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_each_is_an_svg_with_a_title_and_everything_within_it(report: dict[str, Any]) -> None:
    drawn = figures.draw(report)

    assert tuple(drawn) == FIGURES
    for each in drawn.values():
        root = parsed(each)
        assert root.tag == f"{SVG}svg"
        assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
        _, _, width, height = (float(number) for number in root.attrib["viewBox"].split())
        for element in root.iter(f"{SVG}rect"):
            x, y, wide, high = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
            assert min(x, y, wide, high) >= 0
            assert x + wide <= width
            assert y + high <= height
        assert not {"nan", "inf"} & set(each.split('"'))


def test_the_same_report_is_drawn_the_same() -> None:
    assert figures.draw(REPORTS["exclusive"]) == figures.draw(made(3, exclusive=True) | EPOCHS)


@pytest.mark.parametrize(("kind", "labels"), [("matrix", 3), ("top", 60), ("bars", 3)])
@pytest.mark.parametrize("label", ["<script/>", '"><a href="x">', "&lt;", "a\x00\ud800\ufffeb", "line\nbreak", "\u202eabc", "]]>"])
def test_a_label_is_text_whatever_is_in_it(label: str, kind: str, labels: int) -> None:
    names = [label, *(f"label {number}" for number in range(1, labels))]
    drawn = figures.confusion(made(labels, exclusive=kind != "bars", names=names))

    assert {element.tag.removeprefix(SVG) for element in parsed(drawn).iter()} <= {"svg", "title", "desc", "rect", "polyline", "text"}
    assert svg.cut(label, 1_000, 12) in texts(drawn)
    assert "<script" not in drawn
    assert "\u202e" not in drawn


def test_the_matrix_has_the_counts_and_says_of_what() -> None:
    report = REPORTS["exclusive"]
    [labels, matrix] = report["confusion"].values()
    drawn = figures.confusion(report)

    for true, row in zip(labels, matrix, strict=True):
        for taken, count in zip(labels, row, strict=True):
            if count:
                assert f"{true}, predicted as {taken}: {count} of {sum(row)}" in hints(drawn)
                assert str(count) in texts(drawn)
    assert {text for text in texts(drawn) if text in labels} == set(labels)


def test_of_many_labels_the_top_confusions_are_listed() -> None:
    report = REPORTS["many labels"]
    drawn = texts(figures.confusion(report))

    first = report["confusion"]["top"][0]
    support = report["per_label"][first["truth"]]["support"]
    assert drawn[2:6] == [first["truth"], "→", first["predicted"], f"{first['count']} of {support}"]
    assert drawn.count("→") == 50 < len(report["confusion"]["top"])


def test_of_labels_that_are_not_exclusive_the_worst_stand_first() -> None:
    report = REPORTS["many labels, multilabel"]
    drawn = texts(figures.confusion(report))

    worst = sorted(report["per_label"], key=lambda label: (report["per_label"][label]["f1"], label))[:50]
    assert [text for text in drawn if text in report["per_label"]] == worst
    assert drawn[1].startswith("The 50 worst of 60 labels")


def test_the_reliability_names_both_errors() -> None:
    report = REPORTS["exclusive"]
    drawn = texts(figures.reliability(report))

    assert [text for text in drawn if text.startswith("ECE ")] == [
        f"ECE {report['calibration'][name]['ece']:.4f}" for name in ("before", "after")
    ]


def test_each_epoch_has_its_dots() -> None:
    assert [hint for hint in hints(figures.learning(REPORTS["exclusive"])) if hint.startswith("epoch")] == [
        f"epoch {each['epoch']}: {name} {each[name]:g}" for name in ("loss", "score") for each in EPOCHS["epochs"]
    ]
    assert "This training has no recorded losses." in texts(figures.learning(REPORTS["no epochs"]))


def test_an_epoch_without_a_loss_or_a_score_is_left_out_of_its_curve() -> None:
    epochs = [{"epoch": 1, "loss": 0.5, "score": None}, {"epoch": 2, "loss": None, "score": None}]
    assert [hint for hint in hints(figures.learning({"epochs": epochs})) if "epoch" in hint] == ["epoch 1: loss 0.5"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("short", "short"),
        ("balance_not_updated_after_cheque", "balance_n…er_cheque"),
        ("カードの残高が更新されません今日も", "カードの残…せん今日も"),
    ],
)
def test_a_long_name_keeps_its_ends(name: str, shown: str) -> None:
    cut = svg.cut(name, 140, 12)

    assert svg.length(cut, 12) <= 140
    assert cut == shown


def test_the_learning_curve_has_a_dot_for_each_point_and_says_what_it_shows() -> None:
    drawn = figures.examples(CURVE)

    assert "80 learnt examples: accuracy 0.750, 95 % interval 0.700 to 0.800" in hints(drawn)
    assert {"40", "80", "320", "More examples will probably help"} <= set(texts(drawn))
    assert "This training has no learning curve" in figures.examples({"learning_curve": None})
    assert "This training has no learning curve" in figures.examples({})
