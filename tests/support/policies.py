"""Policies of the model tc-01, and versions with many held-out examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.support import objects
from winnow.evaluation.dial import Dial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Answer, Json, Winnow

LABELS = ("baking", "cycling", "gardening")


def put(winnow: Winnow, headers: Mapping[str, str] | None = None, **aim: Any) -> Answer:
    return winnow.call("set_policy", body=aim, headers=headers)


def rows(winnow: Winnow) -> list[Json]:
    found: list[Json] = winnow.table.scan()["Items"]
    return found


def give_dial(winnow: Winnow, texts: int, right: float, *, version: int = 1, lowest: float = 0.5) -> None:
    """Give the version held-out answers with scores from `lowest` to 1, of which this share is right, the wrong ones at the low end."""
    best = np.linspace(1, lowest, texts, dtype=np.float32)
    scores = np.stack([best, (1 - best) / 2, (1 - best) / 2], axis=1)
    truth = np.zeros((texts, 3), np.bool_)
    truth[np.arange(texts), np.where(np.arange(texts) < right * texts, 0, 1)] = True
    thresholds = np.full((texts, 3), 0.5, np.float32)
    about = {"truth": truth, "scores": scores, "thresholds": thresholds, "familiar": None}
    objects.write(winnow, f"versions/{version}/1/dial.npz", Dial.of(LABELS, "cross-validation", exclusive=True, **about).to_bytes())  # type: ignore[arg-type]
