"""The result of a batch whose object is a table: its own columns as they were, and after them those of the labels (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

_LABEL = ("label", "score", "accepted")
_ERROR = "error"
# Before the new names, if the table has one of them already.
_PREFIX = "predicted_"


def header(names: Sequence[str], n_top: int, *, errors: bool) -> list[str]:
    """The names of the columns. errors: whether a record of the batch can't be classified, so that there is a column for the reasons.

    If one of the new names is a column of the table, all new ones get the prefix `predicted_`, so that no two columns have one name.
    """
    new = [name if number == 1 else f"{name}_{number}" for number in range(1, n_top + 1) for name in _LABEL] + [_ERROR]
    there = {name.lower() for name in names}
    while there.intersection(new):
        new = [_PREFIX + name for name in new]
    return [*names, *(new if errors else new[:-1])]


def record(cells: Sequence[str], labels: Iterable[dict[str, Any]], n_top: int, error: str | None, *, errors: bool) -> list[str]:
    """The cells of a record. Those of labels that it doesn't have are empty."""
    found = [_shown(label[name]) for label in labels for name in _LABEL]
    empty = [""] * (len(_LABEL) * n_top - len(found))
    return [*cells, *found, *empty, *([error or ""] if errors else [])]


def encoded(records: Iterable[Sequence[str]], delimiter: str) -> bytes:
    """The records as lines in UTF-8."""
    with io.StringIO(newline="") as written:
        csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(records)
        return written.getvalue().encode()


def _shown(value: str | float | bool) -> str:
    """A value as JSON shows it, but a string as it is."""
    return str(value).lower() if isinstance(value, bool) else str(value)
