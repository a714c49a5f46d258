"""The connection of a command to the API: its client and its terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from winnow_cli.client import Client
from winnow_cli.failures import UsageError, translated
from winnow_cli.terminal import Terminal

_RETRIES = 3


@contextmanager
def connected(as_json: bool) -> Iterator[tuple[Client, Terminal]]:
    """A client for WINNOW_URL and WINNOW_API_KEY. API errors become errors of the command."""
    url, key = os.environ.get("WINNOW_URL", "").strip(), os.environ.get("WINNOW_API_KEY", "").strip()
    if not url or not key:
        missing = "WINNOW_URL" if not url else "WINNOW_API_KEY"
        raise UsageError(
            f"{missing} is not set. Set WINNOW_URL to a deployment's ApiUrl and WINNOW_API_KEY to one of its keys"
            " (after `make start`: set -a; . .local/env)."
        )
    if not re.match("https?://[^/]", url):
        raise UsageError(f"WINNOW_URL must begin with https:// or http://, but it is {url}.")
    if not (key.isascii() and key.isprintable()):
        raise UsageError("WINNOW_API_KEY contains a character that keys never have: copy the key again.")
    with translated(url):
        yield Client(url, key, retries=_RETRIES), Terminal(as_json)
