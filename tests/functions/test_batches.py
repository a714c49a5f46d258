"""Batch predictions: POST and GET /models/{model_id}/batches, the workflow's tasks, cancel."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.conftest import CLIENT_BUCKET, FUNCTIONS, Json, load_event
from winnow import shards
from winnow.errors import JobSupersededError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Answer, Ready, Winnow
    from tests.support.clock import Clock

TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "prune the roses", "change the oil", "water the lawn at night"]


def put(winnow: Winnow, body: bytes | Sequence[Any], key: str = "texts.jsonl") -> None:
    """Lay an object into the client's bucket: bytes as they are, or records as JSON Lines."""
    lines = body if isinstance(body, bytes) else "".join(json.dumps(record) + "\n" for record in body).encode()
    winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key=key, Body=lines)


def post(winnow: Winnow, key: str | None = None, **fields: Any) -> Answer:
    body = {"s3bucket": CLIENT_BUCKET, "object": "texts.jsonl", **fields}
    return winnow.call("create_batch", body=body, headers={} if key is None else {"Idempotency-Key": key})


def get(winnow: Winnow, batch: str) -> Answer:
    return winnow.call("get_batch", path={"model_id": "tc-01", "batch": batch})


def cancel(winnow: Winnow, batch: str) -> Answer:
    return winnow.call("cancel_batch", path={"model_id": "tc-01", "batch": batch})


def started(winnow: Winnow, **fields: Any) -> Json:
    """Ask for a batch. Returns the input of its workflow."""
    answer = post(winnow, **fields)
    assert answer.status == 202, answer.body
    return winnow.started_job("BatchWorkflow")


def done(winnow: Winnow, **fields: Any) -> Json:
    """Ask for a batch, and run its workflow. Returns the batch."""
    job = started(winnow, **fields)
    winnow.run_batch(job)
    body: Json = get(winnow, job["batch"]["batch"]).body
    return body


def result(winnow: Winnow, batch: Json) -> list[Json]:
    """The lines that the batch's link leads to."""
    path = unquote(urlsplit(batch["result"]["url"]).path)
    [body] = [body for key, body in winnow.objects().items() if path.endswith(key)]
    assert batch["result"]["bytes"] == len(body)
    return [json.loads(line) for line in body.splitlines()]


def predicted(winnow: Winnow, texts: Sequence[str], n_top: int = 1) -> list[Json]:
    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": list(texts), "n_top": n_top})
    labels: list[Json] = [prediction["labels"] for prediction in answer.body["predictions"]]
    return labels


@pytest.fixture
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of two lines."""
    monkeypatch.setattr(shards, "MOST_LINES", 2)


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


def marks(winnow: Winnow) -> list[Json]:
    return [row for row in winnow.table.scan()["Items"] if row["pk"] == "BATCHES"]


BAD = [
    (b'{"text": "a"', "Line {} is not JSON"),
    (b"[1, 2]", "Line {} is neither a string nor an object"),
    (b"17", "Line {} is neither a string nor an object"),
    (b'{"label": "a"}', 'Line {} has no "text" that is a string'),
    (b'{"text": 5}', 'Line {} has no "text" that is a string'),
    (b'{"text": " "}', "Line {} has an empty text"),
    (b'""', "Line {} has an empty text"),
    (b"", "Line {} is empty"),
    (b"  ", "Line {} is empty"),
    (json.dumps("long " * 4001).encode(), "Line {} has a text of 20,005 characters"),
    (b'"\xff\xfe"', "Line {} is not UTF-8"),
    (b'{"text": "\\ud800"}', "Line {} holds half of a surrogate pair"),
    (b'{"text": "a", "text": "b"}', "Line {} is not JSON: the key 'text' stands twice"),
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


def test_an_id_comes_back_also_with_an_error_and_whatever_else_a_line_has_is_ignored(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, [{"text": TEXTS[0], "id": 7, "label": "garden"}, {"text": "", "id": "zwölf"}, TEXTS[1]])

    first, second, third = result(winnow, done(winnow))

    assert (first["id"], second["id"], second["line"]) == (7, "zwölf", 2)
    assert "id" not in third
    assert set(first) == {"line", "id", "labels"}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("key", ["texts.csv", "texts"])
@pytest.mark.usefixtures("few_lines")
def test_csv_has_a_line_for_each_record_named_by_where_it_begins(ready: Ready, key: str, packed: bool) -> None:
    winnow = ready("exclusive.json")
    texts = ["prune, then\nwater", 'the "oil"', TEXTS[1], "last\r\none"]
    with io.StringIO() as file:
        csv.writer(file).writerows([["id", "Text", "more"], *([f"n{place}", text, "x"] for place, text in enumerate(texts))])
        body = file.getvalue().encode() + b"short\r\n"
    put(winnow, gzip.compress(body) if packed else body, key + ".gz" * packed)

    *lines, bad = result(winnow, done(winnow, object=key + ".gz" * packed))

    assert [(line["line"], line["id"]) for line in lines] == [(2, "n0"), (4, "n1"), (5, "n2"), (6, "n3")]
    assert [line["labels"] for line in lines] == predicted(winnow, [text.replace("\r\n", "\r\n") for text in texts])
    assert bad["line"] == 8
    assert bad["error"].startswith("Line 8 has 1 column, and the header has 3")


def test_a_shard_has_no_more_bytes_than_its_classification_can_take(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    monkeypatch.setattr(shards, "MOST_BYTES", 1_000)
    put(winnow, ["x " * 200] * 7)
    job = started(winnow)

    winnow.invoke("functions/batch/split", job)

    sizes = [len(body) for key, body in winnow.objects().items() if "/texts/" in key]
    assert len(sizes) == 4
    assert max(sizes) <= 1_002
    assert get(winnow, job["batch"]["batch"]).body["progress"]["all_shards"] == 4


# --- what fails as a whole ---


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        (b"", "texts.jsonl", "The object is empty"),
        (b" \n \n", "texts.jsonl", "The object is empty"),
        (b"hello\nworld\n", "texts", "in none of the formats"),
        (b"a,b\n1,2\n", "texts.csv", "no column text"),
        (b'["a"]', "texts.json", "is a JSON array"),
        (b"PK\x03\x04....", "texts.jsonl", "a ZIP archive"),
        (gzip.compress(b'"a"\n' * 1000)[:-12], "texts.jsonl", "ends in the midst of its gzip stream"),
        (gzip.compress(b'"a"\n' * 2_000_000), "texts.jsonl", "unpacks to more than 200 times"),
        (b'text\n"open\n' + b"more\n" * 10, "texts.csv", "opens a quote that is never closed"),
        ("[]".encode("utf-16"), "texts", "is not UTF-8"),
    ],
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

    monkeypatch.setattr("winnow.classifying.Classifying.classify", crash)
    assert winnow.run_batch(job) == "Failed"

    batch = get(winnow, job["batch"]["batch"]).body
    assert batch["status"] == "failed"
    assert "(ZeroDivisionError)" in batch["error"]
    assert [key for key in winnow.objects() if key.startswith("shards/")] == []


def test_a_version_that_was_deleted_meanwhile_fails_the_batch_with_a_sentence(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
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


def test_an_unknown_batch_is_not_found(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    for answer in (get(winnow, "20260302T091641007-1a2b3c4d"), cancel(winnow, "20260302T091641007-1a2b3c4d")):
        assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:batch-prediction-not-found")


# --- cancel, delete ---

TASKS = ["split", "classify", "join"]


def up_to(winnow: Winnow, job: Json, task: str) -> Json:
    """Run the tasks before this one. Returns its input."""
    given = job
    if task != "split":
        given = job | {"split": winnow.invoke("functions/batch/split", job), "shard": "000000-5-0"}
    if task == "join":
        winnow.invoke("functions/batch/classify", given)
    return given


@pytest.mark.parametrize("task", TASKS)
def test_a_cancelled_batch_is_not_revived_by_a_task_that_still_runs(ready: Ready, task: str) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    job = started(winnow)
    given = up_to(winnow, job, task)

    answer = cancel(winnow, job["batch"]["batch"])

    assert (answer.status, answer.body["status"]) == (200, "cancelled")
    assert [execution["status"] for execution in winnow.executions("BatchWorkflow")] == ["ABORTED"]
    with pytest.raises(JobSupersededError):
        winnow.invoke(f"functions/batch/{task}", given)
    winnow.invoke("functions/batch/fail", job | {"failure": load_event("batch/fail")["failure"]})
    batch = get(winnow, job["batch"]["batch"]).body
    assert (batch["status"], batch["error"], batch["result"]) == ("cancelled", None, None)
    assert marks(winnow) == []
    assert cancel(winnow, job["batch"]["batch"]).body["type"] == "urn:winnow:problem:not-cancellable"


@pytest.mark.parametrize("task", TASKS)
def test_a_deleted_model_takes_its_batches_with_it_whatever_they_are_at(ready: Ready, task: str) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    done(winnow)
    job = started(winnow)
    given = up_to(winnow, job, task)

    assert winnow.call("delete_model", path={"model_id": "tc-01"}).status == 200

    assert "ABORTED" in [execution["status"] for execution in winnow.executions("BatchWorkflow")]
    with pytest.raises(JobSupersededError):
        winnow.invoke(f"functions/batch/{task}", given)
    assert winnow.objects() == {}
    assert [row["pk"] for row in winnow.table.scan()["Items"] if row["pk"].startswith("BATCHES")] == []


# --- tried again ---


@pytest.mark.usefixtures("few_lines")
def test_each_task_can_be_repeated(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, [*TEXTS[:3], "", *TEXTS[3:]])
    job = started(winnow)
    batch = job["batch"]["batch"]

    split = [winnow.invoke("functions/batch/split", job) for _ in range(2)]
    assert split[0] == split[1]
    before = winnow.objects()
    names = [item["shard"] for item in json.loads(before[split[0]["manifest"]["key"]])]
    assert names == ["000000-2-0", "000001-2-1", "000002-2-0"]
    for name in (names[2], names[0], names[2], names[0], names[1]):
        winnow.invoke("functions/batch/classify", job | {"shard": name})
        progress = get(winnow, batch).body["progress"]
    assert (progress["lines"], progress["errors"], progress["shards"], progress["percent"]) == (6, 1, 3, 95)
    winnow.invoke("functions/batch/join", job)
    once = result(winnow, get(winnow, batch).body)
    winnow.invoke("functions/batch/join", job)

    assert result(winnow, get(winnow, batch).body) == once
    assert [line["line"] for line in once] == [1, 2, 3, 4, 5, 6]


def test_a_join_that_was_killed_before_or_after_its_commit_is_finished_by_the_next(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    job = started(winnow)
    given = up_to(winnow, job, "join")

    class KilledError(BaseException):
        pass

    def killed(*args: object, **more: object) -> None:
        raise KilledError

    for where in ("winnow.registry.BatchPredictions.commit", "winnow.batch_objects.BatchObjects.remove_shards"):
        with monkeypatch.context() as patched:
            patched.setattr(where, killed)
            with pytest.raises(KilledError):
                winnow.invoke("functions/batch/join", given)
    winnow.invoke("functions/batch/join", given)

    batch = get(winnow, job["batch"]["batch"]).body
    assert (batch["status"], len(result(winnow, batch))) == ("ready", 5)
    assert [key for key in winnow.objects() if key.startswith("shards/")] == []


def test_a_join_that_lacks_a_shard_fails_and_leaves_no_upload_open(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    job = started(winnow)
    given = up_to(winnow, job, "classify")

    assert winnow.run_batch(given, "Join") == "Failed"

    batch = get(winnow, job["batch"]["batch"]).body
    assert (batch["status"], batch["error"]) == ("failed", "The batch lacks its object 000000-5-0: send it again.")
    assert winnow.s3.list_multipart_uploads(Bucket=winnow.names["Models"]).get("Uploads", []) == []


# --- what nobody else says ---


@pytest.mark.parametrize(
    ("status", "said"), [("ABORTED", "stopped from outside"), ("TIMED_OUT", "longer than three days"), ("FAILED", "fault")]
)
def test_an_execution_that_ended_without_a_word_fails_the_batch(ready: Ready, status: str, said: str) -> None:
    winnow = ready("exclusive.json")
    job = started(winnow)
    event = load_event("upkeep/execution_ended")
    winnow.invoke("functions/upkeep/execution_ended", event | {"detail": event["detail"] | {"status": status, "input": json.dumps(job)}})
    batch = get(winnow, job["batch"]["batch"]).body
    assert batch["status"] == "failed"
    assert said in batch["error"]


def test_the_tasks_may_touch_what_is_a_batch_s_and_no_more() -> None:
    for task in TASKS:
        statements = [
            statement
            for policy in FUNCTIONS[f"functions/batch/{task}"]["Policies"]
            for statement in ([policy["Statement"]] if isinstance(policy.get("Statement"), dict) else policy.get("Statement", []))
        ]
        written = [statement["Resource"] for statement in statements if "s3:PutObject" in statement["Action"]]
        [resource] = written
        assert resource["Sub"].startswith(("${Models.Arn}/shards/", "${Models.Arn}/batches/"))


@pytest.fixture
def never_started(winnow: Winnow) -> pytest.MonkeyPatch:
    """Start no workflow of batches until undone."""
    patched = pytest.MonkeyPatch()
    patched.setattr(winnow, "names", {**winnow.names, "BatchWorkflow": f"{winnow.names['BatchWorkflow']}-that-is-gone"})
    return patched


def sweep(winnow: Winnow) -> None:
    winnow.invoke("functions/upkeep/sweep", load_event("upkeep/sweep"))


def test_a_batch_that_never_started_is_started_by_the_sweeper(ready: Ready, never_started: pytest.MonkeyPatch, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    batch = post(winnow).body["batch"]
    never_started.undo()

    sweep(winnow)
    assert winnow.executions("BatchWorkflow") == []
    clock.advance(minutes=6)
    sweep(winnow)
    sweep(winnow)

    [_] = winnow.executions("BatchWorkflow")
    winnow.run_batch(winnow.started_job("BatchWorkflow"))
    assert get(winnow, batch).body["status"] == "ready"


@pytest.mark.parametrize(("under_way", "stopped", "minutes"), [(True, False, 26), (False, True, 6)])
def test_a_batch_that_fell_silent_fails(ready: Ready, clock: Clock, under_way: bool, stopped: bool, minutes: int) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    job = started(winnow)
    if under_way:
        winnow.invoke("functions/batch/split", job)
    if stopped:
        winnow.stepfunctions.stop_execution(executionArn=winnow.executions("BatchWorkflow")[0]["executionArn"])

    clock.advance(minutes=minutes - 2)
    sweep(winnow)
    assert get(winnow, job["batch"]["batch"]).body["status"] == ("running" if under_way else "queued")
    clock.advance(minutes=2)
    sweep(winnow)

    batch = get(winnow, job["batch"]["batch"]).body
    assert batch["status"] == "failed"
    assert "without a word" in batch["error"]
    assert marks(winnow) == []


def test_a_batch_that_could_not_be_started_for_a_day_fails(ready: Ready, never_started: pytest.MonkeyPatch, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    batch = post(winnow).body["batch"]
    clock.advance(days=1, minutes=1)
    sweep(winnow)
    never_started.undo()
    assert "could not be started for a day" in get(winnow, batch).body["error"]


def test_a_batch_is_gone_when_its_row_has_expired(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    batch = done(winnow)["batch"]
    clock.advance(days=33)
    assert get(winnow, batch).status == 200
    clock.advance(days=2)
    assert get(winnow, batch).status == 404
    assert winnow.call("list_batches").body["batches"] == []
