"""The suspects of a version without those that a client has dismissed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any


def without_kept(findings: Iterable[Mapping[str, Any]], kept: Set[str]) -> list[dict[str, Any] | None]:
    """The findings, with None in the place of those whose examples are all kept. Findings of earlier releases have no ids, and stay."""
    return [_without(dict(finding), kept) for finding in findings]


def _without(finding: dict[str, Any], kept: Set[str]) -> dict[str, Any] | None:
    if "examples" not in finding:
        return None if finding.get("example") in kept else finding
    examples = [example for example in finding["examples"] if example.get("example") not in kept]
    return {**finding, "examples": examples} if examples else None
