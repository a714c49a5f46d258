"""The version that a command is about, if its options name none."""

from __future__ import annotations

from winnow_cli.client import Client
from winnow_cli.failures import CommandError


def latest(client: Client, model: str, version: int | None) -> int:
    """The version, by default the model's latest."""
    return version or int(client.call("GET", f"/models/{model}")["latest_version"])


def live(client: Client, model: str, version: int | None) -> int:
    """The version, by default the model's live one. CommandError if none is live."""
    number = version or client.call("GET", f"/models/{model}")["live_version"]
    if number is None:
        raise CommandError(f"No version of {model} is live: say which one, with --model-version.")
    return int(number)
