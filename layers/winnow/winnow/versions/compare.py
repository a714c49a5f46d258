"""Versions against each other, on texts that neither was trained on."""

from __future__ import annotations

from typing import Any

from winnow.domain.model import Version
from winnow.training.gate import difference, loaded


def compare_versions(before: Version, after: Version, most: int | None = None) -> dict[str, Any]:
    """What got better and what worse from one ready version of a model to another: `comparison_report`.

    most: at most so many examples, drawn by a fixed seed. NothingToCompareError where no example is left; EncoderError where one of them
    was trained with a sentence encoder that the deployment doesn't have.
    """
    return difference(before, after, loaded(before), loaded(after), most)
