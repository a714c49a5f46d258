"""What a person should know about a version's scores before using it."""

from __future__ import annotations

from collections.abc import Iterator

# Below this share of accepted texts, and above this calibration error.
_FEW_ACCEPTED, _MUCH_ERROR = 0.5, 0.1
# A calibration error that grows by less may be chance.
_WORSE = 0.01


def doubts(accepted_share: float, before: float, after: float) -> Iterator[str]:
    """Sentences about what is wrong with the scores; none if all is well.

    accepted_share: of the held-out texts, those with an accepted label. before, after: the calibration errors without and with the
    temperature.
    """
    if accepted_share < _FEW_ACCEPTED:
        yield (
            f"Only {accepted_share:.0%} of the held-out texts have an accepted label: add examples, correct wrong labels, or train with a"
            " lower min_precision."
        )
    if after > _MUCH_ERROR:
        yield (
            f"The calibration error is {after:.2f}: a score doesn't show how often its answer is right. Few or wrongly labelled examples"
            " cause this."
        )
    if after > before + _WORSE:
        yield f"Calibration made the scores worse: its error grew from {before:.2f} to {after:.2f}. Few held-out texts cause this."
