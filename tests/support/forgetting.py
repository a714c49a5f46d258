"""Ask for a forgetting like a client, do what Lambda, the schedule and the clock do, and search everything that is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3

from tests.conftest import Context, load_event
from tests.support.object_versions import object_versions
from winnow.domain.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Answer, Json, Winnow
    from tests.support.clock import Clock
    from tests.support.invoked import Invoked

WORK = "functions/upkeep/work_on_forgetting"
SWEEP = "functions/upkeep/sweep"


def ask(winnow: Winnow, *, headers: Json | None = None, **body: Any) -> Answer:
    return winnow.call("forget", body=body, headers=headers)


def receipt(winnow: Winnow, forgetting: str) -> Json:
    answer = winnow.call("get_forgetting", path={"forgetting": forgetting})
    assert answer.status == 200, answer.body
    found: Json = answer.body
    return found


def work(winnow: Winnow, invoked: Invoked) -> None:
    """Lambda makes the calls that nobody waits for."""
    events, invoked.events = invoked.events, []
    for event in events:
        winnow.invoke(WORK, event, Context(seconds=900))


def sweep(winnow: Winnow, invoked: Invoked) -> None:
    winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=240))
    work(winnow, invoked)


def run_trainings(winnow: Winnow) -> None:
    """Run the started trainings of versions that have not ended."""
    active = {(row["uid"], int(row["version"])) for row in winnow.table.scan()["Items"] if row.get("status") in ACTIVE}
    for execution in winnow.executions():
        given = json.loads(winnow.stepfunctions.describe_execution(executionArn=execution["executionArn"])["input"])
        if (given["job"]["uid"], given["job"]["version"]) in active:
            winnow.run_workflow(given)


def to_the_end(winnow: Winnow, invoked: Invoked, clock: Clock, forgetting: str) -> Json:
    """Let time pass until the forgetting is done. Returns its receipt."""
    work(winnow, invoked)
    for _ in range(12):
        run_trainings(winnow)
        found = receipt(winnow, forgetting)
        if found["status"] == "done":
            return found
        clock.advance(minutes=6)
        sweep(winnow, invoked)
    raise AssertionError(found)


def kept(winnow: Winnow) -> Iterator[tuple[str, str]]:
    """Every row of the registry, and every S3 version of every object in the stack's buckets, unpacked."""
    for row in winnow.table.scan()["Items"]:
        yield f"{row['pk']}/{row['sk']}", json.dumps(row, default=str, ensure_ascii=False)
    yield from object_versions(boto3.client("s3"), (winnow.names["Models"], winnow.names["Datasets"]))


def having(winnow: Winnow, word: str) -> list[str]:
    """The places that have the word, in any spelling."""
    return sorted({place for place, content in kept(winnow) if word.lower() in content.lower()})
