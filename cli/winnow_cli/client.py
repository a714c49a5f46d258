"""A client of Winnow's API, as the demo, the smoke test, the benchmarks and the end-to-end tests use it. It speaks only HTTPS."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

_SECONDS = 60


class ApiError(Exception):
    """An answer that was no success: its status, and the sentence of its problem details."""

    def __init__(self, call: str, status: int, sentence: str) -> None:
        super().__init__(f"{call} answered {status}: {sentence}")
        self.status = status


class Client:
    """The API at a URL, with a key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["x-api-key"] = key

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None) -> Any:
        """The answer to a call, as Python. ApiError where it is no success."""
        answer = self._session.request(method, self._url + path, json=body, params=query, timeout=_SECONDS)
        if not answer.ok:
            raise ApiError(f"{method} {path}", answer.status_code, _sentence(answer))
        return answer.json()

    def upload(self, name: str, content: bytes) -> dict[str, str]:
        """Upload a data set. Returns how a training names it: s3bucket and training_object."""
        target = self.call("POST", "/datasets", {"name": name})
        # Without the key: the URL is signed, and leads to S3.
        answer = requests.put(target["upload_url"], data=content, timeout=_SECONDS)
        if not answer.ok:
            raise ApiError("PUT upload_url", answer.status_code, answer.text[:300])
        return {"s3bucket": target["s3bucket"], "training_object": target["training_object"]}

    def train(self, model_id: str, dataset: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """Start the training of a version."""
        answer: dict[str, Any] = self.call("POST", "/models", {"id": model_id, **dataset, **more})
        return answer

    def wait(self, model_id: str, watch: Callable[[Mapping[str, Any]], None] = lambda _: None, seconds: float = 1800) -> dict[str, Any]:
        """Wait for the model's latest version to end, and return the model with it. `watch` sees every look.

        TimeoutError where it takes longer than so many seconds.
        """
        end = time.monotonic() + seconds
        while True:
            model: dict[str, Any] = self.call("GET", f"/models/{model_id}")
            watch(model)
            if model["version"]["status"] in {"ready", "failed", "cancelled"}:
                return model
            if time.monotonic() > end:
                message = f"version {model['version']['version']} of {model_id} is still {model['version']['status']} after {seconds:.0f} s"
                raise TimeoutError(message)
            time.sleep(0.5)


def _sentence(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:300]
