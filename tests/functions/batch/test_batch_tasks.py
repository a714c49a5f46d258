"""Batch predictions that are cancelled, deleted, tried again, or silent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import FUNCTIONS, load_event
from tests.support.batches import TASKS, TEXTS, cancel, done, get, marks, post, put, result, started, up_to
from tests.support.metrics import counted
from winnow.aws.tasks import OF_BATCH
from winnow.batch import split_join
from winnow.domain.errors import JobSupersededError

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from tests.support.clock import Clock


@pytest.fixture
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of two lines."""
    monkeypatch.setattr(split_join, "MOST_LINES", 2)


def test_a_failure_that_no_task_foresaw_is_told_and_counted(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    job = started(winnow)
    capsys.readouterr()
    winnow.invoke("functions/batch/fail", job | {"failure": load_event("batch/fail")["failure"]})
    batch = get(winnow, job["batch"]["batch"]).body
    assert (batch["status"], batch["error"]) == ("failed", OF_BATCH.out_of_resources.format(error="Runtime.ExitError"))
    assert counted(capsys.readouterr().out) == {"WorkflowFaults": 1}


# --- cancel, delete ---


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

    for where in ("winnow.registry.batch_predictions.BatchPredictions.commit", "winnow.storage.batch_objects.BatchObjects.remove_shards"):
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
    assert (batch["status"], batch["error"]) == ("failed", "The batch's object 000000-5-0 is missing: send the batch again.")
    assert winnow.s3.list_multipart_uploads(Bucket=winnow.names["Models"]).get("Uploads", []) == []


# --- batches that end in silence ---


@pytest.mark.parametrize(
    ("status", "said"), [("ABORTED", "stopped from outside"), ("TIMED_OUT", "longer than three days"), ("FAILED", "internal error")]
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
    """Let no workflow of batches start until undone."""
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


@pytest.mark.parametrize(
    ("under_way", "stopped", "minutes"),
    [(True, False, 66), (False, True, 6), (True, True, 6)],
)
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
    assert ("stopped from outside" if under_way and stopped else "reported nothing") in batch["error"]
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
