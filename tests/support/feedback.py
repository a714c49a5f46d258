"""Send feedback like a client, and see its effect."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Winnow


def labelled(count: int, label: str = "card", prefix: str = "") -> list[Json]:
    """A number of different examples of a label."""
    return [{"text": f"{prefix}{label} text number {number}", "label": label} for number in range(count)]


def add(winnow: Winnow, examples: Sequence[Json] | None = None, *, key: str | None = None, **fields: Any) -> Answer:
    """POST /models/tc-01/examples, with two examples by default."""
    body = {"examples": labelled(2) if examples is None else examples, **fields}
    return winnow.call("add_examples", body=body, headers=None if key is None else {"Idempotency-Key": key})


def told(winnow: Winnow) -> tuple[int, int, int | None]:
    """The latest version, the number of pending examples, and the live version."""
    model = winnow.model()
    return model["latest_version"], model["waiting_examples"], model["live_version"]


def set_properties(winnow: Winnow, **properties: object) -> None:
    assert winnow.call("change_model", body=properties).status == 200


def frozen(winnow: Winnow, version: int, part: str) -> list[Json]:
    [body] = [body for key, body in winnow.objects().items() if key.endswith(f"versions/{version}/1/examples/{part}.jsonl.gz")]
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]
