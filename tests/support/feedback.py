"""Feedback, sent as clients send it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Winnow


def labelled(count: int, label: str = "card", prefix: str = "") -> list[Json]:
    """So many different examples of a label."""
    return [{"text": f"{prefix}{label} text number {number}", "label": label} for number in range(count)]


def add(winnow: Winnow, examples: Sequence[Json] | None = None, *, key: str | None = None, **fields: Any) -> Answer:
    """POST /models/tc-01/examples, two examples if not said which."""
    body = {"examples": labelled(2) if examples is None else examples, **fields}
    return winnow.call("add_examples", body=body, headers=None if key is None else {"Idempotency-Key": key})
