"""What the client does beside one call: errors, repeats, uploads, waiting, lists, results in files."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.conftest import FakeApi, both, example_of, problem
from tests.client.test_surface import BATCH, STORED
from tests.support import awaiting
from winnow_client import (
    ApiError,
    AsyncWinnow,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NoAnswerError,
    NotFoundError,
    StaleError,
    TooManyRequestsError,
    UnexpectedAnswerError,
    Winnow,
    WinnowError,
    WorkFailedError,
)

WHOAMI = "GET /whoami"
VERSION = example_of("GET /models/{model_id}/versions/{version}")
RUNNING = VERSION | {"status": "training", "progress": {"stage": "training", "percent": 40, "eta_seconds": 3}}
QUEUED = (202, {"model_id": "tc-01", "version": 2, "status": "queued"})
VERSION_CALL = "GET /models/tc-01/versions/2"
BATCH_CALL = f"GET /models/tc-01/batches/{BATCH}"
READY_BATCH = example_of("GET /models/{model_id}/batches/{batch}")
PREDICTION = example_of("POST /prediction")


# --- errors ---


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, ForbiddenError), (404, NotFoundError), (409, ConflictError), (412, StaleError), (422, InvalidError), (400, ApiError)],
)
def test_an_error_has_its_status_code_and_sentence(api: FakeApi, status: int, kind: type[ApiError]) -> None:
    problem_of_it = {"type": "urn:winnow:problem:x-y", "title": "X", "status": status, "detail": "Do it like this.", "field": "n_iter"}
    api.says("GET /models/tc-01", httpx.Response(status, json=problem_of_it))
    with pytest.raises(kind) as raised:
        api.sync().model("tc-01")
    error = raised.value
    assert (error.status, error.code, error.message, error.field) == (status, "x-y", "Do it like this.", "n_iter")
    assert error.problem == problem_of_it
    assert str(error) == f"GET /models/tc-01 answered {status}: Do it like this."
    assert str(pickle.loads(pickle.dumps(error))) == str(error), "processes hand errors on"  # noqa: S301
    assert len(api.asked) == 1, "another try can't help"


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"{}", b'{"message": "hello"}'])
def test_another_server_than_winnow_is_said(api: FakeApi, body: bytes) -> None:
    api.says(WHOAMI, httpx.Response(200, content=body))
    with pytest.raises(UnexpectedAnswerError, match="Winnow"):
        api.sync().whoami()


def test_an_error_of_another_server_has_its_text(api: FakeApi) -> None:
    api.says(WHOAMI, httpx.Response(404, content=b"<h1>Not\nhere</h1>"))
    with pytest.raises(NotFoundError, match="<h1>Not here</h1>") as raised:
        api.sync().whoami()
    assert (raised.value.code, raised.value.problem) == ("", {})


@pytest.mark.parametrize(
    ("url", "key", "told"),
    [("", "k", "WINNOW_URL"), ("api.example", "k", "must begin with https://"), ("https://x/v1", "schlüssel", "never have")],
)
def test_a_wrong_setting_is_said_at_once(monkeypatch: pytest.MonkeyPatch, url: str, key: str, told: str) -> None:
    monkeypatch.delenv("WINNOW_URL", raising=False)
    for kind in (Winnow, AsyncWinnow):
        with pytest.raises(WinnowError, match=told):
            kind(url, key)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_URL", "https://winnow.test/v1/")
    monkeypatch.setenv("WINNOW_API_KEY", "a-key")
    assert (Winnow().url, Winnow().key) == ("https://winnow.test/v1", "a-key")


# --- repeats ---


def test_what_passes_is_tried_again_after_the_time_it_asks_for(api: FakeApi, pauses: list[float]) -> None:
    busy = httpx.Response(429, json=problem(429, "throttled", "Slow down.")[1], headers={"Retry-After": "7"})
    api.says(WHOAMI, busy, httpx.Response(503, json=problem(503, "busy", "Busy.")[1]), None)
    assert both(api, "whoami").kind == "key"
    assert len(api.asked) == 3
    assert pauses[0] == pauses[2] == 7.0
    assert 0.5 < pauses[1] < 2, "without a time, a little longer each time"


def test_it_does_not_wait_for_what_takes_an_hour(api: FakeApi, pauses: list[float]) -> None:
    api.says(WHOAMI, httpx.Response(429, json=problem(429, "throttled", "The day is used up.")[1], headers={"Retry-After": "3600"}))
    with pytest.raises(TooManyRequestsError) as raised:
        api.sync().whoami()
    assert (raised.value.retry_after, len(api.asked), pauses) == (3600.0, 1, [])


def test_retries_end(api: FakeApi) -> None:
    api.says(WHOAMI, problem(504, "gateway", "No answer in time."))
    with pytest.raises(ApiError, match="No answer in time"):
        api.sync(retries=2).whoami()
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    ("method", "call", "arguments", "repeated"),
    [
        ("whoami", WHOAMI, (), True),
        ("delete_model", "DELETE /models/tc-01", ("tc-01",), True),
        ("delete_model", "DELETE /models/tc-01", ("tc-01", "*"), False),
        ("forget", "POST /forget", (), True),
        ("classify_one", "POST /prediction", ("tc-01", "text"), True),
        ("cancel_training", "POST /models/tc-01/versions/2/cancel", ("tc-01", 2), False),
    ],
)
def test_a_lost_answer_is_asked_for_again_only_if_nothing_happens_twice(
    api: FakeApi, *, method: str, call: str, arguments: tuple[Any, ...], repeated: bool
) -> None:
    named = {"subject": "customer-17"} if method == "forget" else {}
    api.says(call, httpx.ReadError("the line is cut"), None)
    if repeated:
        getattr(api.sync(), method)(*arguments, **named)
        keys = {each.headers.get("idempotency-key") for each in api.asked}
        assert len(keys) == 1, "the same request, not a new one"
    else:
        with pytest.raises(NoAnswerError, match="the line is cut"):
            getattr(api.sync(), method)(*arguments, **named)
    assert len(api.asked) == 1 + repeated


def test_without_a_connection_nothing_was_sent_so_it_is_tried_once_more(api: FakeApi) -> None:
    cancel = "POST /models/tc-01/versions/2/cancel"
    api.says(cancel, httpx.ConnectError("refused"), None)
    assert api.sync().cancel_training("tc-01", 2).version == 2
    api.says(cancel, httpx.ConnectError("refused"))
    with pytest.raises(NoAnswerError):
        api.sync().cancel_training("tc-01", 2)
    assert len(api.asked) == 4


@pytest.mark.parametrize(("status", "code", "repeated"), [(429, "throttled", True), (503, "busy", True), (503, "gateway", False)])
def test_what_may_have_happened_is_not_done_twice(api: FakeApi, *, status: int, code: str, repeated: bool) -> None:
    cancel = "POST /models/tc-01/versions/2/cancel"
    api.says(cancel, problem(status, code, "Later."), None)
    if repeated:
        api.sync().cancel_training("tc-01", 2)
    else:
        with pytest.raises(ApiError, match="Later"):
            api.sync().cancel_training("tc-01", 2)
    assert len(api.asked) == 1 + repeated


# --- uploads ---


def test_a_file_is_uploaded_by_its_signed_url_and_trained_on(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "my texts.csv"
    file.write_bytes(b"text,label\none,a\n" * 200_000)
    api.says("POST /models", QUEUED)
    training = both(api, "train", "tc-01", file)
    assert (training.model_id, training.version) == ("tc-01", 2)
    upload, put, train = api.asked
    assert upload.body == {"name": "my texts.csv", "bytes": file.stat().st_size}
    assert put.content == file.read_bytes()
    assert put.headers["content-length"] == str(file.stat().st_size), "S3 takes nothing in chunks"
    assert put.headers["if-none-match"] == "*"
    target = example_of("POST /datasets", "201")
    assert train.body == {"id": "tc-01", "s3bucket": target["s3bucket"], "training_object": target["training_object"]}
    assert "idempotency-key" in train.headers


def test_an_upload_whose_answer_was_lost_is_there(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_bytes(b"text,label\none,a\n")
    api.says("PUT s3", httpx.ReadError("cut"), httpx.Response(412))
    assert both(api, "upload", file).name == example_of("POST /datasets", "201")["name"]
    assert [each.content for each in api.asked if each.method == "PUT"] == [file.read_bytes()] * 2, "from its beginning"


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ([("one", "a"), ("two", ["a", "b"])], '{"text": "one", "label": "a"}\n{"text": "two", "labels": ["a", "b"]}\n'),
        ([{"text": "one", "label": "a", "subject": "s"}], '{"text": "one", "label": "a", "subject": "s"}\n'),
    ],
)
def test_examples_of_a_program_are_json_lines(api: FakeApi, data: Any, sent: str) -> None:
    both(api, "upload", data)
    assert api.asked[0].body == {"name": "examples.jsonl", "bytes": len(sent)}
    assert api.asked[1].content.decode() == sent


def test_a_test_set_must_be_in_the_same_bucket(api: FakeApi) -> None:
    api.says("POST /models", QUEUED)
    both(api, "train", "tc-01", "s3://mine/a/train.csv", test="s3://mine/test.csv")
    assert api.asked[0].body == {"id": "tc-01", "s3bucket": "mine", "training_object": "a/train.csv", "test_object": "test.csv"}
    with pytest.raises(ValueError, match="same bucket"):
        api.sync().train("tc-01", "s3://mine/train.csv", test="s3://other/test.csv")
    with pytest.raises(ValueError, match="either a data set or"):
        api.sync().train("tc-01")


def test_labels_alone_are_trained_on(api: FakeApi) -> None:
    api.says("POST /models", QUEUED)
    both(api, "train", "tc-01", labels=["billing", {"name": "login", "description": "Passwords"}])
    assert api.asked[0].body["labels"] == ["billing", {"name": "login", "description": "Passwords"}]


def test_the_report_on_a_large_data_set_is_waited_for(api: FakeApi) -> None:
    dry = example_of("GET /reports/{report_id}")
    running = dry | {"status": "running", "report": None, "estimates": None, "error": None}
    api.says("POST /models", (202, {"dry_run": True, "report_id": dry["report_id"], "status": "running"}))
    report = example_of("POST /models")["report"]
    api.says(f"GET /reports/{dry['report_id']}", running, running | {"status": "ready", "report": report})
    assert both(api, "check", STORED).rows == report["rows"]
    api.says(f"GET /reports/{dry['report_id']}", running | {"status": "failed", "error": "It took too long."})
    with pytest.raises(WorkFailedError, match="It took too long"):
        api.sync().check(STORED)


# --- waiting ---


def test_a_training_is_waited_for_and_its_progress_is_told(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.says("POST /models", QUEUED)
    api.says(VERSION_CALL, RUNNING, RUNNING, VERSION)
    ready = api.sync().train("tc-01", STORED).wait(progress=True)
    assert (ready.status, ready.evaluation and ready.evaluation.accuracy) == ("ready", VERSION["evaluation"]["accuracy"])
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "Version 2 of tc-01: training 40 %",
        f"Version 2 of tc-01: {VERSION['progress']['stage']} {VERSION['progress']['percent']} %",
    ]


def test_an_async_training_too(api: FakeApi) -> None:
    api.says("POST /models", QUEUED)
    api.says(VERSION_CALL, RUNNING, RUNNING, VERSION)
    percents: list[int] = []

    async def run() -> tuple[str, list[str]]:
        async with api.aio() as client:
            training = await client.train("tc-01", STORED)
            ready = await training.wait(progress=lambda it: percents.append(it.progress.percent))
            api.says(VERSION_CALL, RUNNING, RUNNING, VERSION)
            events = [state.status async for state in client.training("tc-01", 2).events()]
            assert (await training.evaluation()).accuracy
            assert (await training.cancel()).version == 2
            return ready.status, events

    assert awaiting.run(run()) == ("ready", ["training", "ready"])
    assert percents == [40, 40, VERSION["progress"]["percent"]]


def test_events_are_the_states_that_differ(api: FakeApi) -> None:
    api.says(VERSION_CALL, RUNNING, RUNNING, VERSION)
    assert [state.status for state in api.sync().training("tc-01", 2).events()] == ["training", "ready"]


@pytest.mark.parametrize(("status", "told"), [("failed", "failed: It needs more memory."), ("cancelled", "was cancelled.")])
def test_work_without_success_is_an_error_with_its_last_state(api: FakeApi, status: str, told: str) -> None:
    error = "It needs more memory." if status == "failed" else None
    api.says(VERSION_CALL, VERSION | {"status": status, "error": error, "live": False})
    with pytest.raises(WorkFailedError, match=f"Version 2 of tc-01 {told}") as raised:
        api.sync().training("tc-01", 2).wait()
    assert raised.value.result.status == status
    api.says(BATCH_CALL, READY_BATCH | {"status": status, "error": error, "result": None})
    with pytest.raises(WorkFailedError, match=f"Batch {BATCH} of tc-01 {told}"):
        api.sync().running_batch("tc-01", BATCH).wait()


def test_a_wait_may_have_an_end(api: FakeApi) -> None:
    api.says(VERSION_CALL, RUNNING)
    with pytest.raises(TimeoutError, match="Version 2 of tc-01 has not ended after 0 s"):
        api.sync().training("tc-01", 2).wait(timeout=0)


def test_a_batch_is_waited_for_and_saved(api: FakeApi, tmp_path: Path) -> None:
    running = READY_BATCH | {"status": "running", "result": None, "finished_at": None}
    api.says(BATCH_CALL, running, READY_BATCH)
    batch = api.sync().batch("tc-01", ["one", "two"], n_top=2)
    assert next(each for each in api.asked if each.method == "PUT").content == b'{"text": "one"}\n{"text": "two"}\n'
    assert batch.wait().status == "ready"
    batch.save(tmp_path / "result.jsonl")
    assert (tmp_path / "result.jsonl").read_bytes() == api.stored
    into = io.BytesIO()
    batch.save(into)
    assert into.getvalue() == api.stored
    api.says("GET s3", httpx.Response(403, content=b"expired"))
    with pytest.raises(ForbiddenError, match="expired"):
        batch.save(tmp_path / "again.jsonl")
    assert {file.name for file in tmp_path.iterdir()} == {"result.jsonl"}, "no part of a file"
    api.says(BATCH_CALL, running)
    with pytest.raises(WorkFailedError, match="wait for the batch"):
        batch.save(tmp_path / "again.jsonl")


def test_an_evaluation_is_of_the_live_version_and_is_waited_for(api: FakeApi) -> None:
    call = "/models/{model_id}/versions/{version}/evaluations"
    live = example_of("GET /models/{model_id}")["live_version"]
    running = example_of(f"GET {call}/{{evaluation}}")
    report = example_of("GET /models/{model_id}/versions/{version}/evaluation")
    ready = running | {"status": "ready", "sha256": "0" * 64, "learnt": 3, "report": report}
    path = f"/models/tc-01/versions/{live}/evaluations"
    begun = example_of(f"POST {call}", "202")
    api.says(f"GET {path}/{begun['evaluation']}", running, ready)
    assert both(api, "evaluate", "tc-01", STORED, label_column="kind").status == "ready"
    assert api.asked[1].body == {"s3bucket": STORED.s3bucket, "training_object": STORED.training_object, "label_column": "kind"}


def test_examples_and_artifact_are_saved(api: FakeApi, tmp_path: Path) -> None:
    for method in ("save_examples", "save_artifact"):
        link = both(api, method, "tc-01", 2, tmp_path / method)
        assert (tmp_path / method).read_bytes() == api.stored
        assert link.url


def test_a_rollback_returns_to_the_version_before(api: FakeApi) -> None:
    entry = example_of("GET /models/{model_id}/history")["entries"][0]
    live = example_of("GET /models/{model_id}")["live_version"]
    others = [entry | {"deed": "train", "version": live + 1, "before": None}, entry | {"deed": "promote", "version": live, "before": 7}]
    page = {"model_id": "tc-01", "entries": others[:1], "next": "more"}
    api.says("GET /models/tc-01/history", page, page | {"entries": others[1:], "next": None})
    both(api, "rollback", "tc-01")
    assert api.asked[-1].body == {"version": 7}
    api.says("GET /models/tc-01/history", page | {"next": None})
    with pytest.raises(WinnowError, match="no version that was live before"):
        api.sync().rollback("tc-01")


# --- lists ---


def test_a_list_goes_on_to_its_end_or_to_the_limit(api: FakeApi) -> None:
    page = example_of("GET /models")
    pages = [page | {"next": "two"}, page | {"next": "three"}, page | {"next": None}]
    api.says("GET /models", *pages)
    assert len(both(api, "models")) == 3 * len(page["models"])
    assert [each.query for each in api.asked] == [{"limit": "1000"}, {"limit": "1000", "next": "two"}, {"limit": "1000", "next": "three"}]
    api.asked.clear()
    api.says("GET /models", page | {"next": "two"})
    assert len(list(api.sync().models(limit=len(page["models"])))) == len(page["models"])
    assert [each.query for each in api.asked] == [{"limit": str(len(page["models"]))}]


def test_many_texts_are_classified_in_their_order(api: FakeApi) -> None:
    client = _classifying(api)
    found = client.classify("tc-01", [f"text {number}" for number in range(250)], n_top=2)
    assert [each.labels[0].label for each in found] == [f"text {number}" for number in range(250)]
    assert [len(each.body["texts"]) for each in api.asked] == [100, 100, 50]
    assert client.classify("tc-01", []) == []
    api.asked.clear()
    assert len(client.classify("tc-01", ["ä" * 20_000] * 20)) == 20
    assert all(len(each.content) <= 1_000_000 for each in api.asked), "a request has at most 1 MB"


def test_texts_that_take_too_long_together_are_sent_in_halves(api: FakeApi) -> None:
    client = _classifying(api, at_once=3)
    found = client.classify("tc-01", [f"text {number}" for number in range(10)])
    assert [each.labels[0].label for each in found] == [f"text {number}" for number in range(10)]
    alone = _classifying(FakeApi(), at_once=0)
    with pytest.raises(ApiError, match="no time"):
        alone.classify("tc-01", ["text"] * 3)


def _classifying(api: FakeApi, at_once: int = 100) -> Winnow:
    """A client whose API gives each text as its own label."""

    def answer(request: httpx.Request) -> httpx.Response:
        recorded = api._answer(request)
        texts = json.loads(request.content)["texts"]
        if len(texts) > at_once:
            return httpx.Response(413, json=problem(413, "too-large", "There is no time for the first text: send fewer.")[1])
        labels = [[{"label": text, "score": 1.0, "accepted": True}] for text in texts]
        predictions = [{"prediction_id": "20260302T091641007-1a2b3c4d-00", "labels": each} for each in labels]
        return httpx.Response(recorded.status_code, json={"model_id": "tc-01", "version": 1, "predictions": predictions})

    return Winnow("https://winnow.test/v1", "key-of-the-test", http=httpx.Client(transport=httpx.MockTransport(answer)))


def test_one_text_is_classified_by_both(api: FakeApi) -> None:
    api.says("POST /prediction", PREDICTION)
    assert both(api, "classify", "tc-01", "text").labels[0].label == PREDICTION["labels"][0]["label"]


def test_more_feedback_than_a_request_takes_goes_as_a_file(api: FakeApi) -> None:
    received = example_of("POST /models/{model_id}/examples", "201")
    api.says("POST /models/tc-01/examples", (201, received))
    both(api, "feedback", "tc-01", [("text", "a")] * 1_001, retrain="no")
    assert api.asked[-1].body.keys() == {"s3bucket", "training_object", "retrain"}
    api.asked.clear()
    both(api, "feedback", "tc-01", [{"prediction_id": "20260302T091641007-1a2b3c4d-00-30d", "label": "a"}])
    assert api.calls() == ["POST /models/tc-01/examples"]
    with pytest.raises(ValueError, match=r"At most 1,000 .* in parts"):
        api.sync().feedback("tc-01", [{"example": "0f3a5b7c9d1e2f40", "keep": True}] * 1_001)


# --- results ---


def test_a_field_of_a_newer_service_does_no_harm_and_is_there(api: FakeApi) -> None:
    newer = example_of(WHOAMI) | {"colour": "green"}
    newer["limits"] = newer["limits"] | {"colours": 3}
    api.says(WHOAMI, httpx.Response(200, json=newer))
    found = api.sync().whoami()
    assert found.limits
    assert (found.raw["colour"], found.limits.raw["colours"]) == ("green", 3)


def test_a_field_that_an_older_service_lacks_is_none(api: FakeApi) -> None:
    older = example_of("GET /models/{model_id}")
    del older["tags"], older["version"]["note"]
    api.says("GET /models/tc-01", httpx.Response(200, json=older))
    found: Any = api.sync().model("tc-01")
    assert (found.tags, found.version.note, found.model_id) == (None, None, older["model_id"])


def test_an_etag_guards_a_change(api: FakeApi) -> None:
    client = api.sync()
    model = client.model("tc-01")
    client.change_model("tc-01", title="Tickets", retrain_after=None, if_match=model.etag)
    assert api.asked[-1].headers["if-match"] == model.etag
    assert api.asked[-1].body == {"title": "Tickets", "retrain_after": None}


def test_a_name_in_a_path_is_only_a_name(api: FakeApi) -> None:
    with pytest.raises(AssertionError, match="openapi"):
        api.sync().forgetting("../models")
    assert api.asked[0].url.endswith("/forget/..%2Fmodels")
