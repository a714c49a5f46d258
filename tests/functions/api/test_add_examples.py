"""POST /models/{model_id}/examples: what is kept, counted and answered. (Trainings on it: test_retraining.py.)"""

from __future__ import annotations

import gzip
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.feedback import add, labelled
from tests.support.races import before_write
from winnow.aws import clients
from winnow.training.feedback import MOST_NEW_LABELS

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow
    from tests.support.clock import Clock

KEY = "5a0f7ad1-5f0e-4c8e-9b0c-7d1f3f6d2b11"


def kept(winnow: Winnow) -> dict[str, list[Json]]:
    """The examples in the objects of feedback, by the id of their batch."""
    found = {key: body for key, body in winnow.objects().items() if "/feedback/" in key}
    return {
        key.rpartition("/")[2].removesuffix(".jsonl.gz"): [json.loads(line) for line in gzip.decompress(body).splitlines()]
        for key, body in found.items()
    }


def batches(winnow: Winnow) -> list[str]:
    return [row["sk"] for row in winnow.table.scan()["Items"] if row["pk"].startswith("FEEDBACK#")]


def test_a_batch_is_kept_counted_and_its_new_labels_are_named(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    known = json.loads(winnow.s3.get_object(Bucket="albert-textcats", Key="trainingSet.json")["Body"].read())[0]["label"]

    answer = add(winnow, [{"text": "freeze it", "label": "card"}, {"text": "x", "label": known}, {"text": "y", "labels": ["atm", "atm"]}])

    assert answer.status == 201
    batch = answer.body["batch"]
    told = {"examples": 3, "new_labels": ["atm", "card"], "waiting": 3, "retrain": "waiting", "version": None}
    assert answer.body == {"model_id": "tc-01", "batch": batch, **told}
    assert [(example["text"], example["labels"]) for example in kept(winnow)[batch]] == [
        ("freeze it", ["card"]),
        ("x", [known]),
        ("y", ["atm"]),
    ]
    assert winnow.model()["waiting_examples"] == 3
    assert add(winnow).body["waiting"] == 5
    assert sorted(kept(winnow)) == batches(winnow)
    assert len(winnow.executions()) <= 1


def test_what_could_not_be_kept_in_s3_is_not_counted(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")

    def fail(**_: Any) -> None:
        message = "S3 is down"
        raise RuntimeError(message)

    clients.s3().meta.events.register("before-call.s3.PutObject", fail, unique_id="down")
    try:
        assert add(winnow).status == 500
    finally:
        clients.s3().meta.events.unregister("before-call.s3.PutObject", unique_id="down")

    assert (batches(winnow), winnow.model()["waiting_examples"]) == ([], 0)


def test_new_feedback_changes_the_tag_that_is_shown_and_makes_no_promotion_stale(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    tag = winnow.call("get_model").headers["ETag"]

    add(winnow)

    assert winnow.call("get_model", headers={"If-None-Match": tag}).status == 200
    assert winnow.call("promote_version", body={"version": 1}, headers={"If-Match": tag}).status == 200


def test_more_new_labels_than_are_named(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    labels = [f"label {number:04}" for number in range(1000)]

    answer = add(winnow, [{"text": label, "label": label} for label in labels])

    assert (answer.status, answer.body["new_labels"]) == (201, labels[:MOST_NEW_LABELS])


def test_several_labels_or_none_where_they_are_not_exclusive(ready: Ready) -> None:
    winnow = ready("multilabel.jsonl")

    answer = add(winnow, [{"text": "a", "labels": ["card", "atm"]}, {"text": "b", "labels": []}])

    assert (answer.status, answer.body["new_labels"]) == (201, ["atm", "card"])


@pytest.mark.parametrize("labels", [[], ["card", "atm"]])
def test_where_labels_are_exclusive_each_example_has_one(ready: Ready, labels: list[str]) -> None:
    winnow = ready("exclusive.json")

    answer = add(winnow, [*labelled(3), {"text": "a", "labels": labels}, *labelled(1)])

    assert (answer.status, answer.body["field"]) == (422, "examples[3]")
    assert f"has {len(labels)} labels" in answer.body["detail"]
    assert (kept(winnow), winnow.model()["waiting_examples"]) == ({}, 0)


@pytest.mark.parametrize(
    ("examples", "field"),
    [
        ([], "examples"),
        ("a text", "examples"),
        ([{"text": "a", "label": "b"}] * 1001, "examples"),
        (["a"], "examples[0]"),
        ([{"label": "b"}], "examples[0]"),
        ([{"text": "a"}], "examples[0]"),
        ([{"text": "a", "label": "b", "labels": ["b"]}], "examples[0]"),
        ([{"text": "a", "label": "b", "row": 3}], "examples[0]"),
        ([{"text": "a", "label": "b"}, {"text": " \n", "label": "b"}], "examples[1].text"),
        ([{"text": "a" * 20_001, "label": "b"}], "examples[0].text"),
        ([{"text": 3, "label": "b"}], "examples[0].text"),
        ([{"text": "a", "label": ""}], "examples[0].label"),
        ([{"text": "a", "label": "b" * 201}], "examples[0].label"),
        ([{"text": "a", "label": None}], "examples[0].label"),
        ([{"text": "a", "labels": "b"}], "examples[0].labels"),
        ([{"text": "a", "labels": ["b", " "]}], "examples[0].labels[1]"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("examples") else "",
)
def test_examples_that_are_none(ready: Ready, examples: Any, field: str) -> None:
    winnow = ready("exclusive.json")

    answer = winnow.call("add_examples", body={"examples": examples})

    assert (answer.status, answer.body["field"]) == (422, field)
    assert f"{field} must be" in answer.body["detail"]
    assert not kept(winnow)


@pytest.mark.parametrize(
    ("fields", "field"), [({"retrain": "later"}, "retrain"), ({"retrain": True}, "retrain"), ({"label": "a"}, "label")]
)
def test_other_fields(ready: Ready, fields: Json, field: str) -> None:
    answer = add(ready("exclusive.json"), **fields)

    assert (answer.status, answer.body["field"]) == (422, field)


@pytest.mark.parametrize(
    ("example", "field"),
    [
        ({"text": "\u200b", "label": "b"}, "examples[1].text"),
        ({"text": "a", "label": "\u200b "}, "examples[1].label"),
        ({"text": "a", "labels": ["b", "\u00ad"]}, "examples[1].labels[1]"),
    ],
)
def test_what_nobody_sees_is_no_text_and_no_label(ready: Ready, example: Json, field: str) -> None:
    winnow = ready("multilabel.jsonl")

    answer = add(winnow, [*labelled(1), example])

    assert (answer.status, answer.body["field"]) == (422, field)
    assert answer.body["detail"].startswith(f"{field} has only characters that nobody sees")
    assert not kept(winnow)


def test_labels_that_look_the_same_are_the_same(ready: Ready) -> None:
    winnow = ready("multilabel.jsonl")

    answer = add(winnow, [{"text": "a", "labels": [" caf\u00e9", "cafe\u0301"]}, {"text": "b", "label": "card "}])

    assert answer.body["new_labels"] == ["caf\u00e9", "card"]
    assert [example["labels"] for example in kept(winnow)[answer.body["batch"]]] == [["caf\u00e9"], ["card"]]


def test_what_can_t_be_read_and_what_is_too_large(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    assert winnow.call("add_examples", body="{").status == 400
    assert add(winnow, [{"text": "a" * 1500, "label": "b"}] * 700).status == 413
    assert winnow.call("add_examples", path={"model_id": "-"}).status == 422
    assert not kept(winnow)


def test_there_must_be_a_model_and_a_version_to_add_to(winnow: Winnow) -> None:
    missing = add(winnow)
    winnow.put_dataset()
    winnow.create()
    first = add(winnow)
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "1"})
    failed = add(winnow)

    assert (missing.status, missing.body["type"]) == (404, "urn:winnow:problem:model-not-found")
    assert [(answer.status, answer.body["type"]) for answer in (first, failed)] == [(409, "urn:winnow:problem:model-not-ready")] * 2
    assert not kept(winnow)


def test_a_version_that_is_ready_is_enough_and_where_all_are_deleted_there_is_none(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(promote="never")

    assert add(winnow).status == 201
    winnow.call("delete_version", path={"model_id": "tc-01", "version": "1"})
    assert add(winnow).status == 409


# --- Idempotency-Key ---


def test_the_same_again_is_the_same_answer_and_one_batch(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    first = add(winnow, key=KEY)
    add(winnow, labelled(1, "atm"))

    again = add(winnow, key=KEY)

    assert (again.status, again.body) == (201, first.body)
    assert len(batches(winnow)) == 2
    assert winnow.model()["waiting_examples"] == 3


@pytest.mark.parametrize("deleted", ["Batch", "Model"])
def test_after_the_deletion_of_its_batch_the_same_says_that_it_is_gone(ready: Ready, deleted: str) -> None:
    winnow = ready("exclusive.json")
    batch = add(winnow, key=KEY).body["batch"]
    if deleted == "Batch":
        winnow.call("delete_examples", path={"model_id": "tc-01", "batch": batch})
    else:
        winnow.call("delete_model", path={"model_id": "tc-01"})

    answer = add(winnow, key=KEY)

    assert (answer.status, answer.body["type"]) == (410, "urn:winnow:problem:gone")
    assert answer.body["detail"].startswith(f"{deleted} '{batch if deleted == 'Batch' else 'tc-01'}'")


def test_the_same_again_trains_once_and_says_so_again(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    before = len(winnow.executions())
    first = add(winnow, key=KEY, retrain="now")
    assert (first.body["retrain"], first.body["version"]) == ("started", 2)
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})

    assert add(winnow, key=KEY, retrain="now").body == first.body
    assert len(winnow.executions()) == before + 1


def test_a_key_is_of_one_call_one_model_and_one_body(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, key=KEY)
    body = {"examples": labelled(2)}

    others = [
        add(winnow, labelled(3), key=KEY),
        add(winnow, key=KEY, retrain="no"),
        winnow.call("add_examples", body=body, path={"model_id": "tc-02"}, headers={"Idempotency-Key": KEY}),
        winnow.call("create_model", headers={"Idempotency-Key": KEY}),
    ]

    assert {(answer.status, answer.body["type"]) for answer in others} == {(422, "urn:winnow:problem:idempotency-key-reused")}
    assert len(batches(winnow)) == 1


def test_of_two_with_one_key_at_once_one_counts(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    with before_write(lambda: add(winnow, key=KEY, retrain="now")) as others:
        answer = add(winnow, key=KEY, retrain="now")

    assert answer.body == others[0].body
    assert (answer.body["retrain"], answer.body["version"]) == ("started", 2)
    assert len(batches(winnow)) == 1
    assert winnow.model()["latest_version"] == 2


def test_of_two_with_one_key_the_first_answer_is_the_one(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    # The first request has kept the examples, but not yet its answer. The second would say "underway".
    with before_write(lambda: add(winnow, key=KEY, retrain="now"), "dynamodb.UpdateItem") as others:
        answer = add(winnow, key=KEY, retrain="now")

    assert answer.body == others[0].body
    assert len(batches(winnow)) == 1


def test_a_request_that_died_after_its_write_is_finished_by_the_same_again(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    with monkeypatch.context() as dying:
        # No `except Exception` sees the end of the process.
        dying.setattr("winnow.training.feedback._try_to_retrain", lambda model: sys.exit())
        with pytest.raises(SystemExit):
            add(winnow, key=KEY, retrain="now")
    assert len(batches(winnow)) == 1

    answer = add(winnow, key=KEY, retrain="now")

    assert (answer.status, answer.body["retrain"], answer.body["waiting"]) == (201, "started", 0)
    assert len(batches(winnow)) == 1


# --- races ---


def test_a_model_that_is_deleted_meanwhile_takes_nothing(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    with before_write(lambda: winnow.call("delete_model", path={"model_id": "tc-01"}).status) as deleted:
        answer = add(winnow)

    assert (deleted, answer.status) == ([200], 404)
    assert batches(winnow) == []


def test_a_batch_that_a_training_overtook_is_behind_it_and_not_lost(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    # The batch gets its id and object before the other request, and its row after the other's training has taken all examples.
    with before_write(lambda: add(winnow, labelled(5), retrain="now")) as others:
        answer = add(winnow, labelled(2, "late"), retrain="no")

    assert others[0].body["retrain"] == "started"
    assert (answer.status, answer.body["waiting"], answer.body["retrain"]) == (201, 2, "waiting")
    assert answer.body["batch"] > others[0].body["batch"]
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 5
    assert winnow.model()["waiting_examples"] == 2


def test_ids_sort_by_time_whatever_the_clock_shows(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    ids = []
    for _ in range(4):
        ids.append(add(winnow).body["batch"])
        clock.advance(days=17, milliseconds=3)

    assert ids == sorted(ids) == batches(winnow)


@pytest.mark.parametrize("mark", ["feedback_taken", "feedback_taking"])
def test_feedback_after_a_clock_that_was_ahead_is_kept_at_once_and_trained_on(ready: Ready, clock: Clock, mark: str) -> None:
    winnow = ready("exclusive.json")
    clock.advance(days=400)
    ahead = add(winnow, labelled(3), retrain="now").body["batch"]
    if mark == "feedback_taken":
        winnow.run_workflow(winnow.started_job())
    clock.advance(days=-400)

    first, second = add(winnow, labelled(2, "late"), retrain="no"), add(winnow, labelled(2, "later"), retrain="no")

    assert (first.status, second.status, second.body["waiting"]) == (201, 201, 4)
    assert ahead < min(first.body["batch"], second.body["batch"])
    # No try left an object without a row.
    assert len([key for key in winnow.objects() if "/feedback/" in key]) == 3
    if mark == "feedback_taking":
        winnow.run_workflow(winnow.started_job())
    add(winnow, labelled(1, "last"), retrain="now")
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 5
    assert winnow.model()["waiting_examples"] == 0


def pending(winnow: Winnow, key: str | None = None) -> Any:
    return winnow.call("add_examples", body={"retrain": "now"}, headers={"Idempotency-Key": key} if key else {})


def test_what_is_pending_can_be_trained_on_without_more(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, [{"text": "freeze it", "label": "card"}, {"text": "block it", "label": "card"}])

    answer = pending(winnow, KEY)

    assert (answer.status, answer.body) == (202, {"model_id": "tc-01", "version": 2, "status": "queued"})
    assert winnow.model()["waiting_examples"] == 0
    assert winnow.started_job()["job"]["version"] == 2
    # The same request again is the same version, and another one has to wait.
    assert pending(winnow, KEY).body == answer.body
    assert (pending(winnow).status, pending(winnow).body["type"]) == (409, "urn:winnow:problem:training-underway")


def test_without_pending_examples_there_is_nothing_to_train_on(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    assert (pending(winnow).status, pending(winnow).body["type"]) == (409, "urn:winnow:problem:nothing-pending")
    assert winnow.call("add_examples", body={"retrain": "auto"}).status == 422
    assert winnow.call("add_examples", body={}).status == 422
    assert not winnow.executions()
