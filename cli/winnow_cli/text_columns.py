"""The texts of a table (.csv, .tsv), for `winnow predict --file`. Whole data sets and batches are read by the API, in more formats."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from winnow_cli.failures import UsageError
from winnow_cli.files import opened

ENDINGS = {".csv", ".tsv"}
# As the API knows them.
KNOWN = ("text", "sentence", "utterance", "message", "content", "body", "title", "query", "review", "subject", "v2")
_TOGETHER = ["subject", "body"]
_DELIMITERS = ",;\t|"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def texts(path: Path, columns: Sequence[str]) -> Iterator[str]:
    """The text of each record. columns: those of the text, joined by a blank line; empty to find them by known names.

    Raises UsageError if the file can't be read, or where a record has no text.
    """
    with opened(path) as raw:
        encoding = "utf-16" if raw.read(2) in _UTF_16_MARKS else "utf-8-sig"
        raw.seek(0)
        try:
            yield from _texts(io.TextIOWrapper(raw, encoding, newline=""), path, columns)
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8: save it as UTF-8, or use `winnow batch`, which reads Windows-1252 too.") from error
        except csv.Error as error:
            raise UsageError(f"{path} is not CSV: {error}.") from error


def _texts(lines: Iterator[str], path: Path, columns: Sequence[str]) -> Iterator[str]:
    number, first = next(((number, line) for number, line in enumerate(lines, start=1) if line.strip()), (0, ""))
    delimiters = _DELIMITERS
    if first.lower().startswith("sep="):
        number, first, delimiters = number + 1, next(lines, ""), first[4]
    delimiter, names, places = _layout(first, delimiters, path, columns)
    records = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    begins = number + 1
    for record in records:
        while len(record) > len(names) and not record[-1].strip():
            record.pop()
        if any(cell.strip() for cell in record):
            where = f"Line {begins} of {path}"
            if len(record) != len(names):
                raise UsageError(f"{where} has {len(record)} columns, but the header has {len(names)}: quote texts with a {delimiter!r}.")
            text = record[places[0]] if len(places) == 1 else "\n\n".join(cell for place in places if (cell := record[place].strip()))
            if not text.strip():
                raise UsageError(f"{where} has an empty text: give it a text or leave it out.")
            yield text
        begins = number + 1 + records.line_num


def _layout(header: str, delimiters: str, path: Path, columns: Sequence[str]) -> tuple[str, list[str], list[int]]:
    """The delimiter, the names of the columns, and the places of the text."""
    tried = {delimiter: _names(header, delimiter) for delimiter in delimiters}
    if found := [(len(names), delimiter) for delimiter, names in tried.items() if _places(names, columns)]:
        _, delimiter = max(found)
        return delimiter, tried[delimiter], _places(tried[delimiter], columns)
    most: list[str] = max(tried.values(), key=len)
    shown = ", ".join(most) or "none"
    if columns:
        raise UsageError(f"{path} doesn't have the column {' or '.join(columns)}. The columns are: {shown}.")
    raise UsageError(f"It is not clear which column of {path} holds the text: name it with --text-column. The columns are: {shown}.")


def _names(header: str, delimiter: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])]
    while names and not names[-1]:
        names.pop()
    return names


def _places(names: Sequence[str], columns: Sequence[str]) -> list[int]:
    lower = [name.lower() for name in names]
    if columns:
        wanted = [name.strip().lower() for name in columns]
    elif "text" in lower:
        wanted = ["text"]
    elif set(_TOGETHER) <= set(lower):
        wanted = _TOGETHER
    else:
        wanted = [name for name in lower if name in KNOWN and (name != "v2" or "v1" in lower)]
        if len(wanted) != 1:
            return []
    return [lower.index(name) for name in wanted] if set(wanted) <= set(lower) else []
