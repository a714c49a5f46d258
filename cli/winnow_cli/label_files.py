"""Files of labels without examples: `winnow train --labels`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from winnow_cli.failures import UsageError
from winnow_cli.files import decoded

_NAMES, _DESCRIPTION = ("name", "label"), "description"


def labels_in(path: Path) -> list[Any]:
    """The labels of a file, as POST /models takes them: a JSON array as it is, otherwise CSV with names and descriptions.

    A CSV file without a header has the names in its first column, and perhaps descriptions in its second. UsageError if it can't be read.
    """
    text = decoded(path)
    try:
        found: list[Any] = json.loads(text) if text.lstrip().startswith("[") else _in_table(text)
    except (ValueError, csv.Error) as error:
        raise UsageError(f"Can't read {path}: {error}") from error
    return found


def _in_table(text: str) -> list[dict[str, str]]:
    records = [record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if any(cell.strip() for cell in record)]
    header = [cell.strip().casefold() for cell in records[0]] if records else []
    place = next((header.index(name) for name in _NAMES if name in header), None)
    described = header.index(_DESCRIPTION) if place is not None and _DESCRIPTION in header else None
    if place is None:
        place, described = 0, 1
    else:
        del records[0]
    return [
        {"name": _cell(record, place)} | ({_DESCRIPTION: said} if described is not None and (said := _cell(record, described)) else {})
        for record in records
    ]


def _cell(record: list[str], place: int) -> str:
    return record[place].strip() if place < len(record) else ""
