"""Seeing what takes long to its end: a training, a batch prediction, a large data set's report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from winnow_cli.client import Client
from winnow_cli.terminal import Terminal, line

# A workflow ends within three days.
_LONGEST_SECONDS = 3 * 24 * 3600 + 3600
_LONGEST_PAUSE = 5.0


def followed(
    client: Client, terminal: Terminal, path: str, stage: Callable[[Mapping[str, Any]], tuple[str, int]], *, interrupted: str
) -> dict[str, Any]:
    """GET the path until it has ended, with a bar on a terminal.

    stage: what it is busy with, and percent. interrupted: what Ctrl-C, which ends the command alone, leaves to say.
    """
    try:
        with terminal.progress("queued") as moved:
            return client.follow(path, lambda answer: moved(*stage(answer)), seconds=_LONGEST_SECONDS, longest_pause=_LONGEST_PAUSE)
    except KeyboardInterrupt:
        terminal.say(line(interrupted))
        raise
