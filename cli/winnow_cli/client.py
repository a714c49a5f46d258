"""The client of Winnow's API. The command, the demo, the smoke test, the benchmarks and the end-to-end tests use it.

It uses only HTTPS.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import IO, Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.util import Retry

_SECONDS = 60
_PATIENCE_SECONDS = 30
_ENDED = {"ready", "failed", "cancelled"}
# After these statuses the same request may succeed: too many requests, and errors of API Gateway itself.
PASSING = (429, 502, 503, 504)


class ApiError(Exception):
    """The API answered with an error: its status, and the sentence of its problem details."""

    def __init__(self, call: str, status: int, sentence: str) -> None:
        super().__init__(f"{call} answered {status}: {sentence}")
        self.status = status
        self.sentence = sentence


class _Retry(Retry):
    """Retries that stop at once if the answer asks for a long wait, as when the quota of the day is used up."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and _pool is not None and (self.get_retry_after(response) or 0) > _PATIENCE_SECONDS:
            raise MaxRetryError(_pool, url or "", ResponseError(f"Retry-After is longer than {_PATIENCE_SECONDS} s"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


class Client:
    """The API at a URL, with a key.

    retries: how often a call is repeated after a status in PASSING. Use it only if each call is safe to repeat.
    """

    def __init__(self, url: str, key: str, retries: int = 0) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["x-api-key"] = key
        if retries:
            again = _Retry(
                retries, connect=1, read=1, backoff_factor=0.5, status_forcelist=PASSING, allowed_methods=None, raise_on_status=False
            )
            self._session.mount(self._url, HTTPAdapter(max_retries=again))

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The parsed answer to a call. Raises ApiError if the call fails."""
        answer = self._session.request(method, self._url + path, json=body, params=query, headers=headers, timeout=_SECONDS)
        if not answer.ok:
            raise ApiError(f"{method} {path}", answer.status_code, _sentence(answer))
        return answer.json()

    def pages(self, path: str, member: str, more: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """All items of a list that comes in pages. Each page has its items under `member`. more: of the query."""
        query = {"limit": "1000", **(more or {})}
        while True:
            page = self.call("GET", path, query=query)
            yield from page[member]
            if page["next"] is None:
                return
            query["next"] = page["next"]

    def upload(self, name: str, content: bytes | IO[bytes], **more: Any) -> dict[str, str]:
        """Upload a data set. Returns its s3bucket and training_object, which a training request needs."""
        target = self.call("POST", "/datasets", {"name": name, **more})
        # No API key is sent: the URL is signed and leads to S3. Deployments of earlier releases name no headers.
        answer = requests.put(target["upload_url"], data=content, headers=target.get("headers"), timeout=_SECONDS)
        if not answer.ok:
            raise ApiError("PUT upload_url", answer.status_code, answer.text[:300])
        return {"s3bucket": target["s3bucket"], "training_object": target["training_object"]}

    def train(self, model_id: str, dataset: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """Start training a version."""
        answer: dict[str, Any] = self.call("POST", "/models", {"id": model_id, **dataset, **more})
        return answer

    def wait(self, model_id: str, watch: Callable[[Mapping[str, Any]], None] = lambda _: None, seconds: float = 1800) -> dict[str, Any]:
        """Wait until training of the model's latest version ends, and return the model with that version. `watch` gets every answer.

        Raises TimeoutError after `seconds`.
        """

        def ended(model: Mapping[str, Any]) -> bool:
            return model["version"]["status"] in _ENDED

        return self.follow(f"/models/{model_id}", watch, ended, seconds=seconds)

    def follow(
        self,
        path: str,
        watch: Callable[[Mapping[str, Any]], None] = lambda _: None,
        ended: Callable[[Mapping[str, Any]], bool] = lambda answer: answer["status"] in _ENDED,
        *,
        seconds: float,
        longest_pause: float = 0.5,
    ) -> dict[str, Any]:
        """GET the path until `ended` is true of the answer, and return that answer. `watch` gets every answer.

        The first pause is half a second. Pauses grow up to `longest_pause`. Raises TimeoutError after `seconds`.
        """
        end, pause = time.monotonic() + seconds, 0.5
        while True:
            answer: dict[str, Any] = self.call("GET", path)
            watch(answer)
            if ended(answer):
                return answer
            if time.monotonic() > end:
                raise TimeoutError(f"{path} has not ended after {seconds:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.1, longest_pause)


def _sentence(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:300] or str(answer.reason)
