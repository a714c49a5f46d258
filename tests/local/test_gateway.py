"""What the local cloud does with a call around MiniStack: which calls are noted, refused or sent away when all workers are busy."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from local import workers
from local.gateway import Application, Gate, Message, Receive, Send
from local.workers import queueing

API = "/_aws/execute-api/abc/v1"
FUNCTION = {"config": {"FunctionName": "predict", "Timeout": 28}}


@dataclass
class Around:
    """A gate around an application, and what the gate told."""

    application: Application
    refusal: str | None = None
    no_room: str | None = None
    noted: list[str] = field(default_factory=list)
    changes: int = 0

    def __post_init__(self) -> None:
        self.gate = Gate(self.application, lambda adds: self.refusal if adds else self.no_room, self._change, self.noted.append)

    def call(self, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], Any]:
        return asyncio.run(self._call(method, path, headers))

    async def _call(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await self.gate({"type": "http", "method": method, "path": path, "headers": named}, receive, send)
        start, body = sent
        return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, json.loads(body["body"])

    def _change(self) -> None:
        self.changes += 1


async def answering(scope: Message, receive: Receive, send: Send, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def failing(scope: Message, receive: Receive, send: Send) -> None:
    await answering(scope, receive, send, 409)


@pytest.mark.parametrize(
    ("method", "path", "headers", "noted"),
    [
        ("POST", f"{API}/models", {}, "POST /models"),
        ("DELETE", f"{API}/models/a", {}, "DELETE /models/a"),
        ("PUT", "/datasets/savings.json", {}, "PUT /datasets/savings.json"),
        ("POST", "/apikeys", {}, "POST /apikeys"),
        # Functions and deployments.
        ("DELETE", "/datasets", {}, None),
        ("POST", "/usageplans/abc/keys", {}, None),
        ("PUT", "/models/a/1/artifact", {"x_amz_security_token": "token"}, None),
        ("POST", "/", {"x_amz_target": "DynamoDB_20120810.PutItem", "x_amz_security_token": "token"}, None),
        ("POST", "/", {}, None),
        ("PUT", "/winnow-local-artifacts/abc", {}, None),
    ],
)
def test_a_change_is_told_and_noted_if_a_client_made_it(method: str, path: str, headers: dict[str, str], noted: str | None) -> None:
    around = Around(answering)
    assert around.call(method, path, **headers)[0] == 200
    assert around.changes == 1
    assert around.noted == ([noted] if noted else [])


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", f"{API}/models", {}),
        ("POST", f"{API}/prediction", {}),
        ("POST", "/", {"x_amz_target": "DynamoDB_20120810.GetItem"}),
    ],
)
def test_a_read_is_no_change(method: str, path: str, headers: dict[str, str]) -> None:
    around = Around(answering, refusal="The disk is full.")
    assert around.call(method, path, **headers)[0] == 200
    assert around.changes == 0


def test_a_call_that_failed_is_not_noted() -> None:
    around = Around(failing)
    around.call("POST", f"{API}/models")
    assert around.noted == []


def test_what_can_not_be_saved_is_refused_and_what_makes_room_is_not() -> None:
    around = Around(answering, refusal="The disk is full.")
    for method, path in (("POST", f"{API}/models"), ("PUT", "/datasets/savings.json")):
        status, _, body = around.call(method, path)
        assert (status, body["detail"]) == (507, "The disk is full.")
    assert around.call("DELETE", f"{API}/models/a")[0] == 200
    around.no_room = "No worker can begin."
    assert around.call("GET", f"{API}/models")[0] == 507
    assert around.call("POST", "/", x_amz_security_token="token")[0] == 200


def test_while_it_stops_the_api_begins_nothing_and_functions_end_their_work() -> None:
    around = Around(answering)
    around.gate.stopping = True
    assert around.call("POST", f"{API}/models")[0] == 503
    assert around.call("POST", "/", x_amz_security_token="token")[0] == 200


def test_a_call_without_a_free_worker_waits_and_then_gets_429(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_CALL_SECONDS", 0.2)
    released, both = threading.Event(), threading.Barrier(3)

    def execute(*_: Any) -> dict[str, Any]:
        both.wait()
        released.wait()
        return {"body": "done"}

    busy = queueing(execute, most=2)
    holders = [threading.Thread(target=busy, args=(FUNCTION, {}, "id")) for _ in range(2)]
    for holder in holders:
        holder.start()
    both.wait()

    async def api(scope: Message, receive: Receive, send: Send) -> None:
        # MiniStack answers a failed authorizer with 500.
        result = await asyncio.to_thread(busy, FUNCTION, {}, "id")
        await answering(scope, receive, send, 500 if result.get("error") else 200)

    began = time.monotonic()
    status, headers, body = Around(api).call("POST", f"{API}/prediction")
    assert (status, body["type"], headers["retry-after"]) == (429, "urn:winnow:problem:throttled", "1")
    assert time.monotonic() - began >= 0.2
    released.set()
    for holder in holders:
        holder.join()


def test_a_task_that_finds_no_free_worker_can_try_again() -> None:
    busy = queueing(lambda *_: {"body": "done"}, most=0)
    result = busy({"config": {"FunctionName": "train", "Timeout": 0}}, {}, "id")
    assert result["body"]["errorType"] == "Lambda.TooManyRequestsException"
