"""GET /models/{model_id}/versions/{version}/tradeoff: the share of answered texts against the share of right answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.conftest import CLIENT_BUCKET, load_dataset
from tests.support import objects
from tests.support.policies import give_dial

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow


def test_it_agrees_with_the_evaluation(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    evaluation = winnow.call("get_evaluation").body

    answer = winnow.call("get_tradeoff")

    assert answer.status == 200
    tradeoff = answer.body
    assert (
        (tradeoff["measured_by"], tradeoff["examples"]) == (evaluation["measured_by"], evaluation["examples"]) == ("cross-validation", 36)
    )
    assert tradeoff["own"]["answered_share"] == evaluation["accepted_share"]
    assert [each["label"] for each in tradeoff["per_label"]] == sorted(evaluation["per_label"])
    assert {each["label"]: each["examples"] for each in tradeoff["per_label"]} == {
        label: measured["support"] for label, measured in evaluation["per_label"].items()
    }
    assert sum(each["own"]["answered"] for each in tradeoff["per_label"]) == tradeoff["own"]["answered"]
    assert sum(each["own"]["right"] for each in tradeoff["per_label"]) == tradeoff["own"]["right"]


def test_all_answers_together_are_as_right_as_the_evaluation_says(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    evaluation, curve = winnow.call("get_evaluation").body, winnow.call("get_tradeoff").body["curve"]
    # Strange texts are never answered, so the last point may have fewer.
    assert curve[-1]["right"] <= round(evaluation["accuracy"] * 36)
    assert curve[-1]["answered"] >= 0.9 * 36


def test_versions_with_several_labels_have_one_too(ready: Ready) -> None:
    winnow = ready("multilabel.jsonl")
    evaluation, tradeoff = winnow.call("get_evaluation").body, winnow.call("get_tradeoff").body
    assert tradeoff["examples"] == evaluation["examples"]
    assert tradeoff["own"]["answered_share"] == evaluation["accepted_share"]
    for each in tradeoff["per_label"]:
        measured = evaluation["per_label"][each["label"]]
        assert each["own"]["right_share"] is None or abs(each["own"]["right_share"] - measured["precision"]) < 1e-5
        assert abs(each["own"]["found_share"] - measured["recall"]) < 1e-5


def test_a_test_set_of_the_client_chooses_no_threshold(winnow: Winnow) -> None:
    records = load_dataset("exclusive.json")
    winnow.put_dataset([record for place, record in enumerate(records) if place % 3])
    winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key="test.json", Body=json.dumps(records[::3]).encode())
    assert winnow.train(n_iter=8, test_object="test.json")["evaluation"]["measured_by"] == "test-object"

    tradeoff = winnow.call("get_tradeoff").body
    assert (tradeoff["measured_by"], tradeoff["examples"]) == ("cross-validation", 24)


def test_a_version_of_an_earlier_release_has_none(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    objects.forget_digests(winnow)

    answer = winnow.call("get_tradeoff")

    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:no-tradeoff")
    assert "train it again" in answer.body["detail"]


def test_a_changed_dial_is_noticed(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    objects.replace(winnow, "/dial.npz", b"other")
    assert winnow.call("get_tradeoff").body["type"] == "urn:winnow:problem:artifact"


def test_a_very_long_list_of_labels_is_bounded(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    give_dial(winnow, 5_000, 0.9)
    tradeoff = winnow.call("get_tradeoff").body
    assert len(tradeoff["curve"]) == 20
    assert [len(each["curve"]) for each in tradeoff["per_label"]] == [10, 0, 0]


def test_what_is_not_there_is_not_found(winnow: Winnow) -> None:
    assert winnow.call("get_tradeoff").body["type"] == "urn:winnow:problem:model-not-found"
    winnow.create()
    assert winnow.call("get_tradeoff", path={"model_id": "tc-01", "version": "2"}).body["type"] == "urn:winnow:problem:version-not-found"
    assert winnow.call("get_tradeoff").body["type"] == "urn:winnow:problem:version-not-ready"
