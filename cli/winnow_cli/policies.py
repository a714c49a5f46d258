"""The aim of a policy, from the options of the command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from winnow_cli.failures import UsageError


def aim(min_precision: float | None, wrong: float | None, refused: float | None, thresholds: Sequence[str]) -> dict[str, Any] | None:
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
    return named or None


def _threshold(option: str) -> tuple[str, float]:
    """A label and its lowest accepted score, from LABEL=SCORE."""
    label, _, score = option.rpartition("=")
    try:
        return label, float(score)
    except ValueError as error:
        raise UsageError(f"--threshold {option}: write LABEL=SCORE, such as billing=0.9.") from error
