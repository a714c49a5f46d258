"""The aim of a policy, from the options of the command; and evaluations, from which a policy may be set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from winnow_cli.client import Client
from winnow_cli.failures import CommandError, UsageError
from winnow_cli.files import in_s3
from winnow_cli.terminal import Terminal

# Lambda may try three times, each at most 15 minutes.
_SECONDS = 3_000


def aim(
    min_precision: float | None, wrong: float | None, refused: float | None, thresholds: Sequence[str], evaluation: str | None
) -> dict[str, Any] | None:
    """The body of PUT /models/{model_id}/policy; None without any option. UsageError unless the options have one aim."""
    if (wrong is None) != (refused is None):
        raise UsageError("Give both costs: --wrong and --refused.")
    found: dict[str, Any] = {
        "min_precision": min_precision,
        "cost": None if wrong is None else {"wrong": wrong, "refused": refused},
        "thresholds": dict(map(_threshold, thresholds)) or None,
    }
    named = {name: value for name, value in found.items() if value is not None}
    if len(named) > 1:
        raise UsageError("Give one aim: --min-precision, --wrong with --refused, or --threshold.")
    if evaluation is not None:
        if not named:
            raise UsageError("--evaluation says on which examples: say what to aim at too, such as --min-precision 0.95.")
        named["evaluation"] = evaluation
    return named or None


def evaluate(client: Client, terminal: Terminal, path: str, file: str, layout: Mapping[str, Any]) -> dict[str, Any]:
    """Upload the file, have it measured, and wait for the evaluation. CommandError if it fails."""
    started = client.call("POST", path, {**in_s3(client, terminal, file), **layout})
    found = client.follow(f"{path}/{started['evaluation']}", seconds=_SECONDS, longest_pause=5)
    if found["status"] == "failed":
        raise CommandError(found["error"])
    return found


def _threshold(option: str) -> tuple[str, float]:
    """A label and its lowest accepted score, from LABEL=SCORE."""
    label, _, score = option.rpartition("=")
    try:
        return label, float(score)
    except ValueError as error:
        raise UsageError(f"--threshold {option}: write LABEL=SCORE, such as billing=0.9.") from error
