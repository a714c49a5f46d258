"""GET and POST /prediction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_dataset
from winnow import aws, deployment
from winnow.errors import ModelNotFoundError
from winnow.predictor import SECONDS_A_POINTER_IS_TRUSTED, Predictor

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow

VACATION = {"model_id": "tc-01", "text": "I want to save for vacation!"}


@pytest.mark.parametrize(("event", "labels"), [("predict_get_body", 1), ("predict_get_query", 2), ("predict_post_text", 3)])
def test_a_text_gets_its_best_labels_first(ready: Ready, event: str, labels: int) -> None:
    answer = ready("exclusive.json").call("predict", event)

    assert answer.status == 200
    assert (answer.body["model_id"], answer.body["version"]) == ("tc-01", 1)
    scores = [label["score"] for label in answer.body["labels"]]
    assert len(scores) == labels
    assert scores == sorted(scores, reverse=True)


def test_every_way_to_ask_gives_the_same_answer(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    one = winnow.call("predict", "predict_post_text").body["labels"]

    assert winnow.call("predict", "predict_get_body").body["labels"] == one[:1]
    assert winnow.call("predict", "predict_get_query").body["labels"] == one[:2]
    assert winnow.call("predict", "predict_post_texts").body["predictions"][0]["labels"] == one[:2]


def test_texts_are_answered_in_their_order(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    texts = [record["text"] for record in load_dataset("exclusive.json")] * 3
    texts = texts[:100]

    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts})

    assert answer.status == 200
    assert [prediction["labels"] for prediction in answer.body["predictions"]] == [
        winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", "text": text}).body["labels"] for text in texts[:3]
    ] + [prediction["labels"] for prediction in answer.body["predictions"][3:]]
    assert len(answer.body["predictions"]) == 100


def test_exclusive_scores_add_up_to_one_and_only_the_first_is_accepted(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    right = 0
    for record in load_dataset("exclusive.json"):
        labels = winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", "text": record["text"]}).body["labels"]
        assert sum(label["score"] for label in labels) == pytest.approx(1, abs=1e-5)
        assert not any(label["accepted"] for label in labels[1:])
        right += labels[0]["label"] == record["label"]
    # Most of these it was trained on: what it learnt must have come through the artifact.
    assert right >= 24


def test_multilabel_scores_stand_for_themselves(ready: Ready) -> None:
    answer = ready("multilabel.jsonl").call("predict", "predict_post_text")

    labels = answer.body["labels"]
    assert {label["label"] for label in labels} == {"delivery", "price", "quality"}
    assert all(0 <= label["score"] <= 1 for label in labels)
    assert sum(label["score"] for label in labels) != pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("n_top", "labels"), [("1", 1), (2, 2), ("1000", 3)])
def test_n_top_is_a_number_or_a_string_and_may_be_more_than_there_are(ready: Ready, n_top: Any, labels: int) -> None:
    answer = ready("exclusive.json").call("predict", "predict_post_text", body=VACATION | {"n_top": n_top})

    assert len(answer.body["labels"]) == labels


def test_without_n_top_there_are_five(winnow: Winnow) -> None:
    colours = ("red", "green", "blue", "white", "black", "pink")
    winnow.put_dataset(
        [{"text": f"{thing} painted {colour}", "label": colour} for colour in colours for thing in ("door", "fence", "roof")]
    )
    winnow.train()

    assert len(winnow.call("predict", "predict_post_text").body["labels"]) == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n\t"}, "text"),
        ({"text": "a" * 20_001}, "text"),
        ({"text": 7}, "text"),
        ({"text": None, "texts": []}, "texts"),
        ({"text": None, "texts": ["a"] * 101}, "texts"),
        ({"text": None, "texts": ["a", ""]}, "texts[1]"),
        ({"text": None, "texts": "a"}, "texts"),
        ({"model_id": None}, "model_id"),
        ({"model_id": "../tc-01"}, "model_id"),
        ({"n_top": 0}, "n_top"),
        ({"n_top": "1001"}, "n_top"),
        ({"n_top": "one"}, "n_top"),
        ({"top_n": 1}, "top_n"),
    ],
)
def test_a_field_that_is_missing_unknown_or_wrong_is_named(ready: Ready, changes: Json, field: str) -> None:
    body = {name: value for name, value in (VACATION | changes).items() if value is not None}

    answer = ready("exclusive.json").call("predict", "predict_post_text", body=body)

    assert (answer.status, answer.body["field"]) == (422, field)
    assert field in answer.body["detail"]


@pytest.mark.parametrize("changes", [{"texts": ["a"]}, {"text": None}])
def test_text_and_texts_are_one_or_the_other(ready: Ready, changes: Json) -> None:
    body = {name: value for name, value in (VACATION | changes).items() if value is not None}

    answer = ready("exclusive.json").call("predict", "predict_post_text", body=body)

    assert answer.status == 422
    assert "either text" in answer.body["detail"]


def test_fields_in_the_body_and_in_the_query_are_refused(ready: Ready) -> None:
    answer = ready("exclusive.json").call("predict", "predict_get_body", query={"n_top": "2"})

    assert answer.status == 422
    assert "not both" in answer.body["detail"]


def test_an_answer_too_large_to_send_is_refused_with_advice(winnow: Winnow) -> None:
    labels = [f"{number:03d}{'x' * 190}" for number in range(300)]
    winnow.put_dataset([{"text": f"{thing} {number}", "label": label} for number, label in enumerate(labels) for thing in ("a", "b")])
    winnow.train()

    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": ["a"] * 100, "n_top": 1000})

    assert answer.status == 413
    assert "n_top" in answer.body["detail"]


def test_a_model_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    assert winnow.call("predict", "predict_get_body").status == 404


def test_a_model_without_a_live_version_says_why(winnow: Winnow) -> None:
    winnow.create()
    answer = winnow.call("predict", "predict_get_body")
    assert answer.status == 409
    assert "is training" in answer.body["detail"]

    winnow.call("cancel_version")
    winnow.environments.clear()
    answer = winnow.call("predict", "predict_get_body")
    assert answer.status == 409
    assert "force_update" in answer.body["detail"]


def test_a_deleted_model_is_refused_once_the_pointer_is_old(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    clock = [0.0]
    with winnow.settings("functions/api/predict"):
        predictor = Predictor(deployment.models(), deployment.storage(), clock=lambda: clock[0])
        predictor.predict("tc-01", ["What is this fee?"], 1)
    winnow.call("delete_model")

    clock[0] += SECONDS_A_POINTER_IS_TRUSTED + 0.01
    with pytest.raises(ModelNotFoundError):
        predictor.predict("tc-01", ["What is this fee?"], 1)


def test_a_new_version_answers_once_the_pointer_is_old(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    clock = [0.0]
    with winnow.settings("functions/api/predict"):
        predictor = Predictor(deployment.models(), deployment.storage(), clock=lambda: clock[0])
    assert predictor.predict("tc-01", ["What is this fee?"], 1)[0] == 1
    winnow.train(force_update=True)

    clock[0] += SECONDS_A_POINTER_IS_TRUSTED + 0.01
    assert predictor.predict("tc-01", ["What is this fee?"], 1)[0] == 2


@pytest.mark.parametrize("name", ["classifier.json", "weights.bin", "manifest.json"])
@pytest.mark.parametrize("change", ["tampered with", "missing"])
def test_an_artifact_that_is_not_what_the_training_wrote_is_not_loaded(ready: Ready, name: str, change: str) -> None:
    winnow = ready("exclusive.json")
    stem, _, suffix = name.partition(".")
    [(key, body)] = [(key, body) for key, body in winnow.objects().items() if re.search(rf"artifact/{stem}(-[0-9a-f]+)?\.{suffix}$", key)]
    if change == "missing":
        winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)
    else:
        winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key, Body=body.replace(b"0.5", b"0.1") + b" ")

    answer = winnow.call("predict", "predict_get_body")

    assert answer.status == 500
    assert name in answer.body["detail"]
    assert "train it again" in answer.body["detail"]


def test_an_environment_loads_a_model_once(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.call("predict", "predict_get_body")
    reads: list[str] = []
    events = aws.s3().meta.events
    events.register("before-call.s3.GetObject", lambda params, **_: reads.append(params["url_path"]), unique_id="reads")
    winnow.call("predict", "predict_post_text")
    warm = len(reads)
    winnow.environments.clear()
    winnow.call("predict", "predict_post_text")
    winnow.call("predict", "predict_post_text")
    events.unregister("before-call.s3.GetObject", unique_id="reads")

    assert warm == 0
    assert len(reads) == len(set(reads)) == 3
