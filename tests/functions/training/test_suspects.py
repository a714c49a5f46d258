"""Suspects: a training finds the labels of its data set that look wrong."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from winnow.recipes.catalogue import COSTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Json, Winnow

WORDS = {
    "baking": ("dough", "oven", "flour", "yeast", "crumb", "muffin"),
    "cycling": ("bicycle", "saddle", "chain", "brake", "pedal", "tyre"),
    "gardening": ("tulip", "spade", "compost", "lawn", "hedge", "weed"),
    "sailing": ("anchor", "mast", "harbour", "jib", "keel", "rudder"),
}
MORE_WORDS = ("soup", "ladle", "onion", "salt", "stove", "stew", "herb", "bowl", "broth")


def rows(*labels: str) -> list[Json]:
    """Fifteen texts of each label. Row 1 is the first text of the first label, row 16 the first of the second."""
    return [row for label in labels for row in pairs(WORDS[label], label)]


def pairs(words: Sequence[str], label: str) -> list[Json]:
    """A text about every two of the words."""
    return [{"text": f"My {one} and my {other}", "label": label} for one, other in combinations(words, 2)]


def suspects(winnow: Winnow, examples: list[Json], **fields: Any) -> Json:
    winnow.put_dataset(examples)
    assert winnow.train(**{"n_iter": 8} | fields)["status"] == "ready"
    answer: Json = winnow.call("get_suspects").body
    return answer


def test_flipped_labels_are_found_first(winnow: Winnow) -> None:
    examples = rows(*WORDS)
    flipped = {3: "cycling", 20: "sailing", 34: "baking", 50: "gardening"}
    right = {row: examples[row - 1]["label"] for row in flipped}
    for row, label in flipped.items():
        examples[row - 1]["label"] = label

    answer = suspects(winnow, examples)

    assert (answer["checked_by"], answer["checked"]) == ("cross-validation", 60)
    first = answer["suspects"][:4]
    assert {each["row"]: (each["kind"], each["label"], each["proposed"]) for each in first} == {
        row: ("wrong", label, right[row]) for row, label in flipped.items()
    }
    assert all(each["label_score"] < 0.5 < each["proposed_score"] for each in first)
    assert answer["found"] == len(answer["suspects"])


def test_without_wrong_labels_there_are_no_suspects(winnow: Winnow) -> None:
    answer = suspects(winnow, rows(*WORDS))

    assert (answer["checked"], answer["found"], answer["suspects"]) == (60, 0, [])


def test_a_label_that_is_always_called_another_is_one_finding(winnow: Winnow) -> None:
    examples = rows(*WORDS) + pairs(MORE_WORDS, "cooking")
    # Some texts on cooking have another name for the same thing.
    renamed = range(61, 97, 6)
    for row in renamed:
        examples[row - 1]["label"] = "kitchen"
    examples[34 - 1]["label"] = "sailing"

    group, *others = suspects(winnow, examples, keep_texts=True)["suspects"]

    shown = group.pop("examples")
    assert group == {"kind": "label", "label": "kitchen", "proposed": "cooking", "count": 6, "of": 6}
    assert len(shown) == 5
    assert {each["row"] for each in shown} < set(renamed)
    assert all(each["text"] == examples[each["row"] - 1]["text"] for each in shown)
    assert others[0]["row"] == 34
    assert "kitchen" not in {each["label"] for each in others}


def test_missing_and_superfluous_labels_are_told_apart(winnow: Winnow) -> None:
    examples = rows(*WORDS)
    several = [{"text": each["text"], "labels": [each["label"]]} for each in examples]
    several += [
        {"text": f"{one['text']}. {other['text']}", "labels": [one["label"], other["label"]]}
        for one, other in zip(examples[:15], examples[15:30], strict=True)
    ]
    several[66 - 1]["labels"].remove("cycling")
    several[40 - 1]["labels"].append("sailing")

    answer = suspects(winnow, several)

    first = {each["row"]: (each["kind"], each["label"], each["proposed"]) for each in answer["suspects"][:2]}
    assert first == {66: ("missing", None, "cycling"), 40: ("superfluous", "sailing", None)}
    scores = {each["row"]: (each["label_score"], each["proposed_score"]) for each in answer["suspects"][:2]}
    assert scores[66][0] is scores[40][1] is None
    assert scores[40][0] < 0.5 < scores[66][1]


@pytest.mark.parametrize("keep_texts", [True, False])
def test_texts_are_quoted_only_if_they_may_be_kept(winnow: Winnow, keep_texts: bool) -> None:
    examples = rows("baking", "cycling")
    examples[2] = {"text": 10 * f"{examples[2]['text']}. ", "label": "cycling"}

    [found] = suspects(winnow, examples, keep_texts=keep_texts)["suspects"]

    assert found["row"] == 3
    assert found.get("text") == (examples[2]["text"][:200] if keep_texts else None)
    written = next(body for key, body in winnow.objects().items() if key.endswith("/suspects.json"))
    assert (b"My dough" in written) == keep_texts


def test_of_many_examples_the_held_out_ones_are_checked(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", dict.fromkeys(COSTS, 35))

    answer = suspects(winnow, rows(*WORDS))

    assert (answer["checked_by"], answer["checked"]) == ("held-out", winnow.version()["dataset"]["test_examples"])


def test_the_training_examples_are_checked_also_if_a_test_set_measures_the_version(winnow: Winnow) -> None:
    winnow.s3.put_object(Bucket="albert-textcats", Key="testSet.json", Body=b'[{"text": "a saddle", "label": "cycling"}]')
    examples = rows("baking", "cycling")
    examples[2]["label"] = "cycling"

    answer = suspects(winnow, examples, test_object="testSet.json")

    assert (answer["checked_by"], answer["checked"]) == ("cross-validation", 30)
    assert [each["row"] for each in answer["suspects"]] == [3]
