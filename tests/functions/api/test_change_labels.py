"""PATCH /models/{model_id}/labels: a version with labels renamed or merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_dataset
from tests.support.feedback import add, frozen, labelled, set_properties, told
from tests.support.races import before_write
from winnow.recipes.catalogue import COSTS

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow

EXCLUSIVE = load_dataset("exclusive.json")
LABELS = sorted({each["label"] for each in EXCLUSIVE})
FIRST, SECOND, THIRD = LABELS[:3]


def change(winnow: Winnow, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    return winnow.call("change_labels", body=body, headers=headers)


def changed(winnow: Winnow, **body: Any) -> Json:
    """The version that the change makes. Few texts are a weak comparison, so it may be worse and still go live."""
    set_properties(winnow, tolerance=1)
    answer = change(winnow, **body)
    assert answer.status == 202, answer.body
    winnow.run_workflow(winnow.started_job())
    version: Json = winnow.version()
    assert (version["version"], version["status"]) == (answer.body["version"], "ready"), version["error"]
    return version


def learnt(winnow: Winnow, version: int) -> dict[str, list[str]]:
    return {each["text"]: each["labels"] for part in ("train", "test") for each in frozen(winnow, version, part)}


def with_names(**names: str) -> dict[str, list[str]]:
    return {each["text"]: [names.get(str(each["label"]), str(each["label"]))] for each in EXCLUSIVE}


def test_a_renamed_label_is_learnt_under_its_new_name_and_goes_live(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    before = winnow.version()["evaluation"]

    version = changed(winnow, rename={FIRST: "a new name", SECOND: "and another"})

    assert learnt(winnow, 2) == with_names(**{FIRST: "a new name", SECOND: "and another"})
    assert version["dataset"]["label_changes"] == {FIRST: "a new name", SECOND: "and another"}
    assert (version["dataset"]["labels"], version["dataset"]["feedback_examples"], version["source"]) == (len(LABELS), 0, "feedback")
    # The gate has compared all examples, by their new names.
    assert "whose labels have changed" not in version["gate"]["reason"]
    assert version["gate"]["live_macro_f1"] == before["macro_f1"]
    assert (version["live"], version["gate"]["passed"], version["gate"]["examples"]) == (True, True, len(EXCLUSIVE))
    assert told(winnow) == (2, 0, 2)
    answer = winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", "text": EXCLUSIVE[0]["text"], "n_top": 10})
    assert {each["label"] for each in answer.body["labels"]} == {"a new name", "and another", *LABELS[2:]}


def test_the_gate_asks_the_live_version_by_the_new_names(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", dict.fromkeys(COSTS, 10))
    winnow.put_dataset()
    before = winnow.train(n_iter=8)
    assert before["dataset"]["test_examples"]

    gate = changed(winnow, rename={label: f"{label} again" for label in LABELS})["gate"]

    assert gate["examples"] >= before["dataset"]["test_examples"]
    assert gate["live_macro_f1"] > 0


def test_merged_labels_become_one_which_may_be_one_of_them_or_a_new_one(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    version = changed(winnow, merge={FIRST: [SECOND]})
    assert learnt(winnow, 2) == with_names(**{SECOND: FIRST})
    assert version["live"]
    if len(LABELS) > 3:
        changed(winnow, merge={"both": [FIRST, THIRD]})
        assert learnt(winnow, 3) == with_names(**{FIRST: "both", SECOND: "both", THIRD: "both"})


def test_two_labels_of_a_text_that_become_one_are_one(ready: Ready) -> None:
    winnow = ready("multilabel.jsonl")
    several = load_dataset("multilabel.jsonl")
    one, two = next(each["labels"] for each in several if len(each["labels"]) > 1)[:2]

    changed(winnow, merge={one: [two]})

    assert learnt(winnow, 2) == {
        each["text"]: list(dict.fromkeys(one if label == two else label for label in each["labels"])) for each in several
    }


def test_pending_feedback_is_taken_with_the_new_names(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, labelled(3, FIRST), retrain="no")

    version = changed(winnow, rename={FIRST: "a new name"})

    assert version["dataset"]["feedback_examples"] == 3
    assert learnt(winnow, 2)[labelled(1, FIRST)[0]["text"]] == ["a new name"]
    assert told(winnow) == (2, 0, 2)
    # Feedback goes on from there, and an old name is a new label.
    add(winnow, labelled(2, FIRST, "more "), retrain="now")
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["labels"] == len(LABELS) + 1


def test_a_failed_change_leaves_feedback_pending(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, labelled(3, FIRST), retrain="no")
    change(winnow, rename={FIRST: "a new name"})
    assert told(winnow) == (2, 0, 1)

    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})

    assert told(winnow) == (2, 3, 1)


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"rename": {"unheard-of": "x"}}, "rename", "which version 1 doesn't know: leave it out"),
        ({"merge": {"x": [FIRST, "unheard-of"]}}, "merge", "which version 1 doesn't know: leave it out"),
        ({"merge": {"": [FIRST]}}, "merge", "has a label of only characters that nobody sees: give"),
        ({"merge": {"\u200b": [FIRST]}}, "merge", "has a label of only characters that nobody sees: give"),
        ({"merge": {"x" * 201: [FIRST]}}, "merge", "has a label of more than 200 characters: give"),
        ({"rename": {FIRST: FIRST}}, "rename", "leave it out"),
        ({"merge": {FIRST: [FIRST, SECOND]}}, "merge", "leave it out"),
        ({"rename": {FIRST: SECOND}}, "rename", "use merge"),
        ({"rename": {FIRST: "x", SECOND: "x"}}, "rename", "use merge"),
        ({"rename": {FIRST: SECOND, SECOND: "x"}}, "rename", "itself becomes 'x': change"),
        ({"rename": {FIRST: SECOND, SECOND: FIRST}}, "rename", "two labels can't swap their names at once, so use a third"),
        ({"rename": {FIRST: "x"}, "merge": {FIRST: [SECOND]}}, "merge", "itself becomes"),
        ({"merge": {FIRST: [SECOND], THIRD: [FIRST]}}, "merge", "itself becomes"),
        ({"merge": {"x": [FIRST], "y": [FIRST]}}, "merge", "two labels"),
        ({"merge": {"x": LABELS}}, "merge", "A single label would be left"),
        ({}, None, "Send rename, merge or both"),
        ({"rename": {}}, "rename", "an object of at most 100 labels"),
        ({"rename": {FIRST: " "}}, "rename", "an object of at most 100 labels"),
        ({"rename": {FIRST: ["x"]}}, "rename", "an object of at most 100 labels"),
        ({"merge": {"x": []}}, "merge", "an object of at most 100 labels"),
        ({"merge": {"x": [1]}}, "merge", "an object of at most 100 labels"),
        ({"split": {}}, "split", "Unknown fields"),
    ],
)
def test_what_can_t_be_changed_is_refused(ready: Ready, body: Json, field: str | None, says: str) -> None:
    winnow = ready("exclusive.json")

    answer = change(winnow, **body)

    assert (answer.status, answer.body.get("field")) == (422, field), answer.body
    assert says in answer.body["detail"]
    assert winnow.model()["latest_version"] == 1


def test_new_names_have_one_form(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    assert changed(winnow, rename={f" {FIRST}": " cafe\u0301 "})["dataset"]["label_changes"] == {FIRST: "café"}


def test_a_stale_if_match_changes_nothing(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    tag = winnow.call("get_model").headers["ETag"]
    winnow.call("change_model", body={"tolerance": 0.5})

    assert change(winnow, {"If-Match": tag}, rename={FIRST: "x"}).status == 412
    assert winnow.model()["latest_version"] == 1
    tag = winnow.call("get_model").headers["ETag"]
    assert change(winnow, {"If-Match": tag}, rename={FIRST: "x"}).status == 202


def test_a_repeated_key_makes_one_version(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    first = change(winnow, {"Idempotency-Key": "a"}, rename={FIRST: "x"})

    assert change(winnow, {"Idempotency-Key": "a"}, rename={FIRST: "x"}).body == first.body
    assert change(winnow, {"Idempotency-Key": "a"}, rename={FIRST: "y"}).status == 422
    assert winnow.model()["latest_version"] == 2


def test_only_one_version_trains_at_a_time(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    with before_write(lambda: change(winnow, rename={SECOND: "y"})) as others:
        answer = change(winnow, rename={FIRST: "x"})

    assert (others[0].status, answer.status, answer.body["type"]) == (202, 409, "urn:winnow:problem:training-underway")


def test_feedback_that_comes_meanwhile_is_in_the_version_or_pending(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    with before_write(lambda: add(winnow, labelled(2, FIRST), retrain="no")) as others:
        answer = change(winnow, rename={FIRST: "x"})

    assert (others[0].status, answer.status) == (201, 202)
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 2
    assert told(winnow) == (2, 0, 2)


def test_a_model_without_examples_has_no_labels_to_change(winnow: Winnow) -> None:
    assert change(winnow, rename={"a": "b"}).status == 404
    winnow.create()
    winnow.call("cancel_version")

    answer = change(winnow, rename={FIRST: "x"})

    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:model-not-ready")
