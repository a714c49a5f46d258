"""Races, driven in one thread: something happens after a request's look at the registry and before its write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from winnow import aws


def before_write(action: Callable[[], object], operation: str = "TransactWriteItems", times: int = 1) -> list[object]:
    """Do the action before the next call of DynamoDB's operation is sent, so many times. Returns the list to which its results go.

    Calls that the action itself makes go through.
    """
    events = aws.registry_table().meta.client.meta.events
    name, results = f"before-call.dynamodb.{operation}", list[object]()

    def meanwhile(**_: Any) -> None:
        events.unregister(name, unique_id="race")
        results.append(action())
        if len(results) < times:
            events.register(name, meanwhile, unique_id="race")

    events.register(name, meanwhile, unique_id="race")
    return results
