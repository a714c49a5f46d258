"""What functions reach beside the registry, buckets and workflows: the registry's stream, the event bus, and other functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from moto.awslambda.models import LambdaBackend
from moto.events.models import EventsBackend

from tests.conftest import Json
from tests.support.contract import functions
from winnow.domain.model import ACTIVE


@dataclass
class Outside:
    """records: of the registry's stream, not delivered yet. events: on the bus. calls: of other functions, not made yet, by folder."""

    records: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    # The ends of trainings that the stream told of: model, version and status.
    ends: set[tuple[str, int, str]] = field(default_factory=set)
    _seen: dict[tuple[str, str], Json] = field(default_factory=dict)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of moto's event bus, and of its Lambda."""

        def put_events(_: Any, entries: Sequence[Json]) -> list[Json]:
            self.events += [json.loads(entry["Detail"]) for entry in entries]
            return [{"EventId": "1"} for _ in entries]

        def invoke(_: Any, name: str, __: Any, body: bytes, *___: Any) -> str:
            self.calls.append((functions()[name]["CodeUri"], json.loads(body)))
            return ""

        monkeypatch.setattr(EventsBackend, "put_events", put_events)
        monkeypatch.setattr(LambdaBackend, "invoke", invoke)

    def bring_back(self, kept: Outside) -> None:
        """Be as `kept` was: a copy that was made earlier."""
        for each in fields(kept):
            setattr(self, each.name, deepcopy(getattr(kept, each.name)))

    def forget(self) -> None:
        for kept in (self.records, self.events, self.calls, self.ends, self._seen):
            kept.clear()

    def see(self, rows: Sequence[Json], table: Any) -> None:
        """Note the ends of trainings since the last look, as the stream's filters in template.yaml do."""
        versions = {(row["pk"], row["sk"]): row for row in rows if row["pk"].startswith("VERSIONS#") and "status" in row}
        for key, before in self._seen.items():
            after = versions.get(key)
            if before["status"] not in ACTIVE or (after and after["status"] in ACTIVE):
                continue
            images: Json = {"OldImage": {"status": {"S": before["status"]}}}
            if after:
                item = table.get_item(Key={"pk": key[0], "sk": key[1]})["Item"]
                images["NewImage"] = {name: TypeSerializer().serialize(value) for name, value in item.items()}
                self.ends.add((after["model_id"], int(after["version"]), after["status"]))
            self.records.append({"eventName": "MODIFY" if after else "REMOVE", "dynamodb": images})
        self._seen = versions

    def not_announced(self) -> Iterator[str]:
        """The ends that no event told of."""
        told = {(event["model_id"], event["version"], event["status"]) for event in self.events}
        yield from (f"the end of {model_id}/{version} as {status} was not announced" for model_id, version, status in self.ends - told)


def deliveries(function: str) -> int:
    """How often a function of the template gets a batch of the stream's records, if it fails each time."""
    return 1 + int(functions()[function]["Events"]["Ended"]["Properties"]["MaximumRetryAttempts"])
