"""Each write of a batch prediction fails, one at a time, in every way. The batch still ends once, with a result or a reason."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import moto.s3.models
import pytest

from tests.conftest import BATCH_WORKFLOW, CLIENT_BUCKET, Json
from tests.faults.wire import Crash, How
from tests.support import moments
from winnow.batch import split_join
from winnow.domain.batch import BatchStatus
from winnow.storage import multipart

if TYPE_CHECKING:
    from tests.conftest import Answer, Tell
    from tests.faults.world import World
    from tests.support.moments import Moment

PARTS = {"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"}
TEXTS = ["a flat tyre", "prune the roses", "", "change the oil", "tulip bulbs"]


@pytest.fixture
def ready(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A ready model, texts to classify, and shards of two lines."""
    monkeypatch.setattr(split_join, "MOST_LINES", 2)
    world.post()
    world.run_executions()
    lines = "\n".join(json.dumps(text) for text in TEXTS)
    table = "".join(f"{place},{text}\n" for place, text in enumerate(["text", *TEXTS]))
    for key, body in (("texts.jsonl", lines), ("texts.csv", table)):
        world.winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key=key, Body=body.encode())
    return world


def create(world: World, key: str = "texts.jsonl") -> Answer:
    body = {"s3bucket": CLIENT_BUCKET, "object": key}
    return world.winnow.call("create_batch", body=body, headers={"Idempotency-Key": "a-key"})


def until_answered(call: Callable[[], Answer]) -> Answer:
    """Call like a client: again after a crash or a failure."""
    for _ in range(3):
        try:
            answer = call()
        except Crash:
            continue
        if answer.status < 500:
            return answer
    pytest.fail("no answer")


def run_executions(world: World) -> None:
    """Run the executions that were started and not stopped. A task that dies is tried again, as the template says."""
    for execution in moments.executions("BatchWorkflow"):
        if execution.status == "RUNNING":
            try:
                end = world.winnow.run_batch(json.loads(execution.execution_input))
            except Exception:
                # Its Fail state failed in each try: the sweeper sees that nothing works on the batch any more.
                execution.status = "FAILED"
            else:
                execution.status = "FAILED" if BATCH_WORKFLOW["States"][end]["Type"] == "Fail" else "SUCCEEDED"


def settle(world: World) -> None:
    for minutes in (6, 60):
        run_executions(world)
        world.clock.advance(minutes=minutes)
        world.sweep()


def classified(world: World) -> None:
    until_answered(lambda: create(world))
    run_executions(world)


def classified_as_table(world: World) -> None:
    until_answered(lambda: create(world, "texts.csv"))
    run_executions(world)


def cancelled(world: World) -> None:
    path = {"model_id": "tc-01", "batch": _split(world)}
    until_answered(lambda: world.winnow.call("cancel_batch", path=path))


def deleted(world: World) -> None:
    _split(world)
    until_answered(lambda: world.winnow.call("delete_model", path={"model_id": "tc-01"}))


def _split(world: World) -> str:
    """Run a batch up to the end of Split, or to its failure there. Returns its id."""
    made: Json = until_answered(lambda: create(world)).body
    [row] = [row for row in world.rows() if row["pk"] == "BATCHES"]
    with suppress(Exception):
        world.winnow.invoke("functions/batch/split", {"batch": {name: row[name] for name in ("model_id", "uid", "batch")}})
    batch: str = made["batch"]
    return batch


def violations(world: World, act: Callable[[World], None]) -> Iterator[str]:
    rows = [row for row in world.rows() if row["pk"].startswith("BATCHES")]
    batches = [row for row in rows if row["pk"] != "BATCHES"]
    yield from (f"a mark is left of {row['batch']}" for row in rows if row["pk"] == "BATCHES")
    objects = world.winnow.objects()
    yield from (f"an object is left: {key}" for key in objects if key.startswith("shards/") and act is not cancelled)
    if act is deleted:
        yield from (f"a row is left: {row['batch']}" for row in rows)
        yield from (f"an object is left: {key}" for key in objects)
        return
    if len(batches) != 1:
        yield f"{len(batches)} batches for one Idempotency-Key"
        return
    [batch] = batches
    allowed = {"cancelled", "failed"} if act is cancelled else {"ready", "failed"}
    if batch["batch_status"] not in allowed:
        yield f"the batch is {batch['batch_status']}"
    if batch["batch_status"] == "ready":
        [result] = [body for key, body in objects.items() if key.startswith("batches/")]
        if act is classified_as_table:
            found = [(int(row["0"]), bool(row["error"])) for row in csv.DictReader(result.decode().splitlines())]
        else:
            found = [(line["line"], "error" in line) for line in map(json.loads, result.splitlines())]
        if found != [(place, not text) for place, text in enumerate(TEXTS, start=1)]:
            yield f"the result is {found}"
    if len(moments.executions("BatchWorkflow")) > 1:
        yield "several executions for one batch"


@pytest.mark.parametrize("act", [classified, classified_as_table, cancelled, deleted], ids=lambda act: act.__name__)
def test_a_fault_at_any_write_loses_nothing_and_doubles_nothing(ready: World, tell: Tell, act: Callable[[World], None]) -> None:
    found, cases, ends = sweep(ready, act)
    tell(f"{cases} faults: {len(found)} violations; ends: {ends}")
    assert cases > 10
    assert not found, "\n".join(found)


def test_a_fault_at_any_write_of_parts_loses_nothing(ready: World, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results are written in parts. If a part is refused, the upload is given up, which can fail too."""
    monkeypatch.setattr(multipart, "LEAST_PART", 100)
    monkeypatch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", 1)

    moment = moments.keep(ready.winnow)
    classified(ready)
    assert {write.operation for write in ready.wire.writes} >= PARTS
    back(ready, moment)
    found, cases, ends = sweep(ready, classified)
    given_up, more, _ = sweep(ready, classified, first=How.THROTTLED, of="UploadPart")

    tell(f"{cases + more} faults: ends: {ends}")
    assert more
    # If the task that tidies up after a failure fails too, the bucket's lifecycle removes the shards.
    given_up = [it for it in given_up if "an object is left: shards/" not in it]
    assert not found + given_up, "\n".join(found + given_up)


def test_what_is_broken_on_purpose_is_found(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.registry.batch_predictions.ACTIVE_BATCH", tuple(BatchStatus))
    found, _, _ = sweep(ready, cancelled)
    assert any("the batch is ready" in it for it in found), found


def sweep(world: World, act: Callable[[World], None], first: How | None = None, of: str = "") -> tuple[list[str], int, Json]:
    """Each write of an act with each kind of fault. Returns the violations, the number of cases, and the ends of batches.

    first: instead, these faults of each write of the operation `of`, and each kind of fault of the write that follows, which gives it up.
    """
    moment = moments.keep(world.winnow)
    world.wire.arm({})
    act(world)
    writes = [(number, str(write)) for number, write in enumerate(world.wire.writes, start=1) if write.operation.startswith(of)]
    found, ends, given_up = [], dict[str, Any](), 0
    for number, write in writes:
        for how in How:
            back(world, moment)
            world.wire.arm({number: how} if first is None else {number: first, number + 1: how})
            act(world)
            # As if the execution was stopped too late, or its Lambda still runs.
            for execution in moments.executions("BatchWorkflow") if act is cancelled else []:
                execution.status = "RUNNING"
            settle(world)
            assert world.wire.hits, f"{write} [{how}] was never reached"
            given_up += any(hit.operation == "AbortMultipartUpload" for hit in world.wire.hits)
            found += [f"{act.__name__}: {write} [{how}]: {violation}" for violation in violations(world, act)]
            for row in world.rows():
                if "batch_status" in row:
                    ends[row["batch_status"]] = ends.get(row["batch_status"], 0) + 1
    back(world, moment)
    # The upload of a last part is given up by the bucket's lifecycle.
    assert first is None or given_up >= len(How)
    return found, len(writes) * len(How), ends


def back(world: World, moment: Moment) -> None:
    world.bring_back(moment, world.lives)
    moments.executions("BatchWorkflow").clear()
