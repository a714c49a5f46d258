"""Each end of a training or of a batch prediction, and each change of a policy, sends an event to the event bus.

The events come from the registry's stream, so they cover every kind of end. (Drift: tests/functions/api/test_drift.py.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from jsonschema import Draft202012Validator

from tests.conftest import ROOT, Json, load_event
from tests.support.batches import TEXTS, cancel, done, post
from tests.support.batches import put as put_texts
from tests.support.contract import functions
from tests.support.policies import put as put_policy
from winnow.aws import clients
from winnow.domain.batch import ACTIVE_BATCH, BatchStatus
from winnow.domain.model import ACTIVE, VersionStatus

EVENTS: Json = json.loads((ROOT / "docs" / "events.schema.json").read_text())
SCHEMA = Draft202012Validator(EVENTS)

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow


class Bus:
    """An event bus that keeps its events. It refuses a number of entries first."""

    def __init__(self, refused: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self._refused = refused

    def put_events(self, Entries: Sequence[Mapping[str, str]]) -> Json:  # noqa: N803
        assert 1 <= len(Entries) <= 10
        if self._refused:
            self._refused -= 1
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
        self.events += [{**entry, "Detail": json.loads(entry["Detail"])} for entry in Entries]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    made = Bus()
    monkeypatch.setattr(clients, "events", cache(lambda: made))
    return made


def record(winnow: Winnow, number: int = 1) -> Json:
    """The stream's record of a version's row as it is now."""
    [row] = [row for row in winnow.table.scan()["Items"] if row.get("version") == number and "status" in row]
    return _record(row, {"status": {"S": "evaluating"}})


def record_of_batch(winnow: Winnow, batch: str) -> Json:
    """The same of a batch prediction's row."""
    [row] = [row for row in winnow.table.scan()["Items"] if row["sk"] == batch]
    return _record(row, {"batch_status": {"S": "running"}})


def records_of_policies(winnow: Winnow) -> list[Json]:
    """The stream's records of all policies, the first one first."""
    found = sorted((row for row in winnow.table.scan()["Items"] if row["pk"].startswith("POLICIES#")), key=lambda row: row["sk"])
    return [_record(row) for row in found]


def _record(row: Json, before: Json | None = None) -> Json:
    """before: what was different in the row. None for a new one."""
    image = {name: TypeSerializer().serialize(value) for name, value in row.items()}
    images = {"Keys": {name: image[name] for name in ("pk", "sk")}, "NewImage": image}
    return (
        {"eventName": "INSERT", "dynamodb": images}
        if before is None
        else {
            "eventName": "MODIFY",
            "dynamodb": {**images, "OldImage": image | before},
        }
    )


def announced(winnow: Winnow, bus: Bus, *records: Json) -> list[Json]:
    """The details of the events that the function puts on the bus. All of them are as the schema says."""
    winnow.invoke("functions/upkeep/announce", {"Records": list(records)})
    for event in bus.events:
        SCHEMA.validate({"source": event["Source"], "detail-type": event["DetailType"], "detail": event["Detail"]})
    return [event["Detail"] for event in bus.events]


def test_a_damaged_row_keeps_no_other_from_being_announced(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    damaged = {"dynamodb": {"NewImage": {"pk": {"S": "VERSIONS#u"}, "sk": {"S": "000001"}, "status": {"S": "ready"}}}}

    assert [detail["version"] for detail in announced(winnow, bus, damaged, record(winnow))] == [1]


def test_a_version_that_became_ready_is_announced_with_what_it_is_worth(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    [detail] = announced(winnow, bus, record(winnow))

    version = winnow.version()
    assert detail == {
        "model_id": "tc-01",
        "version": 1,
        "status": "ready",
        "live": True,
        **{name: version[name] for name in ("evaluation", "gate", "error", "finished_at")},
    }
    assert {(event["Source"], event["DetailType"]) for event in bus.events} == {("winnow", "Winnow Training Ended")}


def test_failed_cancelled_and_not_live_versions_are_told_as_they_are(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    winnow.put_dataset(b"[]")
    failed = winnow.train(force_update=True)
    winnow.create("create_model_force_update")
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "3"})

    details = announced(winnow, bus, record(winnow, 2), record(winnow, 3))

    assert [(detail["version"], detail["status"], detail["live"]) for detail in details] == [(2, "failed", False), (3, "cancelled", False)]
    assert details[0]["error"] == failed["error"]


def test_a_version_of_a_deleted_model_is_not_live(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    of_it = record(winnow)
    winnow.call("delete_model", path={"model_id": "tc-01"})
    assert [detail["live"] for detail in announced(winnow, bus, of_it)] == [False]


def test_many_are_put_ten_at_a_time(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    assert len(announced(winnow, bus, *[record(winnow)] * 25)) == 25


def test_what_the_bus_refuses_is_announced_again(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow, bus = ready("exclusive.json"), Bus(refused=1)
    monkeypatch.setattr(clients, "events", cache(lambda: bus))
    with pytest.raises(RuntimeError, match="ThrottlingException"):
        announced(winnow, bus, record(winnow))
    assert len(announced(winnow, bus, record(winnow))) == 1


def test_the_recorded_event_is_understood(winnow: Winnow, bus: Bus) -> None:
    winnow.invoke("functions/upkeep/announce", load_event("upkeep/announce"))
    assert [(event["Detail"]["model_id"], event["Detail"]["status"]) for event in bus.events] == [("tc-01", "ready")]


# --- batch predictions ---


def test_a_batch_that_is_ready_is_announced_with_the_place_of_its_result(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    put_texts(winnow, [*TEXTS, ""])
    batch = done(winnow)

    [detail] = announced(winnow, bus, record_of_batch(winnow, batch["batch"]))

    names = ("model_id", "batch", "version", "status", "s3bucket", "object", "error", "created_at", "finished_at")
    assert {name: detail[name] for name in names} == {name: batch[name] for name in names}
    assert (detail["lines"], detail["errors"], detail["warning"], detail["policy"]) == (6, 1, None, None)
    assert bus.events[0]["DetailType"] == "Winnow Batch Ended"
    there = winnow.s3.get_object(Bucket=detail["result"]["s3bucket"], Key=detail["result"]["object"])["Body"].read()
    assert len(there.splitlines()) == 6


def test_failed_and_cancelled_batches_are_told_as_they_are(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    put_texts(winnow, b"")
    failed = done(winnow)
    stopped = post(winnow).body["batch"]
    cancel(winnow, stopped)

    first, second = announced(winnow, bus, record_of_batch(winnow, failed["batch"]), record_of_batch(winnow, stopped))

    assert (first["status"], first["error"], first["result"], first["lines"]) == ("failed", failed["error"], None, None)
    assert (second["batch"], second["status"], second["result"]) == (stopped, "cancelled", None)


# --- policies ---


def test_each_policy_is_announced_and_so_is_the_end_of_the_last_one(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    set_at = put_policy(winnow, thresholds={"baking": 1}).body["policy"]["created_at"]
    winnow.call("delete_policy")

    first, second = announced(winnow, bus, *records_of_policies(winnow))

    assert first == {
        "model_id": "tc-01",
        "revision": 1,
        "changed_at": set_at,
        "policy": {"min_precision": None, "thresholds": {"baking": 1}, "more_thresholds": 0, "cost": None, "evaluation": None},
        "applied": {"version": 1, "threshold": None, "reason": None},
    }
    assert (second["revision"], second["policy"], second["applied"]) == (2, None, None)
    assert {event["DetailType"] for event in bus.events} == {"Winnow Policy Changed"}


def test_the_event_of_a_policy_with_many_thresholds_is_small(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    put_policy(winnow, thresholds={"baking": 1})
    [of_policy] = records_of_policies(winnow)
    many = {f"label {number:04d}": {"N": "0.5"} for number in range(1_000)}
    of_policy["dynamodb"]["NewImage"]["aim"] = {"M": {"thresholds": {"M": many}}}

    [detail] = announced(winnow, bus, of_policy)

    assert list(detail["policy"]["thresholds"]) == [f"label {number:04d}" for number in range(50)]
    assert detail["policy"]["more_thresholds"] == 950


# --- the filter, and the documentation ---


def test_the_filter_lets_what_is_announced_through_and_nothing_else() -> None:
    filters = functions()["Announce"]["Events"]["Ended"]["Properties"]["FilterCriteria"]["Filters"]
    # Lambda takes at most five: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
    training, batch, day, policy = [json.loads(each["Pattern"]) for each in filters]
    # Rows of days and of policies are written once. (Their form: test_drift.py.)
    assert day == {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"drifted": {"BOOL": [True]}}}}
    assert policy == {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "POLICIES#"}]}}}}
    ended: list[tuple[Json, str, set[str], set[str]]] = [
        (training, "status", {*VersionStatus}, {*ACTIVE}),
        (batch, "batch_status", {*BatchStatus}, {*ACTIVE_BATCH}),
    ]
    for pattern, name, statuses, active in ended:
        assert pattern["eventName"] == ["MODIFY"]
        assert set(pattern["dynamodb"]["NewImage"][name]["S"]) == statuses - active
        assert set(pattern["dynamodb"]["OldImage"][name]["S"]) == active


def documented() -> dict[str, Json]:
    """The examples of docs/events.md by their detail types."""
    text = (ROOT / "docs" / "events.md").read_text()
    return {each["detail-type"]: each for each in map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))}


def test_each_event_has_an_example_that_is_as_the_schema_says() -> None:
    assert documented().keys() == {each["properties"]["detail-type"]["const"] for each in EVENTS["$defs"].values()}
    for example in documented().values():
        SCHEMA.validate(example)


def test_the_examples_have_the_fields_that_are_sent(ready: Ready, bus: Bus) -> None:
    winnow = ready("exclusive.json")
    put_texts(winnow, TEXTS)
    put_policy(winnow, thresholds={"baking": 1})
    batch = record_of_batch(winnow, done(winnow)["batch"])
    announced(winnow, bus, record(winnow), batch, *records_of_policies(winnow))
    sent = {event["DetailType"]: event["Detail"] for event in bus.events}
    assert {kind: documented()[kind]["detail"].keys() for kind in sent} == {kind: detail.keys() for kind, detail in sent.items()}
    assert len(sent) == 3
