"""Batch predictions: POST and GET /models/{model_id}/batches, their input and their answers."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import CLIENT_BUCKET
from tests.support.batches import TEXTS, cancel, done, get, marks, post, predicted, put, result, started
from winnow.batch import split_join

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow


@pytest.fixture
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of two lines."""
    monkeypatch.setattr(split_join, "MOST_LINES", 2)


# --- the main path ---


@pytest.mark.usefixtures("few_lines")
@pytest.mark.parametrize("n_top", [1, 3])
def test_the_result_has_a_line_for_each_text_in_their_order_as_prediction_answers(ready: Ready, n_top: int) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)

    answer = post(winnow, n_top=n_top)
    assert (answer.status, answer.body["status"], answer.body["version"]) == (202, "queued", 1)
    assert answer.headers["Location"] == f"batches/{answer.body['batch']}"
    waiting = get(winnow, answer.body["batch"]).body
    assert (waiting["status"], waiting["result"], waiting["progress"]["percent"]) == ("queued", None, 0)
    end = winnow.run_batch(winnow.started_job("BatchWorkflow"))

    batch = get(winnow, answer.body["batch"]).body
    assert (end, batch["status"], batch["error"], batch["lines"]) == ("Join", "ready", None, 5)
    assert batch["progress"] == {
        **{"percent": 100, "lines": 5, "errors": 0, "shards": 3},
        **{"all_lines": 5, "all_errors": 0, "all_shards": 3},
    }
    lines = result(winnow, batch)
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["labels"] for line in lines] == predicted(winnow, TEXTS, n_top)
    assert [key for key in winnow.objects() if key.startswith("shards/")] == []
    assert marks(winnow) == []


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (f"letters/{'0f' * 16}-new letters.2.jsonl", "new-letters.2-classified.jsonl"),
        ("neu.jsonl.gz", "neu-classified.jsonl"),
        ("a/texts", "texts-classified.jsonl"),
    ],
)
def test_the_result_is_saved_under_the_name_of_its_texts(ready: Ready, key: str, name: str) -> None:
    winnow = ready("exclusive.json")
    lines = "".join(json.dumps(text) + "\n" for text in TEXTS).encode()
    put(winnow, gzip.compress(lines) if key.endswith(".gz") else lines, key)
    link = urlsplit(done(winnow, object=key)["result"]["url"])
    assert parse_qs(link.query)["response-content-disposition"] == [f'attachment; filename="{name}"']


def test_what_is_said_of_the_object_is_kept_and_shown(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    said: Json = {"text_column": ["subject", "body"], "delimiter": ";", "encoding": "windows-1252"}

    plain, told = post(winnow), post(winnow, **said)

    assert get(winnow, told.body["batch"]).body["layout"] == said
    assert "layout" not in get(winnow, plain.body["batch"]).body
    assert [each.get("layout") for each in winnow.call("list_batches").body["batches"]] == [said, None]


BAD = [
    (b'{"text": "a"', "Line {} is not JSON"),
    (b"[1, 2]", "Line {} is neither a string nor an object"),
    (b"17", "Line {} is neither a string nor an object"),
    (b'{"label": "a"}', "Line {} has no text under a known name: its members are label."),
    (b'{"text": 5}', 'Line {} has no "text" that is a string'),
    (b'{"text": " "}', "Line {} has an empty text"),
    (b'""', "Line {} has an empty text"),
    (b"", "Line {} is empty"),
    (b"  ", "Line {} is empty"),
    (json.dumps("long " * 4001).encode(), "Line {} has a text of 20,005 characters"),
    (b'"\xff\x81"', "Line {} is not UTF-8"),
    (b'{"text": "\\ud800"}', "Line {} holds half of a surrogate pair"),
    (b'{"text": "a", "text": "b"}', "Line {} is not JSON: the key 'text' appears twice"),
    (b'{"text": "a", "id": [1]}', 'Line {} has an "id"'),
    (b'{"text": "a", "id": true}', 'Line {} has an "id"'),
    (b'{"text": NaN}', "Line {} is not JSON"),
    (b"[" * 100_000, "Line {} is nested too deeply"),
    (b'"' + b"x" * 5_000_000 + b'"', "Line {} has more than 4,000,000 bytes"),
]


@pytest.mark.usefixtures("few_lines")
def test_every_bad_line_is_told_in_its_place_and_spoils_no_other(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    body = b"".join(
        json.dumps({"text": TEXTS[0], "id": f"good-{place}"}).encode() + b"\n" + line + b"\n" for place, (line, _) in enumerate(BAD)
    )
    put(winnow, body)

    batch = done(winnow)

    lines = result(winnow, batch)
    assert [line["line"] for line in lines] == [*range(1, 2 * len(BAD) + 1)]
    assert (batch["lines"], batch["progress"]["all_errors"]) == (2 * len(BAD), len(BAD))
    [labels] = predicted(winnow, TEXTS[:1])
    for place, (_, said) in enumerate(BAD):
        assert lines[2 * place] == {"line": 2 * place + 1, "id": f"good-{place}", "labels": labels}
        bad = lines[2 * place + 1]
        assert set(bad) == {"line", "error"}
        assert bad["error"].startswith(said.format(2 * place + 2)), bad


def test_a_bad_first_line_spoils_no_other_either(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, b'[1]\n{"text": "fine"}\n', "texts.jsonl")

    bad, fine = result(winnow, done(winnow, object="texts.jsonl"))

    assert bad["error"].startswith("Line 1 is neither a string nor an object")
    assert fine["line"] == 2
    assert fine["labels"]


def test_an_id_comes_back_also_with_an_error_and_whatever_else_a_line_has_is_ignored(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, [{"text": TEXTS[0], "id": 7, "label": "garden"}, {"text": "", "id": "zwölf"}, TEXTS[1]])

    first, second, third = result(winnow, done(winnow))

    assert (first["id"], second["id"], second["line"]) == (7, "zwölf", 2)
    assert "id" not in third
    assert set(first) == {"line", "id", "labels"}


def test_a_shard_has_no_more_bytes_than_its_classification_can_take(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    monkeypatch.setattr(split_join, "MOST_BYTES", 1_000)
    put(winnow, ["x " * 200] * 7)
    job = started(winnow)

    winnow.invoke("functions/batch/split", job)

    sizes = [len(body) for key, body in winnow.objects().items() if "/texts/" in key]
    assert len(sizes) == 4
    assert max(sizes) <= 1_002
    assert get(winnow, job["batch"]["batch"]).body["progress"]["all_shards"] == 4


# --- batches that fail as a whole ---


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        (b"", "texts.jsonl", "The object is empty"),
        (b" \n \n", "texts.jsonl", "The object is empty"),
        (b"hello\nworld\n", "texts", "format of the object is unknown"),
        (b"a,b\n1,2\n", "texts.csv", "(name it with `text_column`). The columns are: a, b."),
        (b"a;b\n1;2\n", "texts", "(name it with `text_column`). The columns are: a, b."),
        (b'["a", {"text": "b"]', "texts.json", "is not JSON: Expecting ',' delimiter, line 1 column 19"),
        (b"PK\x03\x04....", "texts.jsonl", "a ZIP archive"),
        (gzip.compress(b'"a"\n' * 1000, mtime=0)[:-12], "texts.jsonl", "ends before its gzip stream does"),
        (gzip.compress(b'"a"\n' * 400_000, mtime=0), "texts.jsonl", "unpacks to more than 200 times"),
        (b"Text,text\na,b\n", "texts.csv", "has two columns named Text"),
        (b'text\n"open\n' + b"more\n" * 10, "texts.csv", "opens a quote that is never closed"),
        ("[]".encode("utf-16-le"), "texts", "is not UTF-8"),
    ],
    ids=lambda it: it[:20] if isinstance(it, bytes) else it,
)
def test_an_object_that_cannot_be_read_fails_the_batch_with_a_sentence(ready: Ready, body: bytes, key: str, said: str) -> None:
    winnow = ready("exclusive.json")
    put(winnow, body, key)

    batch = done(winnow, object=key)

    assert (batch["status"], batch["result"]) == ("failed", None)
    assert said in batch["error"]
    assert [found for found in winnow.objects() if found.startswith(("shards/", "batches/"))] == []


def test_a_missing_object_and_a_forbidden_bucket_give_the_same_sentence(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    missing = done(winnow, object="nothing.jsonl")["error"]
    forbidden = done(winnow, s3bucket="somebody-elses", object="nothing.jsonl")["error"]
    assert "there is no such object, or this deployment may not read the bucket" in missing
    assert forbidden == missing.replace(CLIENT_BUCKET, "somebody-elses")


@pytest.mark.parametrize(("parameter", "said"), [("MostRows", "more than 4 lines"), ("MostBytes", "more than 4 bytes")])
def test_more_than_the_ceilings_allow_fails_the_batch(ready: Ready, parameter: str, said: str) -> None:
    winnow = ready("exclusive.json")
    winnow.parameters[parameter] = "4"
    put(winnow, TEXTS)
    assert said in done(winnow)["error"]


def test_a_crash_in_a_shard_is_told_by_its_name(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    job = started(winnow)

    def crash(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("winnow.batch.classify.Classifying.classify", crash)
    assert winnow.run_batch(job) == "Failed"

    batch = get(winnow, job["batch"]["batch"]).body
    assert batch["status"] == "failed"
    assert "(ZeroDivisionError)" in batch["error"]
    assert [key for key in winnow.objects() if key.startswith("shards/")] == []


@pytest.mark.parametrize("loaded", [False, True])
def test_a_version_that_was_deleted_meanwhile_fails_the_batch_with_a_sentence(ready: Ready, loaded: bool) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    if loaded:
        assert done(winnow)["status"] == "ready"
    job = started(winnow)
    uid = job["batch"]["uid"]
    winnow.table.delete_item(Key={"pk": f"VERSIONS#{uid}", "sk": "000001"})

    winnow.run_batch(job)

    assert "has no version 1" in get(winnow, job["batch"]["batch"]).body["error"]


# --- which version ---


def test_the_live_version_of_the_moment_is_pinned_and_another_can_be_named(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    first = started(winnow)
    winnow.train(force_update=True)
    assert winnow.model()["live_version"] == 2

    winnow.run_batch(first)

    assert get(winnow, first["batch"]["batch"]).body["version"] == 1
    assert done(winnow)["version"] == 2
    assert done(winnow, version=1)["version"] == 1


def test_a_model_or_version_that_does_not_answer_is_refused_at_once(winnow: Winnow) -> None:
    assert (post(winnow).status, post(winnow).body["type"]) == (404, "urn:winnow:problem:model-not-found")
    winnow.put_dataset()
    winnow.create()
    assert (post(winnow).status, post(winnow).body["type"]) == (409, "urn:winnow:problem:model-not-ready")
    assert (post(winnow, version=1).status, post(winnow, version=1).body["type"]) == (409, "urn:winnow:problem:version-not-ready")
    assert (post(winnow, version=2).status, post(winnow, version=2).body["type"]) == (404, "urn:winnow:problem:version-not-found")


@pytest.mark.parametrize("fields", [{"n_top": 0}, {"n_top": 101}, {"object": ""}, {"s3bucket": "A"}, {"more": 1}, {"version": "1"}])
def test_a_wrong_field_is_named(ready: Ready, fields: Json) -> None:
    answer = post(ready("exclusive.json"), **fields)
    assert (answer.status, answer.body["field"]) == (422, next(iter(fields)))


# --- lists, keys ---


def test_the_list_is_paged_newest_first(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    asked = [post(winnow).body["batch"] for _ in range(3)]
    first = winnow.call("list_batches", query={"limit": "2"}).body
    rest = winnow.call("list_batches", query={"limit": "2", "next": first["next"]}).body
    found = [batch["batch"] for batch in (*first["batches"], *rest["batches"])]
    assert sorted(found) == sorted(asked)
    assert found == sorted(found, reverse=True)
    assert rest["next"] is None


def test_the_same_request_under_a_key_is_one_batch(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    first, again = post(winnow, key="k1"), post(winnow, key="k1")
    assert first.body == again.body
    assert len(winnow.executions("BatchWorkflow")) == 1
    assert post(winnow, key="k1", n_top=2).body["type"] == "urn:winnow:problem:idempotency-key-reused"
    winnow.call("delete_model", path={"model_id": "tc-01"})
    gone = post(winnow, key="k1")
    assert (gone.status, gone.body["type"]) == (410, "urn:winnow:problem:gone")


def test_an_unknown_batch_is_not_found(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    for answer in (get(winnow, "20260302T091641007-1a2b3c4d"), cancel(winnow, "20260302T091641007-1a2b3c4d")):
        assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:batch-prediction-not-found")
