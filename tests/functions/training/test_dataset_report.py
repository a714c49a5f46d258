"""The report on a data set: GET …/report of a version, and POST /models as a dry run."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock
from urllib.parse import urljoin

import pytest
from botocore.exceptions import ClientError

from tests.conftest import CLIENT_BUCKET
from tests.support.feedback import add
from tests.support.invoked import Invoked
from winnow.aws import clients
from winnow.domain.dataset import DatasetReference
from winnow.domain.job import Hyperparameters, TrainingRequest
from winnow.training import dry_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Json, Ready, Winnow
    from tests.support.clock import Clock

GOOD = [{"text": f"{place} number {number}", "label": place} for place in ("town", "country") for number in range(10)]


def lines(records: Sequence[Any]) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def dry(winnow: Winnow, records: Sequence[Any], **fields: Any) -> Json:
    """The report of a dry run."""
    winnow.put_dataset(lines(records))
    answer = winnow.create("create_model_dry_run", **fields)
    assert answer.status == 200
    report: Json = answer.body["report"]
    return report


def problem(report: Json, kind: str) -> Json:
    [found] = [found for found in report["problems"] if found["kind"] == kind]
    return dict(found)


@pytest.fixture
def invoked(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Invoked:
    invoked = Invoked("ReportDataset")
    monkeypatch.setattr(clients.lambda_(), "invoke", invoked.invoke)
    return invoked


# --- its content ---


def test_of_a_good_data_set_it_has_nothing_to_say(winnow: Winnow) -> None:
    report = dry(winnow, GOOD)

    body = lines(GOOD)
    assert report == {
        "format": "json-lines",
        "understood": {"text_column": "text", "label_column": "label", "encoding": "utf-8"},
        "bytes": len(body),
        "unpacked_bytes": len(body),
        "rows": 20,
        "trainable": True,
        "errors": 0,
        "warnings": 0,
        "examples": 20,
        "languages": [{"language": "en", "share": 1.0}],
        "language_texts": 20,
        "texts_in_windows": 0,
        "exclusive": True,
        "labels": [{"label": "country", "examples": 10, "texts": 10}, {"label": "town", "examples": 10, "texts": 10}],
        "problems": [],
        "test_set": None,
    }


def test_long_texts_are_counted(winnow: Winnow) -> None:
    rows = [{**row, "text": f"{row['text']} {'It rains in the hills. ' * (70 if number < 3 else 20)}"} for number, row in enumerate(GOOD)]
    assert dry(winnow, rows)["texts_in_windows"] == 3


def test_each_kind_of_problem_is_counted_and_has_its_rows(winnow: Winnow) -> None:
    report = dry(
        winnow,
        [
            *GOOD,
            {"text": " TOWN  number 3", "label": "town"},
            {"text": "town number 4", "label": "country"},
            {"text": "town number 4", "label": "country"},
            {"text": "", "label": "town"},
            {"text": "x" * 20_001, "label": "town"},
            {"text": "y", "label": ""},
            {"text": "z", "label": 1.5},
            "not an object",
            *({"text": f"a boat {number}", "label": "Town "} for number in range(2)),
            {"text": "one", "label": "sea"},
        ],
    )

    assert (report["rows"], report["examples"], report["trainable"]) == (31, 25, False)
    assert (report["errors"], report["warnings"]) == (4, 7)
    assert [(found["kind"], found["refuses"], found["count"]) for found in report["problems"]] == [
        ("unreadable-row", True, 1),
        ("empty-text", True, 1),
        ("long-text", True, 1),
        ("bad-label", True, 1),
        ("unlabelled-row", False, 1),
        ("duplicate", False, 2),
        ("conflict", False, 1),
        ("similar-labels", False, 1),
        ("dropped-label", False, 1),
        ("scarce-label", False, 1),
    ]
    assert problem(report, "duplicate")["rows"] == [{"row": 21, "first_row": 4}, {"row": 23, "first_row": 5}]
    assert problem(report, "conflict")["rows"] == [{"row": 22, "first_row": 5}]
    assert problem(report, "similar-labels")["rows"] == [{"labels": ["Town", "town"]}]
    assert problem(report, "dropped-label")["rows"] == [{"labels": ["sea"]}]
    assert problem(report, "scarce-label")["rows"] == [{"labels": ["Town"]}]
    [row] = problem(report, "empty-text")["rows"]
    assert row["row"] == 24
    assert row["problem"].startswith("Line 24 of the data set has an empty text")
    labels = {each["label"]: (each["examples"], each["texts"]) for each in report["labels"]}
    assert labels == {"Town": (2, 2), "country": (12, 11), "town": (11, 10)}


def test_of_many_the_first_twenty_are_shown_and_all_are_counted(winnow: Winnow) -> None:
    found = problem(dry(winnow, GOOD + GOOD + GOOD), "duplicate")

    assert found["count"] == 40
    assert [row["row"] for row in found["rows"]] == list(range(21, 41))


def test_no_text_is_in_it(winnow: Winnow) -> None:
    secret = "confidential"
    records = [
        *GOOD,
        *({"text": secret, "label": label} for label in ("town", "town", "country")),
        {"text": secret},
        {"text": secret * 9999},
    ]

    assert secret not in json.dumps(dry(winnow, records))


@pytest.mark.parametrize("exclusive", [True, None])
def test_what_the_request_says_of_the_labels_is_held_against_them(winnow: Winnow, exclusive: bool | None) -> None:
    report = dry(winnow, [*GOOD, {"text": "both", "labels": ["town", "country"]}], exclusive=exclusive)

    assert report["trainable"] is not exclusive
    if exclusive:
        assert problem(report, "not-exclusive")["rows"][0]["row"] == 21


# --- a dry run ---


@pytest.mark.parametrize(
    ("code", "message", "by_key"),
    [
        ("AccessDenied", "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:k", True),
        ("AccessDenied", "The ciphertext refers to a customer master key that does not exist", True),
        ("KMS.DisabledException", "arn:aws:kms:k is disabled.", True),
        ("AccessDenied", "Access Denied", False),
        ("AccessDenied", "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: s3:GetObject", False),
    ],
)
def test_a_file_whose_kms_key_may_not_be_used_gets_a_sentence_that_names_the_parameter(
    winnow: Winnow, monkeypatch: pytest.MonkeyPatch, code: str, message: str, by_key: bool
) -> None:
    refused = ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")
    monkeypatch.setattr(clients.s3(), "get_object", Mock(side_effect=refused))
    answer = winnow.create("create_model_dry_run")
    assert answer.status == 422
    assert ("BucketKeys" in answer.body["detail"]) == by_key
    assert ("DatasetBuckets" in answer.body["detail"]) == (not by_key)
    assert "arn:" not in answer.body["detail"]


def test_a_dry_run_starts_and_registers_nothing_and_needs_no_free_id(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train()
    before = winnow.table.scan()["Items"], winnow.objects(), len(winnow.executions())

    assert winnow.create("create_model_dry_run").status == 200

    assert (winnow.table.scan()["Items"], winnow.objects(), len(winnow.executions())) == before


@pytest.mark.parametrize("fields", [{"training_object": "missing.json"}, {"s3bucket": "no-such-bucket"}, {"test_object": "missing.json"}])
def test_of_a_data_set_that_is_not_there_it_says_so(winnow: Winnow, fields: Json) -> None:
    winnow.put_dataset()

    answer = winnow.create("create_model_dry_run", **fields)

    assert (answer.status, answer.body["type"]) == (422, "urn:winnow:problem:dataset")
    assert "can't be read" in answer.body["detail"]


def test_a_bucket_that_is_not_allowed_and_an_object_that_is_not_there_are_told_in_the_same_words(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.s3.create_bucket(Bucket="of-others")
    winnow.s3.put_object(Bucket="of-others", Key="trainingSet.json", Body=b"[]")

    absent = winnow.create("create_model_dry_run", training_object="missing.json")
    forbidden = winnow.create("create_model_dry_run", s3bucket="of-others", training_object="missing.json")
    there = winnow.create("create_model_dry_run", s3bucket="of-others")

    assert forbidden.status == there.status == absent.status == 422
    assert forbidden.body["detail"].replace("of-others", CLIENT_BUCKET) == absent.body["detail"]
    assert there.body["detail"].replace("of-others/trainingSet", f"{CLIENT_BUCKET}/missing") == absent.body["detail"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_above_what_is_read_at_once_the_report_is_made_elsewhere(
    winnow: Winnow, invoked: Invoked, monkeypatch: pytest.MonkeyPatch, pack: Any
) -> None:
    monkeypatch.setattr(dry_run, "MOST_BYTES_AT_ONCE", len(lines(GOOD)) - 1)
    winnow.put_dataset(pack(lines(GOOD)))

    answer = winnow.create("create_model_dry_run")

    report_id = answer.body["report_id"]
    assert (answer.status, answer.body["status"]) == (202, "running")
    assert urljoin("https://example.com/v1/models", answer.headers["Location"]) == f"https://example.com/v1/reports/{report_id}"
    running = winnow.call("get_dry_run", path={"report_id": report_id})
    assert (running.status, running.body) == (
        200,
        {"report_id": report_id, "status": "running", "report": None, "estimates": None, "error": None},
    )
    winnow.invoke("functions/upkeep/report_dataset", invoked.events[0])
    ready = winnow.call("get_dry_run", path={"report_id": report_id})
    assert (ready.body["status"], ready.body["error"]) == ("ready", None)
    assert (ready.body["report"]["examples"], ready.body["report"]["trainable"]) == (20, True)
    assert winnow.call("list_models").body["models"] == []


def test_a_report_without_time_is_made_elsewhere(winnow: Winnow) -> None:
    winnow.put_dataset()
    request = TrainingRequest("tc-01", DatasetReference("albert-textcats", "trainingSet.json"), Hyperparameters(), "linear")

    with winnow.settings("functions/api/create_model"):
        assert dry_run.report_at_once(request, seconds=0) is None
        assert dry_run.report_at_once(request, seconds=20) is not None


def test_a_data_set_that_is_gone_when_its_turn_comes_fails_the_report(
    winnow: Winnow, invoked: Invoked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "MOST_BYTES_AT_ONCE", 10)
    winnow.put_dataset()
    report_id = winnow.create("create_model_dry_run").body["report_id"]
    winnow.s3.delete_object(Bucket="albert-textcats", Key="trainingSet.json")

    winnow.invoke("functions/upkeep/report_dataset", invoked.events[0])

    answer = winnow.call("get_dry_run", path={"report_id": report_id}).body
    assert (answer["status"], answer["report"]) == ("failed", None)
    assert "can't be read" in answer["error"]


def test_a_report_that_is_never_finished_fails(winnow: Winnow, invoked: Invoked, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MOST_BYTES_AT_ONCE", 10)
    winnow.put_dataset()
    report_id = winnow.create("create_model_dry_run").body["report_id"]

    clock.advance(minutes=51)

    answer = winnow.call("get_dry_run", path={"report_id": report_id}).body
    assert answer["status"] == "failed"
    assert "never finished" in answer["error"]


@pytest.mark.parametrize(("report_id", "status"), [("0" * 32, 404), ("x", 422)])
def test_a_report_that_is_not_there(winnow: Winnow, report_id: str, status: int) -> None:
    assert winnow.call("get_dry_run", path={"report_id": report_id}).status == status


# --- of a version ---


def test_a_training_keeps_the_report_that_a_dry_run_gives(winnow: Winnow) -> None:
    records = [*GOOD, GOOD[0], {"text": "Town NUMBER 2", "label": "country"}]
    expected = dry(winnow, records)

    version = winnow.train()

    answer = winnow.call("get_report")
    assert (answer.status, answer.body) == (200, {"model_id": "tc-01", "version": 1, "report": expected})
    assert (version["status"], version["dataset"]["warnings"]) == ("ready", 2)


def test_a_version_that_failed_for_its_data_has_one_and_names_it(winnow: Winnow) -> None:
    winnow.put_dataset(lines([*GOOD, {"text": "", "label": "town"}, {"text": " ", "label": "town"}, {"text": "a", "label": 1.5}]))

    version = winnow.train()

    assert version["status"] == "failed"
    assert version["error"].startswith("2 rows, first: Line 21 of the data set has an empty text")
    assert version["error"].endswith("1 other problem: GET /models/tc-01/versions/1/report lists them.")
    assert winnow.call("get_report").body["report"]["errors"] == 3


def test_before_the_data_set_was_read_there_is_none(winnow: Winnow) -> None:
    winnow.create()

    answer = winnow.call("get_report")

    assert answer.status == 409
    assert "hasn't read its data set yet" in answer.body["detail"]


def test_where_the_data_set_is_not_there_there_is_none(winnow: Winnow) -> None:
    winnow.train()

    answer = winnow.call("get_report")

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:report-not-found")


def test_a_version_from_feedback_names_the_one_that_it_builds_on(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, retrain="now")

    answer = winnow.call("get_report", path={"model_id": "tc-01", "version": "2"})

    assert answer.status == 404
    assert "GET /models/tc-01/versions/1/report" in answer.body["detail"]


@pytest.mark.parametrize(
    ("path", "kind"), [({"model_id": "tc-02", "version": "1"}, "model"), ({"model_id": "tc-01", "version": "2"}, "version")]
)
def test_of_what_is_not_there_there_is_none(winnow: Winnow, path: Json, kind: str) -> None:
    winnow.create()

    assert winnow.call("get_report", path=path).body["type"] == f"urn:winnow:problem:{kind}-not-found"
