"""test_object: the client's own test set. And n_texts: a sample of the data set."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Json, Winnow

TRAIN = [{"text": f"{place} number {number}", "label": place} for place in ("town", "country") for number in range(10)]
TEST = [{"text": f"another {place} {number}", "label": place} for place in ("town", "country") for number in range(3)]
TEST_KEY = "testSet.csv"


def put_test_set(winnow: Winnow, records: Sequence[Json] = TEST) -> bytes:
    body = "\n".join(["text,label", *(f"{each['text']},{each['label']}" for each in records)]).encode()
    winnow.s3.put_object(Bucket="albert-textcats", Key=TEST_KEY, Body=body)
    return body


def frozen(winnow: Winnow, part: str) -> list[tuple[Any, ...]]:
    [body] = [body for key, body in winnow.objects().items() if key.endswith(f"examples/{part}.jsonl.gz")]
    return [(record["text"], *record["labels"]) for record in map(json.loads, gzip.decompress(body).splitlines())]


def labelled(records: Sequence[Json]) -> set[tuple[str, str]]:
    return {(each["text"], each["label"]) for each in records}


def test_all_of_the_data_set_is_trained_on_and_the_test_set_measures(winnow: Winnow) -> None:
    winnow.put_dataset(TRAIN)
    body = put_test_set(winnow)

    version = winnow.train(test_object=TEST_KEY)

    assert version["status"] == "ready"
    assert set(frozen(winnow, "train")) == labelled(TRAIN)
    assert frozen(winnow, "test") == [(each["text"], each["label"]) for each in TEST]
    assert version["evaluation"]["examples"] == 6
    dataset = version["dataset"]
    assert (dataset["train_examples"], dataset["test_examples"], dataset["examples"]) == (20, 6, 26)
    there = winnow.s3.head_object(Bucket="albert-textcats", Key=TEST_KEY)
    assert dataset["test_object"] == TEST_KEY
    assert dataset["test_set"] == {"sha256": hashlib.sha256(body).hexdigest(), "etag": there["ETag"].strip('"'), "version_id": None}


def test_a_text_of_the_test_set_is_not_trained_on_whatever_its_case_and_label(winnow: Winnow) -> None:
    both = [{"text": "Another TOWN  1", "label": "town"}, {"text": "another country 2", "label": "town"}]
    winnow.put_dataset(TRAIN + both)
    put_test_set(winnow)

    version = winnow.train(test_object=TEST_KEY)

    assert (version["status"], version["dataset"]["train_examples"], version["dataset"]["warnings"]) == ("ready", 20, 2)
    assert set(frozen(winnow, "train")) == labelled(TRAIN)
    [found] = winnow.call("get_report").body["report"]["problems"]
    assert (found["kind"], found["refuses"], found["rows"]) == ("in-test-set", False, [{"row": 21}, {"row": 22}])


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([*TEST, {"text": "a boat", "label": "sea"}], "Only the test set has examples of 'sea':"),
        ([*TEST, {"text": " ", "label": "town"}], "Line 8 of the test set has an empty text"),
        ([], "The test set has no label at all: it cannot measure a model."),
        (TRAIN, "The data set has no label at all"),
        (TRAIN[1:10], "Fewer than two distinct texts for 'town'"),
    ],
)
def test_what_it_can_t_measure_is_refused(winnow: Winnow, records: Sequence[Json], said: str) -> None:
    winnow.put_dataset(TRAIN)
    put_test_set(winnow, records)

    version = winnow.train(test_object=TEST_KEY)

    assert version["status"] == "failed"
    assert version["error"].startswith(said)
    report = winnow.call("get_report").body["report"]
    assert not (report["trainable"] and report["test_set"]["trainable"])


def test_a_test_set_may_have_few_texts_and_labels(winnow: Winnow) -> None:
    winnow.put_dataset(TRAIN)
    put_test_set(winnow, TEST[:1])

    assert winnow.train(test_object=TEST_KEY)["status"] == "ready"


def test_one_that_is_not_there_is_named(winnow: Winnow) -> None:
    winnow.put_dataset(TRAIN)

    version = winnow.train(test_object=TEST_KEY)

    assert version["status"] == "failed"
    assert f"s3://albert-textcats/{TEST_KEY} can't be read" in version["error"]


def test_a_dry_run_reports_on_both(winnow: Winnow) -> None:
    winnow.put_dataset([*TRAIN, TEST[0]])
    put_test_set(winnow, [*TEST, TEST[1]])

    report = winnow.create("create_model_dry_run", test_object=TEST_KEY).body["report"]

    assert (report["format"], report["examples"], [found["kind"] for found in report["problems"]]) == ("json-array", 20, ["in-test-set"])
    on_test = report["test_set"]
    assert (on_test["format"], on_test["examples"], [found["kind"] for found in on_test["problems"]]) == ("csv", 7, ["duplicate"])


def test_a_test_set_with_several_labels_makes_a_multilabel_model(winnow: Winnow) -> None:
    winnow.put_dataset(TRAIN)
    body = "\n".join(json.dumps(each) for each in [*TEST, {"text": "both", "labels": ["town", "country"]}]).encode()
    winnow.s3.put_object(Bucket="albert-textcats", Key=TEST_KEY, Body=body)

    assert winnow.train(test_object=TEST_KEY)["dataset"]["exclusive"] is False


@pytest.mark.parametrize("fields", [{}, {"test_object": TEST_KEY}])
def test_n_texts_is_a_stratified_sample_and_the_version_says_of_what(winnow: Winnow, fields: Json) -> None:
    winnow.put_dataset(TRAIN * 2 + [{"text": f"sea {number}", "label": "sea"} for number in range(20)])
    put_test_set(winnow)

    dataset = winnow.train(n_texts=12, **fields)["dataset"]

    assert dataset["sampled_from"] == 60
    assert dataset["train_examples"] + (0 if fields else dataset["test_examples"]) == 12
    trained = [label for _, label in frozen(winnow, "train")]
    assert all(trained.count(label) >= 2 for label in ("town", "country", "sea"))


def test_of_all_nothing_is_said(winnow: Winnow) -> None:
    winnow.put_dataset(TRAIN)

    assert "sampled_from" not in winnow.train(n_texts=20)["dataset"]
