"""Drop files into the inbox in tests, and let what follows happen: batches, trainings, their events, and the function that gets these."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from boto3.dynamodb.types import TypeSerializer

from tests.conftest import load_event
from winnow.aws import clients
from winnow.domain.batch import ACTIVE_BATCH
from winnow.domain.clock import now
from winnow.domain.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

    from tests.conftest import Json, Winnow

TAKE = "functions/upkeep/take_file"


class Bus:
    """An event bus that keeps its events, as a rule gets them."""

    def __init__(self) -> None:
        self.events: list[Json] = []

    def put_events(self, Entries: Sequence[Mapping[str, str]]) -> Json:  # noqa: N803
        self.events += [{"source": it["Source"], "detail-type": it["DetailType"], "detail": json.loads(it["Detail"])} for it in Entries]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clients, "events", cache(lambda: self))


class Inbox:
    """The folders of a deployment with Inbox=true."""

    def __init__(self, winnow: Winnow, bus: Bus) -> None:
        self.winnow = winnow
        self.bus = bus
        self.told: set[tuple[str, str]] = set()
        winnow.parameters["Inbox"] = "true"

    @property
    def bucket(self) -> str:
        return self.winnow.names["Datasets"]

    def put(self, key: str, body: bytes | Sequence[Any]) -> Json:
        """Put a file (bytes as they are, or records as JSON Lines). Returns S3's event."""
        lines = body if isinstance(body, bytes) else "".join(json.dumps(record) + "\n" for record in body).encode()
        self.winnow.s3.put_object(Bucket=self.bucket, Key=key, Body=lines)
        event = load_event("upkeep/take_file") | {"time": now()}
        event["detail"]["object"] |= {"key": key, "size": len(lines), "version-id": uuid4().hex}
        return event

    def drop(self, key: str, body: bytes | Sequence[Any], deliveries: int = 1) -> Json:
        """The same, and tell of it this often. Returns the event."""
        event = self.put(key, body)
        for _ in range(deliveries):
            self.winnow.invoke(TAKE, event)
        return event

    def settle(self) -> None:
        """Run what was started, and deliver the events of its end, until nothing happens any more."""
        while self._run() or self._tell():
            pass

    def objects(self) -> list[str]:
        return [entry["Key"] for entry in self.winnow.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def read(self, key: str) -> bytes:
        body: bytes = self.winnow.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def error(self, key: str) -> Json:
        """The sentence beside a file, with what it is about."""
        found: Json = json.loads(self.read(f"{key}.error.json"))
        return found

    def rows(self, beginning: str) -> list[Json]:
        return sorted((row for row in self.winnow.table.scan()["Items"] if row["pk"].startswith(beginning)), key=lambda row: row["sk"])

    def batches(self) -> list[Json]:
        return self.rows("BATCHES#")

    def waiting(self) -> list[str]:
        """The keys of the files that wait."""
        return [row["object"] for row in self.rows("INBOX")]

    def _run(self) -> bool:
        began = False
        for row in self.batches():
            started = {it["name"] for it in self.winnow.executions("BatchWorkflow")}
            if row["batch_status"] == "queued" and f"{row['uid']}-{row['batch']}" in started:
                self.winnow.run_batch({"batch": {name: row[name] for name in ("model_id", "uid", "batch")}})
                began = True
        for row in self.rows("VERSIONS#"):
            if row["status"] == "queued":
                job = {name: row[name] for name in ("model_id", "uid")} | {name: int(row[name]) for name in ("version", "fence")}
                self.winnow.run_workflow({"job": job})
                began = True
        return began

    def _tell(self) -> bool:
        """The registry's stream, Announce, and the rule."""
        kinds = (("BATCHES#", "batch_status", ACTIVE_BATCH), ("VERSIONS#", "status", ACTIVE))
        ended = [row for kind, name, active in kinds for row in self.rows(kind) if row[name] not in active]
        new = [row for row in ended if (row["pk"], row["sk"]) not in self.told]
        self.told |= {(row["pk"], row["sk"]) for row in new}
        if new:
            images = [{name: TypeSerializer().serialize(value) for name, value in row.items()} for row in new]
            self.winnow.invoke("functions/upkeep/announce", {"Records": [{"dynamodb": {"NewImage": image}} for image in images]})
        events, self.bus.events = self.bus.events, []
        for event in events:
            self.deliver(event)
        if any("batch_status" in row for row in new):
            event = load_event("upkeep/start_waiting")
            event["Records"][0]["dynamodb"]["OldImage"] = {"batch_status": {"S": "running"}}
            self.winnow.invoke("functions/upkeep/start_waiting", event)
        return bool(new)

    def deliver(self, event: Json) -> None:
        self.winnow.invoke(TAKE, event)
