"""What the sync and the async client have in common: settings, and the requests of httpx."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO

import httpx

from winnow_client.calls import Calls
from winnow_client.errors import WinnowError
from winnow_client.flows import Patience, Send

_CHUNK = 1 << 20


class Settings:
    """The API at a URL, with a key."""

    _calls = Calls()

    def __init__(self, url: str | None, api_key: str | None, patience: Patience) -> None:
        self.url = (url or os.environ.get("WINNOW_URL", "")).strip().rstrip("/")
        self.key = (api_key if api_key is not None else os.environ.get("WINNOW_API_KEY", "")).strip()
        self.patience = patience
        if not self.url:
            raise WinnowError("The URL is missing: give a deployment's ApiUrl, or set WINNOW_URL.")
        if not re.match("https?://[^/]", self.url):
            raise WinnowError(f"The URL must begin with https:// or http://, but it is {self.url}.")
        if not (self.key.isascii() and (not self.key or self.key.isprintable())):
            raise WinnowError("The key contains a character that keys never have: copy the key again.")

    def arguments(self, step: Send) -> dict[str, Any]:
        """A request's arguments for httpx, without its content. The key is sent to the API only: other URLs are signed."""
        to_api = step.url.startswith("/")
        headers = dict(step.headers)
        if to_api and self.key:
            headers["x-api-key"] = self.key
        if step.content is not None:
            headers["Content-Length"] = str(_length(step.content))
        # httpx would drop the query of a signed URL for an empty one.
        return {"url": self.url + step.url if to_api else step.url, "headers": headers, "params": dict(step.query) or None}


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file, in pieces."""
    while piece := file.read(_CHUNK):
        yield piece


async def async_chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    """The same for an async request."""
    while piece := file.read(_CHUNK):
        yield piece


def timeouts(seconds: float) -> httpx.Timeout:
    """A connection is there in a few seconds, or never."""
    return httpx.Timeout(seconds, connect=min(seconds, 10.0))


def _length(content: bytes | BinaryIO) -> int:
    if isinstance(content, bytes):
        return len(content)
    at = content.tell()
    end = content.seek(0, os.SEEK_END)
    content.seek(at)
    return end - at
