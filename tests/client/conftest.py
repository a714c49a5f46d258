"""The Python client, and an API in place of the network: its answers are the contract's examples, and requests must be the contract's."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.support import awaiting
from tests.support.contract import check_answer, check_request, operations
from winnow_client import AsyncWinnow, Winnow

URL = "https://winnow.test/v1"
KEY = "key-of-the-test"
ETAG = '"5b7c1d9e0f2a4b6c-0a1b2c3d4e5f6071"'


@dataclass
class Asked:
    """A request that the client made."""

    method: str
    url: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass
class FakeApi:
    """Answers each call with its example, or with what a test says. S3 takes what is put there, and gives `stored`."""

    asked: list[Asked] = field(default_factory=list)
    said: dict[str, list[Any]] = field(default_factory=dict)
    stored: bytes = b"all of it\n"

    def says(self, call: str, *answers: Any) -> None:
        """Set the answers to a call, of which the last one is repeated: a body, a status with a body, a response, or an error to raise."""
        self.said[call] = list(answers)

    def calls(self) -> list[str]:
        return [each.call for each in self.asked]

    def sync(self, **settings: Any) -> Winnow:
        return Winnow(URL, KEY, http=httpx.Client(transport=httpx.MockTransport(self._answer)), **settings)

    def aio(self, **settings: Any) -> AsyncWinnow:
        async def answer(request: httpx.Request) -> httpx.Response:
            await request.aread()
            return self._answer(request)

        return AsyncWinnow(URL, KEY, http=httpx.AsyncClient(transport=httpx.MockTransport(answer)), **settings)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        to_api = str(request.url).startswith(URL)
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/v1") if to_api else request.url.path
        query = dict(parse_qsl(request.url.query.decode()))
        asked = Asked(request.method, str(request.url), path, query, dict(request.headers), request.read())
        self.asked.append(asked)
        assert len(self.asked) < 100, "it asks again and again"
        if to_api:
            assert request.headers["x-api-key"] == KEY
            check_request(asked.method, path, query, asked.body if asked.content else None)
        else:
            assert "x-api-key" not in request.headers, "S3 must not get the key"
        waiting = self.said.get(asked.call if to_api else f"{asked.method} s3")
        said = None if waiting is None else waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, httpx.Response):
            return httpx.Response(said.status_code, headers=said.headers, content=said.content)
        if not to_api:
            return httpx.Response(200, content=b"" if asked.method == "PUT" else self.stored)
        status, body = said if isinstance(said, tuple) else (None, said)
        return self._made(asked, status, body)

    def _made(self, asked: Asked, status: int | None, body: Any) -> httpx.Response:
        answers = _operation(asked.method, asked.path)["responses"]
        status = status or int(min(answers))
        answer = answers[str(status)]
        kind, content = next(iter(answer["content"].items()))
        if body is None:
            body = example(content)
            if isinstance(body, dict) and "next" in body:
                body["next"] = None
        headers = {name: it.get("example") or _header(name) for name, it in answer.get("headers", {}).items()} | {
            "Content-Type": kind,
            "ETag": ETAG,
        }
        check_answer(asked.method, asked.path, status, headers, body)
        return httpx.Response(status, headers=headers, content=(json.dumps(body) if kind.endswith("json") else body).encode())


def example(content: Any) -> Any:
    """The first example of a body in the contract."""
    shown = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
    return deepcopy(shown)


def example_of(call: str, status: str = "200") -> Any:
    return example(next(iter(operations()[call]["responses"][status]["content"].values())))


def problem(status: int, kind: str, detail: str, **more: Any) -> tuple[int, Any]:
    return status, {"type": f"urn:winnow:problem:{kind}", "title": "X", "status": status, "detail": detail, **more}


def both(api: FakeApi, method: str, /, *arguments: Any, **named: Any) -> Any:
    """What a method answers, which must be the same of both clients, and so must be what they ask."""
    said, before = deepcopy(api.said), len(api.asked)
    of_sync = _whole(getattr(api.sync(), method)(*arguments, **named))
    asked = api.asked[before:]
    del api.asked[before:]
    api.said = said

    async def run() -> Any:
        async with api.aio() as client:
            return await _async_whole(getattr(client, method)(*arguments, **named))

    of_async = awaiting.run(run())
    assert [_same(each) for each in api.asked[before:]] == [_same(each) for each in asked]
    assert repr(of_async).replace("Async", "") == repr(of_sync) or type(of_async).__name__ == f"Async{type(of_sync).__name__}"
    return of_sync


def _whole(answer: Any) -> Any:
    return list(answer) if isinstance(answer, Iterator) else answer


async def _async_whole(answer: Any) -> Any:
    if isinstance(answer, AsyncIterator):
        return [each async for each in answer]
    assert isinstance(answer, Awaitable)
    return await answer


def _same(asked: Asked) -> Any:
    """A request without what differs by chance."""
    headers = {name: value for name, value in asked.headers.items() if name not in {"idempotency-key", "connection", "user-agent"}}
    return asked.method, asked.url, headers, asked.content


def _operation(method: str, path: str) -> dict[str, Any]:
    for call, operation in operations().items():
        its_method, _, its_path = call.partition(" ")
        if its_method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", its_path.replace(".", r"\.")), path):
            return operation
    raise AssertionError(f"{method} {path}")


def _header(name: str) -> str:
    return {"Retry-After": "2"}.get(name, ETAG)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client waits for. No test waits for them."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("winnow_client.sync.time.sleep", waited.append)
    monkeypatch.setattr("winnow_client.aio.anyio.sleep", sleep)
    return waited
