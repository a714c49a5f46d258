"""The figure of drift: the last days, each with its index, its shares and its scores. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from winnow.domain.drift import DriftDay, UsualFigures
from winnow.evaluation.svg import BLUE, GREY, GRID, INK, MUTED, ORANGE, PAPER, WIDTH, dot, drawing, line, text

MOST_DAYS = 30
_TOP, _LEFT, _RIGHT, _HEIGHT, _GAP = 100.0, 70.0, 36.0, 110.0, 60.0


def drift_figure(days: Sequence[DriftDay]) -> str:
    """The days as an SVG. days: newest first."""
    about = "By day. Orange: a day that drifted. Dashed: the held-out examples. Hollow: a day that was not judged."
    if not days:
        return drawing(_TOP, "Drift", "No day is measured yet.", [])
    shown = [day for day in reversed(days) if day.texts]
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(shown))
    parts: list[str] = []
    for place, (name, of_day, of_usual) in enumerate(_ROWS):
        top = _TOP + place * (_HEIGHT + _GAP)
        parts += _row(shown, name, (top, step), of_day, of_usual)
    bottom = _TOP + len(_ROWS) * (_HEIGHT + _GAP)
    for place, day in enumerate(shown):
        # At most some ten dates have room.
        if place % (1 + len(shown) // 10) == 0:
            parts.append(text(_LEFT + (place + 0.5) * step, bottom - _GAP + 24, day.day[5:], size=12, fill=MUTED, anchor="middle"))
    return drawing(bottom, "Drift", about, parts)


def _row(
    days: Sequence[DriftDay],
    name: str,
    at: tuple[float, float],
    of_day: Callable[[DriftDay], float | None],
    of_usual: Callable[[UsualFigures], float | None] | None,
) -> list[str]:
    """One plot. at: its top, and the width of a day."""
    top, step = at
    found = [(place, day, value) for place, day in enumerate(days) if (value := of_day(day)) is not None]
    usual = {place: value for place, day in enumerate(days) if of_usual and day.usual and (value := of_usual(day.usual)) is not None}
    values = [value for *_, value in found] + list(usual.values())
    high, low = max([*values, 0.0]), min([*values, 0.0])
    span = (high - low) or 1.0

    def up(value: float) -> float:
        return top + _HEIGHT * (1 - (value - low) / span)

    parts = [text(_LEFT, top - 12, name, fill=INK, weight=600)]
    for value in sorted({low, high}):
        parts += [line([(_LEFT, up(value)), (WIDTH - _RIGHT, up(value))], GRID)]
        parts += [text(_LEFT - 9, up(value) + 4, f"{value:.3g}", size=12, fill=MUTED, anchor="end")]
    for place, value in usual.items():
        parts.append(line([(_LEFT + place * step, up(value)), (_LEFT + (place + 1) * step, up(value))], GREY, dashes="5 5"))
    for place, day, value in found:
        color = ORANGE if day.drifted else BLUE
        hint = f"{day.day}: {name} {value:.4g}, {day.texts:,} texts of version {day.version}. {day.reason}"
        parts.append(dot(_LEFT + (place + 0.5) * step, up(value), color, PAPER if day.p_labels is None else color, hint=hint))
    return parts


_ROWS: tuple[tuple[str, Callable[[DriftDay], float | None], Callable[[UsualFigures], float | None] | None], ...] = (
    ("population stability index of the labels", lambda day: day.psi, None),
    ("share accepted", lambda day: day.accepted_share, lambda usual: usual.accepted_share),
    ("mean score of the best label", lambda day: day.mean_score, lambda usual: usual.mean_score),
    ("mean familiarity", lambda day: day.mean_familiarity, lambda usual: usual.mean_familiarity),
)
