"""Make a review queue and ask for its texts like a client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.conftest import CLIENT_BUCKET

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Winnow

# None of them is in tests/data/exclusive.json, and none repeats another.
TEXTS = (
    "how do I whisk egg whites",
    "my chain fell off on the hill",
    "when should tomatoes be planted out",
    "the dough did not rise at all",
    "which saddle hurts least on long rides",
    "slugs ate every lettuce",
    "can butter be frozen",
    "brakes squeal when it rains",
    "a hedge that stays green in winter",
    "is parchment paper the same as foil",
    "what pressure for wide tyres",
    "roses with black spots",
)


def put_texts(winnow: Winnow, texts: Sequence[Any] | bytes = TEXTS, key: str = "texts.jsonl") -> None:
    body = texts if isinstance(texts, bytes) else "".join(json.dumps(text) + "\n" for text in texts).encode()
    winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key=key, Body=body)


def make(winnow: Winnow, texts: Sequence[Any] | bytes | None = TEXTS, key: str = "texts.jsonl", **fields: Any) -> Answer:
    """POST /models/tc-01/queue with these texts (None: those that are there)."""
    if texts is not None:
        put_texts(winnow, texts, key)
    return winnow.call("create_queue", body={"s3bucket": CLIENT_BUCKET, "object": key, **fields})


def make_from_log(winnow: Winnow) -> Answer:
    """POST /models/tc-01/queue for the texts of the model's log."""
    return winnow.call("create_queue", body={"from": "log"})


def get(winnow: Winnow, limit: int | None = None) -> Json:
    """GET /models/tc-01/queue."""
    answer = winnow.call("get_queue", query={} if limit is None else {"limit": str(limit)})
    assert answer.status == 200, answer.body
    body: Json = answer.body
    return body


def texts_of(out: Json) -> list[str]:
    return [item["text"] for item in out["items"]]
