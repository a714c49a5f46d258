"""Small plots of an evaluation for the terminal: in block characters, or in plain ones where a terminal can't show these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from winnow_cli.tables import confusions
from winnow_cli.terminal import Signs, line, plain

_WIDTH = 40
# A matrix of more labels is wider than a terminal.
_MOST_LABELS, _MOST_PAIRS = 12, 10
_NAME = 16


def reliability(measured: Mapping[str, Any], signs: Signs) -> Iterator[Text]:
    """For each range of scores, the share of the answers that is right. A mark shows where it would be if the scores were exact."""
    yield line(f"Reliability: the share that is right in each range of scores (error {measured['ece']:.3f})", "bold")
    for each in measured["bins"]:
        if not each["count"]:
            continue
        cells = list(bar(each["accuracy"], signs))
        at = min(_WIDTH - 1, round(each["confidence"] * (_WIDTH - 1)))
        cells[at] = signs.mark
        told = f"  {each['from']:.1f}-{each['to']:.1f}  {''.join(cells)}  {each['accuracy']:.2f}  {each['count']} texts"
        yield line(told)
    yield line(f"  {signs.mark} the mean score of these texts", "dim")


def confusion(found: Mapping[str, Any] | None, signs: Signs) -> Iterator[Text]:
    """Which labels are taken for which. Few labels give a matrix, more of them the most frequent pairs."""
    if found is None:
        yield line("No confusion: a text may have several labels.", "dim")
    elif "matrix" in found and len(found["labels"]) <= _MOST_LABELS:
        yield from _matrix(found["labels"], found["matrix"], signs)
    else:
        yield from _pairs(confusions(found)[:_MOST_PAIRS], signs)


def bar(share: float, signs: Signs) -> str:
    """A bar of _WIDTH cells."""
    steps = len(signs.parts)
    whole, part = divmod(round(share * _WIDTH * steps), steps)
    return (signs.parts[-1] * whole + (signs.parts[part - 1] if part else "")).ljust(_WIDTH)


def _matrix(labels: Sequence[str], matrix: Sequence[Sequence[int]], signs: Signs) -> Iterator[Text]:
    yield line("Confusion: rows are the right labels, columns the answers, by number", "bold")
    wide = max(4, *(len(str(count)) + 2 for row in matrix for count in row))
    yield line(f"  {'':<{_NAME + 3}}" + "".join(f"{number:>{wide}}" for number in range(1, len(labels) + 1)), "dim")
    for number, (label, row) in enumerate(zip(labels, matrix, strict=True), start=1):
        total = sum(row) or 1
        name = plain(label)
        name = name if len(name) <= _NAME else f"{name[: _NAME - 2]}.."
        cells = "".join(f"{signs.shades[_shade(count / total, len(signs.shades))]}{count or '':>{wide - 1}}" for count in row)
        yield line(f"  {number:>2} {name:<{_NAME}}{cells}")


def _pairs(pairs: Sequence[tuple[str, str, int]], signs: Signs) -> Iterator[Text]:
    yield line("Confusion: the right label, the answer, and how often", "bold")
    if not pairs:
        yield line("  none")
    most = max((count for _, _, count in pairs), default=1)
    for truth, predicted, count in pairs:
        yield line(f"  {bar(count / most, signs)} {count:>5}  {plain(truth)} / {plain(predicted)}")


def _shade(share: float, steps: int) -> int:
    """Zero only for nothing, and the last one only for (nearly) all."""
    return 0 if not share else max(1, min(steps - 1, round(share * (steps - 1))))
