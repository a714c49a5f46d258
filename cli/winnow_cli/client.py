"""The client of the API in JSON, for what shows answers as they came: the command, and the project's own tools and tests.

Programs take `winnow_client`, whose calls have names and types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from winnow_client import ApiError, Winnow

__all__ = ["ApiError", "Client"]

_SECONDS = 60.0
_ENDED = {"ready", "failed", "cancelled"}


class Client:
    """The API at a URL, with a key.

    retries: how often a call is repeated after a temporary error, if it is safe to repeat. typed: the same API, with names and types.
    """

    def __init__(self, url: str, key: str, retries: int = 0) -> None:
        self.typed = Winnow(url, key, timeout=_SECONDS, retries=retries)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The parsed answer to a call. Raises WinnowError if the call fails."""
        return self.typed.call(method, path, body, query, headers)

    def pages(self, path: str, member: str, more: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """All items of a list that comes in pages. Each page has its items under `member`. more: of the query."""
        query = {"limit": "1000", **(more or {})}
        while True:
            page = self.call("GET", path, query=query)
            yield from page[member]
            if page["next"] is None:
                return
            query["next"] = page["next"]

    def upload(self, name: str, content: bytes | BinaryIO) -> dict[str, str]:
        """Upload a data set. Returns its s3bucket and training_object, which a training request needs."""
        stored = self.typed.upload(content, name)
        return {"s3bucket": stored.s3bucket, "training_object": stored.training_object}

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
        found: dict[str, Any] = self.typed.follow(path, ended, watch=watch, timeout=seconds, longest_pause=longest_pause)
        return found
