"""Races in one thread: something happens between a request's read of the registry and its write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from tests.support import enforced
from winnow.aws import clients


@contextmanager
def before_write[Result](
    action: Callable[[], Result], operation: str = "dynamodb.TransactWriteItems", times: int = 1
) -> Iterator[list[Result]]:
    """Run the action before each of the next calls of an operation (SERVICE.NAME), at most `times` times. Yields its results.

    Calls from the action itself are not intercepted.
    """
    # Tests create each client once (conftest.py): this is the one that functions use.
    client = clients.s3() if operation.startswith("s3.") else boto3.resource("dynamodb").meta.client
    events, name, results = client.meta.events, f"before-call.{operation}", list[Result]()

    def meanwhile(**_: Any) -> None:
        events.unregister(name, unique_id="race")
        with enforced.by_the_test():
            results.append(action())
        if len(results) < times:
            events.register(name, meanwhile, unique_id="race")

    events.register(name, meanwhile, unique_id="race")
    yield results
    events.unregister(name, unique_id="race")
    assert results, f"there was no {operation}"
