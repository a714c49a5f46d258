"""POST /models/{model_id}/examples with a file in S3: read by the rules of data sets, and kept as a whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLIENT_BUCKET
from tests.functions.api.test_add_examples import KEY, batches, kept
from winnow.training import feedback_examples

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow

FILE = {"s3bucket": CLIENT_BUCKET, "training_object": "more.csv"}
CSV = b"text,label\nfreeze it,card\nlock it,card\nwhere is one,atm\n"


def add_file(winnow: Winnow, body: bytes | None = CSV, *, key: str | None = None, **fields: Any) -> Answer:
    """Put the file where the request looks for it (without a body, leave what is there), and send the request."""
    if body is not None:
        winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key=FILE["training_object"], Body=body)
    return winnow.call("add_examples", body=FILE | fields, headers=None if key is None else {"Idempotency-Key": key})


def nothing_is_kept(winnow: Winnow) -> bool:
    return (kept(winnow), batches(winnow), winnow.model()["waiting_examples"]) == ({}, [], 0)


def test_the_examples_of_a_file_are_kept_as_one_batch(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    answer = add_file(winnow)

    assert answer.status == 201, answer.body
    file = answer.body.pop("file")
    assert (file["format"], file["rows"], file["problems"]) == ("csv", 3, [])
    told = {"examples": 3, "new_labels": ["atm", "card"], "waiting": 3, "retrain": "waiting", "version": None}
    assert answer.body == {"model_id": "tc-01", "batch": answer.body["batch"], **told}
    assert [(example["text"], example["labels"]) for example in kept(winnow)[answer.body["batch"]]] == [
        ("freeze it", ["card"]),
        ("lock it", ["card"]),
        ("where is one", ["atm"]),
    ]


def test_the_file_is_read_as_it_was_told(ready: Ready) -> None:
    body = "subject;body;topic;other\ncard;freeze it;card # lock;x\nhélp;where is one;atm;y\n".encode("windows-1252")
    said: Json = {
        "text_column": ["subject", "body"],
        "label_column": "topic",
        "label_separator": "#",
        "delimiter": ";",
        "encoding": "windows-1252",
    }

    answer = add_file(ready("multilabel.jsonl"), body, **said)

    assert answer.status == 201, answer.body
    assert answer.body["file"]["understood"] == said
    assert answer.body["new_labels"] == ["atm", "card", "lock"]


def test_rows_without_a_label_are_left_out_with_a_warning(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    answer = add_file(winnow, b"text,label\nfreeze it,card\nhello, \n")

    assert (answer.status, answer.body["examples"]) == (201, 1)
    assert [(each["kind"], each["count"]) for each in answer.body["file"]["problems"]] == [("unlabelled-row", 1)]
    assert [example["text"] for example in kept(winnow)[answer.body["batch"]]] == ["freeze it"]


def test_a_file_trains_too(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    answer = add_file(winnow, retrain="now")

    assert (answer.body["retrain"], answer.body["version"]) == ("started", 2)
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 3


def test_warnings_are_in_the_answer_and_skipped_rows_are_not_kept(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    rows = [("one", "accept"), ("one", "accept"), ("two", "reject"), ("three", "ignore")]

    answer = add_file(winnow, "\n".join(json.dumps({"text": text, "label": "card", "answer": how}) for text, how in rows).encode())

    assert (answer.status, answer.body["examples"]) == (201, 2)
    assert {each["kind"]: (each["count"], [row["row"] for row in each["rows"]]) for each in answer.body["file"]["problems"]} == {
        "skipped-row": (2, [3, 4]),
        "duplicate": (1, [2]),
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"text,label\nfreeze it,card\n,card\n", "Line 3 of the file has an empty text"),
        (b"text,label\nthe heater is broken, please come,heating\n", "Line 2 of the file has 3 columns"),
        (b'{"text": "a", "label": "b", "label": "c"}\n', "the key 'label' appears twice in one object"),
        (b'[{"text": NaN, "label": "b"}]', "NaN is not a JSON number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"text,label\n", "The file has no label at all"),
        (b"PK\x03\x04 cut", "a ZIP archive"),
        (b"", "The file is empty"),
    ],
    ids=["no text", "a comma", "a key twice", "NaN", "brackets", "only a header", "a ZIP archive that was cut", "nothing"],
)
def test_a_file_with_an_error_is_refused_as_a_whole(ready: Ready, body: bytes, said: str) -> None:
    winnow = ready("exclusive.json")

    answer = add_file(winnow, body)

    assert (answer.status, answer.body["type"]) == (422, "urn:winnow:problem:dataset")
    assert said in answer.body["detail"]
    assert nothing_is_kept(winnow)


def test_the_others_of_several_errors_are_counted_with_the_call_that_lists_them(ready: Ready) -> None:
    answer = add_file(ready("exclusive.json"), b"text,label\n,a\n,b\nc,a,b\n")

    assert "2 rows, first: Line 2 of the file has an empty text" in answer.body["detail"]
    assert answer.body["detail"].endswith(' 1 other problem: POST /models with "dry_run": true lists them.')


TWO_LABELS = b"text,labels\nfreeze it,card\nboth,card|atm\n"


def test_where_labels_are_exclusive_a_row_with_two_is_refused(ready: Ready) -> None:
    answer = add_file(ready("exclusive.json"), TWO_LABELS)

    assert answer.status == 422
    assert answer.body["detail"] == "Row 3 of the file has 2 labels, but each text of this model must have exactly one."


def test_several_labels_where_they_are_not_exclusive(ready: Ready) -> None:
    answer = add_file(ready("multilabel.jsonl"), TWO_LABELS)

    assert (answer.status, answer.body["new_labels"]) == (201, ["atm", "card"])


def test_a_file_that_is_not_there_or_takes_too_long_or_is_too_large(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    missing = add_file(winnow, None)
    forbidden = add_file(winnow, s3bucket="somebody-elses")
    with monkeypatch.context() as less:
        less.setattr(feedback_examples, "MOST_ROWS", 2)
        long = add_file(winnow)
    with monkeypatch.context() as less:
        less.setattr(feedback_examples, "MOST_BYTES_AT_ONCE", 10)
        large = add_file(winnow)
    with monkeypatch.context() as less:
        less.setattr(feedback_examples, "monotonic", iter(range(0, 10_000, 100)).__next__)
        slow = add_file(winnow)

    assert [answer.status for answer in (missing, forbidden, long, large, slow)] == [422] * 5
    assert "there is no such object" in missing.body["detail"]
    assert "DatasetBuckets" in forbidden.body["detail"]
    assert "has more than 2 rows" in long.body["detail"]
    assert "has more than 10 bytes" in large.body["detail"]
    assert "takes too long to read" in slow.body["detail"]
    assert all("send the file in parts" in answer.body["detail"] for answer in (long, large, slow))
    assert nothing_is_kept(winnow)


def test_the_same_again_is_the_same_answer_even_if_the_file_is_gone(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    first = add_file(winnow, key=KEY)
    winnow.s3.delete_object(Bucket=CLIENT_BUCKET, Key=FILE["training_object"])

    again = add_file(winnow, None, key=KEY)

    assert (again.status, again.body) == (201, first.body)
    assert len(batches(winnow)) == 1


def test_of_a_model_that_is_not_there_no_file_is_read(winnow: Winnow) -> None:
    assert add_file(winnow, b"[").status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"retrain": "auto"},
        {"s3bucket": CLIENT_BUCKET},
        {"training_object": "more.csv"},
        FILE | {"examples": [{"text": "a", "label": "b"}]},
        {"examples": [{"text": "a", "label": "b"}], "delimiter": ";"},
    ],
)
def test_a_request_has_either_a_list_or_a_file(winnow: Winnow, body: Json) -> None:
    answer = winnow.call("add_examples", body=body)

    assert answer.status == 422
    assert answer.body["detail"].startswith("Send either examples (a list), or s3bucket and training_object (a file;")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text_column", []),
        ("text_column", ["a"] * 6),
        ("label_column", ""),
        ("label_separator", "x" * 11),
        ("delimiter", ":"),
        ("encoding", "latin-1"),
    ],
)
def test_a_layout_that_is_none(winnow: Winnow, name: str, value: Any) -> None:
    answer = add_file(winnow, **{name: value})

    assert (answer.status, answer.body["field"]) == (422, name)
    assert answer.body["detail"].startswith(f"{name} must be")
