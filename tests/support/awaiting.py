"""Coroutines in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run[T](made: Coroutine[Any, Any, T]) -> T:
    """What it returns. It has a thread of its own, because Playwright leaves a loop running on the thread of tests that open a browser."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, made).result()
