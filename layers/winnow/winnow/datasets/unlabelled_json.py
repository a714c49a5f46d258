"""The JSON formats of texts without labels: JSON Lines and a JSON array, of strings or of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from winnow.datasets.json_formats import decoded
from winnow.datasets.json_records import Members
from winnow.datasets.json_stream import JsonStream
from winnow.datasets.row_problems import RowError
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Lines
from winnow.domain import strict_json
from winnow.domain.dataset import Layout

FORM = '"…" or {"text": "…"}'
_MOST_ID_CHARACTERS = 200


class Record(NamedTuple):
    """A record: its text, the client's id of it, and the cells of a table's record."""

    text: Any
    id: str | int | None = None
    cells: list[str] | None = None


def lines(pieces: Iterator[bytes], first_line: int, layout: Layout) -> Iterator[tuple[int, Record | RowError]]:
    """The records of JSON Lines. A blank line is an error in its place, also before the first text."""
    for number in range(1, first_line):
        yield number, RowError("is empty")
    members = Members(layout)
    for number, line in Lines(pieces, first_line):
        try:
            yield number, _record(_parsed(line), members)
        except RowError as error:
            yield number, error


def array(pieces: Iterator[bytes], first_line: int, of: str, layout: Layout) -> Iterator[tuple[int, Record | RowError]]:
    """The elements of a JSON array, numbered from 1. FileError where its JSON breaks: the start of the next element is unknown."""
    stream = JsonStream(pieces, first_line, of)
    stream.next()
    members = Members(layout)
    for number, element in enumerate(stream.elements(), start=1):
        try:
            yield number, _record(element, members)
        except RowError as error:
            yield number, error
    stream.end("array")


def is_json_string(line: str) -> bool:
    """Whether the line is a string in JSON."""
    try:
        return isinstance(strict_json.parse(line), str)
    except strict_json.BrokenJsonError:
        return False


def _parsed(line: bytes | None) -> Any:
    if line is None:
        raise RowError(f"has more than {MOST_RECORD_BYTES:,} bytes: put one text on each line, or shorten it")
    if not line or line.isspace():
        raise RowError("is empty")
    try:
        return strict_json.parse(decoded(line))
    except strict_json.BrokenJsonError as error:
        raise RowError(f"{error.reason}. Expected {FORM}") from error


def _record(value: Any, members: Members) -> Record:
    if isinstance(value, str):
        return Record(value)
    if not isinstance(value, dict):
        raise RowError(f"is neither a string nor an object: expected {FORM}")
    return Record(members.text(value), _id(value.get("id")))


def _id(given: Any) -> str | int | None:
    if given is None or (isinstance(given, str | int) and not isinstance(given, bool) and len(str(given)) <= _MOST_ID_CHARACTERS):
        return given
    raise RowError(f'has an "id" that is neither a string nor a whole number of at most {_MOST_ID_CHARACTERS} characters')
