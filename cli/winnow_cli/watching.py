"""Waiting for long work: a training, a batch prediction, the report on a large data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from winnow_cli.client import Client
from winnow_cli.failures import CommandError
from winnow_cli.terminal import Terminal, line

# A workflow ends within three days.
_LONGEST_SECONDS = 3 * 24 * 3600 + 3600
_LONGEST_PAUSE = 5.0


def followed(
    client: Client, terminal: Terminal, path: str, stage: Callable[[Mapping[str, Any]], tuple[str, int]], *, interrupted: str
) -> dict[str, Any]:
    """GET the path until the work ends. A terminal shows a progress bar.

    stage: gives stage and percent of an answer. interrupted: the message after Ctrl-C, which ends only the command.
    """
    try:
        with terminal.progress("queued") as moved:
            return client.follow(path, lambda answer: moved(*stage(answer)), seconds=_LONGEST_SECONDS, longest_pause=_LONGEST_PAUSE)
    except KeyboardInterrupt:
        terminal.say(line(interrupted))
        raise


def without_success(what: str, ended: Mapping[str, Any]) -> CommandError:
    """The error for a version or a batch that failed or was cancelled."""
    status = "failed" if ended["status"] == "failed" else f"was {ended['status']}"
    return CommandError(f"{what} {status}: {ended['error']}" if ended["error"] else f"{what} {status}.")
