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
from winnow.domain.batch import ACTIVE_BATCH
from winnow.domain.model import ACTIVE

# Of each kind of job: the beginning of the keys of its rows, the attribute with its status, the statuses before its end, and its number.
_JOBS = (("VERSIONS#", "status", ACTIVE, "version"), ("BATCHES#", "batch_status", ACTIVE_BATCH, "batch"))


@dataclass
class Outside:
    """records: of the registry's stream, not delivered yet. events: the details of those on the bus. for_rule: those that no rule has got.
    calls: of other functions, not made yet, by folder."""

    records: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    for_rule: list[Json] = field(default_factory=list)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    # What the stream told of: the ends of trainings and of batch predictions as model, version or batch, and status; and policies as model,
    # revision and "policy".
    ends: set[tuple[str, int | str, str]] = field(default_factory=set)
    _seen: dict[tuple[str, str], Json] = field(default_factory=dict)
    # None before the first look, which tells of no policy.
    _policies: set[tuple[str, str]] | None = None

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of moto's event bus, and of its Lambda."""

        def put_events(_: Any, entries: Sequence[Json]) -> list[Json]:
            details = [json.loads(entry["Detail"]) for entry in entries]
            self.events += details
            self.for_rule += [{"detail-type": entry["DetailType"], "detail": it} for entry, it in zip(entries, details, strict=True)]
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
        for kept in (self.records, self.events, self.for_rule, self.calls, self.ends, self._seen):
            kept.clear()
        self._policies = None

    def see(self, rows: Sequence[Json], table: Any) -> None:
        """Note the ends of trainings and batch predictions, and the policies, since the last look, as the stream's filters in
        template.yaml do."""
        seen: dict[tuple[str, str], Json] = {}
        for beginning, name, active, number in _JOBS:
            # A row that an update made of nothing has no number.
            jobs = {(row["pk"], row["sk"]): row for row in rows if row["pk"].startswith(beginning) and {name, number} <= row.keys()}
            for key, before in self._seen.items():
                if not key[0].startswith(beginning):
                    continue
                after = jobs.get(key)
                if before[name] not in active or (after and after[name] in active):
                    continue
                images: Json = {"OldImage": {name: {"S": before[name]}}}
                if after:
                    images["NewImage"] = _image(table, key)
                    which = after[number] if number == "batch" else int(after[number])
                    self.ends.add((after["model_id"], which, after[name]))
                self.records.append({"eventName": "MODIFY" if after else "REMOVE", "dynamodb": images})
            seen |= jobs
        self._seen = seen
        policies = {(row["pk"], row["sk"]): row for row in rows if row["pk"].startswith("POLICIES#")}
        for key in sorted(policies.keys() - (policies.keys() if self._policies is None else self._policies)):
            self.ends.add((policies[key]["model_id"], int(policies[key]["revision"]), "policy"))
            self.records.append({"eventName": "INSERT", "dynamodb": {"NewImage": _image(table, key)}})
        self._policies = set(policies)

    def not_announced(self) -> Iterator[str]:
        """What no event told of."""
        told = {(it["model_id"], it.get("batch", it.get("version", it.get("revision"))), it.get("status", "policy")) for it in self.events}
        yield from (f"{model_id}/{which} as {status} was not announced" for model_id, which, status in self.ends - told)


def _image(table: Any, key: tuple[str, str]) -> Json:
    """A row as the stream has it."""
    item = table.get_item(Key={"pk": key[0], "sk": key[1]})["Item"]
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def deliveries(function: str) -> int:
    """How often a function of the template gets a batch of the stream's records, if it fails each time."""
    return 1 + int(functions()[function]["Events"]["Ended"]["Properties"]["MaximumRetryAttempts"])
