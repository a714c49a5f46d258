"""Compare two versions on texts that each answers without having learnt them."""

from __future__ import annotations

from typing import Any

from winnow.domain.model import Version
from winnow.training.gate import difference, loaded


def compare_versions(before: Version, after: Version, most: int | None = None) -> dict[str, Any]:
    """What got better and what got worse between two ready versions of a model: `comparison_report`.

    most: the largest number of examples, drawn with a fixed seed. NothingToCompareError if no example is left; EncoderError if the
    deployment doesn't have a version's sentence encoder.
    """
    return difference(before, after, loaded(before), loaded(after), most)
