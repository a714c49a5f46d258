"""A limit on batch predictions at once: those without a slot wait for their turn, and only so many may wait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import BATCH_WORKFLOW, load_event
from tests.support.batches import TEXTS, cancel, get, marks, post, put
from tests.support.metrics import sweep
from winnow.batch import queue
from winnow.registry import table as rows

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow
    from tests.support.clock import Clock


@pytest.fixture
def two_at_once(ready: Ready, clock: Clock) -> Winnow:
    """A deployment that runs at most two batches at once, and five batches, requested in this order."""
    winnow = ready("exclusive.json")
    winnow.parameters["MostBatches"] = "2"
    put(winnow, TEXTS)
    for _ in range(5):
        clock.advance(seconds=1)
        assert post(winnow).status == 202
    return winnow


def batches(winnow: Winnow) -> list[Json]:
    """All batches, in the order of their requests."""
    listed: list[Json] = winnow.call("list_batches").body["batches"]
    return listed[::-1]


def statuses(winnow: Winnow) -> list[str]:
    return [batch["status"] for batch in batches(winnow)]


def jobs(winnow: Winnow) -> list[Json]:
    """The inputs of the executions that were started, in the order of the requests."""
    found = [winnow.stepfunctions.describe_execution(executionArn=it["executionArn"]) for it in winnow.executions("BatchWorkflow")]
    return sorted((json.loads(each["input"]) for each in found), key=lambda job: str(job["batch"]["batch"]))


def started(winnow: Winnow) -> list[int]:
    """The places in the list of the batches whose workflow was started."""
    names = [batch["batch"] for batch in batches(winnow)]
    return [names.index(job["batch"]["batch"]) for job in jobs(winnow)]


def ahead(winnow: Winnow) -> list[int | None]:
    return [get(winnow, batch["batch"]).body["ahead"] for batch in batches(winnow)]


def one_ended(winnow: Winnow) -> None:
    """Send the event of the registry's stream when a batch ended."""
    event = load_event("upkeep/start_waiting")
    event["Records"][0]["dynamodb"]["OldImage"] = {"batch_status": {"S": "running"}}
    winnow.invoke("functions/upkeep/start_waiting", event)


def test_so_many_start_and_the_others_wait_in_the_order_in_which_they_were_asked_for(two_at_once: Winnow) -> None:
    assert started(two_at_once) == [0, 1]
    assert statuses(two_at_once) == ["queued"] * 5
    assert ahead(two_at_once) == [None, None, 0, 1, 2]

    first, second = jobs(two_at_once)
    two_at_once.run_batch(second)
    one_ended(two_at_once)
    assert started(two_at_once) == [0, 1, 2]
    assert ahead(two_at_once) == [None, None, None, 0, 1]
    one_ended(two_at_once)
    assert started(two_at_once) == [0, 1, 2]

    two_at_once.run_batch(first)
    two_at_once.run_batch(jobs(two_at_once)[2])
    one_ended(two_at_once)
    assert started(two_at_once) == [0, 1, 2, 3, 4]
    for job in jobs(two_at_once)[3:]:
        two_at_once.run_batch(job)
    assert statuses(two_at_once) == ["ready"] * 5
    assert ahead(two_at_once) == [None] * 5


@pytest.mark.parametrize("end", ["cancel", "fail", "stopped"])
def test_however_a_batch_ends_its_slot_is_free(two_at_once: Winnow, end: str) -> None:
    first, _ = jobs(two_at_once)
    match end:
        case "cancel":
            assert cancel(two_at_once, first["batch"]["batch"]).status == 200
        case "fail":
            two_at_once.invoke("functions/batch/fail", first | {"failure": load_event("batch/fail")["failure"]})
        case "stopped":
            event = load_event("upkeep/execution_ended")
            event["detail"] |= {"status": "ABORTED", "input": json.dumps(first)}
            two_at_once.invoke("functions/upkeep/execution_ended", event)
    one_ended(two_at_once)

    assert started(two_at_once) == [0, 1, 2]


def test_what_was_cancelled_while_it_waited_loses_its_turn_and_never_starts(two_at_once: Winnow) -> None:
    third = batches(two_at_once)[2]["batch"]
    answer = cancel(two_at_once, third)
    assert (answer.status, answer.body["status"]) == (200, "cancelled")
    assert ahead(two_at_once) == [None, None, None, 0, 1]

    two_at_once.run_batch(jobs(two_at_once)[0])
    one_ended(two_at_once)

    assert started(two_at_once) == [0, 1, 3]
    assert cancel(two_at_once, third).body["type"] == "urn:winnow:problem:not-cancellable"


def test_a_deleted_model_s_batches_free_their_slots_at_once_and_those_that_wait_never_start(
    two_at_once: Winnow, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_at_once.train(id="other")
    path = {"model_id": "other"}
    waiting = two_at_once.call("create_batch", path=path, body={"s3bucket": "albert-textcats", "object": "texts.jsonl"}).body["batch"]
    assert len(jobs(two_at_once)) == 2
    # The deletion has no time for the rows, so the sweeper will remove them.
    monkeypatch.setattr("winnow.storage.model_objects.ModelObjects.remove_model", lambda *_: False)

    assert two_at_once.call("delete_model", path={"model_id": "tc-01"}).status == 202
    one_ended(two_at_once)

    assert [job["batch"]["batch"] for job in jobs(two_at_once)[2:]] == [waiting]
    assert [mark["batch"] for mark in marks(two_at_once)] == [waiting]


def test_the_sweep_counts_those_that_wait_and_leaves_them_waiting_for_as_long_as_it_takes(
    two_at_once: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    for job in jobs(two_at_once):
        two_at_once.invoke("functions/batch/split", job)
    clock.advance(minutes=45)
    assert sweep(two_at_once, capsys) == {"WaitingBatches": 3}
    for job in jobs(two_at_once):
        two_at_once.invoke("functions/batch/split", job)
    clock.advance(days=2)
    for job in jobs(two_at_once):
        two_at_once.invoke("functions/batch/split", job)
    assert sweep(two_at_once, capsys) == {"WaitingBatches": 3}
    assert statuses(two_at_once) == ["running", "running", "queued", "queued", "queued"]
    assert started(two_at_once) == [0, 1]


def test_the_sweep_starts_what_no_stream_told_of(two_at_once: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    for job in jobs(two_at_once):
        two_at_once.run_batch(job)
    clock.advance(days=3)

    assert sweep(two_at_once, capsys) == {"WaitingBatches": 1}
    assert started(two_at_once) == [0, 1, 2, 3]
    # A wait of days does not count: the sweeper leaves them alone, and they run as if they were new.
    assert sweep(two_at_once, capsys) == {"WaitingBatches": 1}
    for job in jobs(two_at_once)[2:]:
        assert two_at_once.run_batch(job) in BATCH_WORKFLOW["States"]
    assert statuses(two_at_once) == ["ready"] * 4 + ["queued"]


def test_a_batch_that_could_not_be_started_for_a_day_fails_and_frees_its_slot(
    two_at_once: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    for job in jobs(two_at_once):
        two_at_once.run_batch(job)
    two_at_once.names = {**two_at_once.names, "BatchWorkflow": "arn:aws:states:us-east-1:123456789012:stateMachine:gone"}
    one_ended(two_at_once)
    clock.advance(hours=25)

    # What waits gets its slot now, and its own day.
    assert sweep(two_at_once, capsys) == {"BatchesFailed": 2}
    assert statuses(two_at_once) == ["ready", "ready", "failed", "failed", "queued"]
    assert ahead(two_at_once)[4] is None
    assert "could not be started for a day" in batches(two_at_once)[2]["error"]


def test_batches_that_ran_before_there_were_slots_get_one_and_are_not_started_again(two_at_once: Winnow) -> None:
    """As during the upgrade from an earlier release, which started every batch at once."""
    third = marks(two_at_once)[2]
    given = {"batch": {name: third[name] for name in ("model_id", "uid", "batch")}}
    two_at_once.invoke("functions/batch/split", given)
    two_at_once.run_batch(jobs(two_at_once)[0])
    one_ended(two_at_once)
    assert started(two_at_once) == [0, 1]
    assert ahead(two_at_once) == [None, None, None, 0, 1]


@pytest.mark.parametrize("row", [{"since": "x"}, {"since": {}, "revision": "x"}, {"since": {"u#b": 5}, "revision": 3}])
def test_damaged_slots_are_made_again_for_those_that_have_waited_longest(
    two_at_once: Winnow, capsys: pytest.CaptureFixture[str], row: Json
) -> None:
    two_at_once.table.put_item(Item={**rows.BATCH_SLOTS_KEY, **row})

    found = sweep(two_at_once, capsys)

    assert ("SweepFaults" in found, found["WaitingBatches"]) == (False, 3)
    assert ahead(two_at_once) == [None, None, 0, 1, 2]
    assert started(two_at_once) == [0, 1]


# --- so many may wait ---


def test_no_more_may_wait_than_there_is_room_for(two_at_once: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_WAITING", 3)
    refused = post(two_at_once)
    assert (refused.status, refused.body["type"]) == (429, "urn:winnow:problem:too-many-batches")
    assert refused.body["detail"].startswith("3 batches wait for their turn already, and no more may")
    assert refused.headers["Retry-After"] == "60"
    assert len(batches(two_at_once)) == 5

    cancel(two_at_once, batches(two_at_once)[4]["batch"])
    assert post(two_at_once, key="k").status == 202
    # What was answered is answered again, although no more may wait.
    assert post(two_at_once).status == 429
    assert post(two_at_once, key="k").status == 202


def test_by_default_one_batch_runs_and_a_hundred_may_wait(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)
    assert {post(winnow).status for _ in range(101)} == {202}
    assert post(winnow).status == 429
    assert len(winnow.executions("BatchWorkflow")) == 1


def test_a_batch_is_accepted_when_it_was_registered_even_if_nothing_can_be_started(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    put(winnow, TEXTS)

    def broken(*_: object) -> None:
        message = "no answer of the registry"
        raise RuntimeError(message)

    with monkeypatch.context() as patched:
        patched.setattr("winnow.registry.slots.Slots.read", broken)
        assert post(winnow).status == 202
    assert winnow.executions("BatchWorkflow") == []

    assert sweep(winnow, capsys) == {}
    assert started(winnow) == [0]
