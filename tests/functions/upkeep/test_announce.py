"""Each end of a training sends an event to the event bus. It comes from the registry's stream, so it covers every kind of end."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from tests.conftest import ROOT, load_event
from tests.support.contract import functions
from winnow.aws import clients
from winnow.domain.model import ACTIVE, VersionStatus
from winnow.upkeep import announce

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow


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
    image = {name: TypeSerializer().serialize(value) for name, value in row.items()}
    return {"eventName": "MODIFY", "dynamodb": {"NewImage": image, "OldImage": image | {"status": {"S": "evaluating"}}}}


def announced(winnow: Winnow, bus: Bus, *records: Json) -> list[Json]:
    winnow.invoke("functions/upkeep/announce", {"Records": list(records)})
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


def test_the_filter_lets_the_end_of_a_version_and_a_drifted_day_through_and_nothing_else() -> None:
    criteria, of_drift = functions()["Announce"]["Events"]["Ended"]["Properties"]["FilterCriteria"]["Filters"]
    pattern = json.loads(criteria["Pattern"])
    # Rows of days are written once. (Their form: test_drift.py.)
    assert json.loads(of_drift["Pattern"]) == {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"drifted": {"BOOL": [True]}}}}
    assert pattern["eventName"] == ["MODIFY"]
    assert set(pattern["dynamodb"]["NewImage"]["status"]["S"]) == set(VersionStatus) - set(ACTIVE)
    assert set(pattern["dynamodb"]["OldImage"]["status"]["S"]) == set(ACTIVE)


def test_the_documentation_names_what_is_sent(ready: Ready, bus: Bus) -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    documented = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    winnow = ready("exclusive.json")
    [detail] = announced(winnow, bus, record(winnow))
    assert documented["detail"].keys() == detail.keys()
    assert (documented["source"], documented["detail-type"]) == (announce.SOURCE, announce.DETAIL_TYPE)
    assert announce.SOURCE in text
