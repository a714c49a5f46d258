"""The JSON formats: an array, an object that holds the list, JSON Lines, and objects over several lines, one after another.

Each reader yields the place of a record with its unchecked text, labels and subject, or with the reason why it can't be read. What a record
says is in json_records.py, and in tool_formats.py for the exports of tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from winnow.datasets import json_lists
from winnow.datasets.json_records import FORM, Labelled, Members, OfSubject
from winnow.datasets.json_stream import JsonStream
from winnow.datasets.row_problems import RowError
from winnow.datasets.tool_formats import PLAIN, Dialect, dialect_of, is_spacy_pair, labelled
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Beginning, Held, Lines, after
from winnow.domain import strict_json
from winnow.domain.dataset import Layout
from winnow.domain.strict_json import BrokenJsonError

Found = tuple[int, Labelled | OfSubject | RowError]
Read = Callable[[Iterator[bytes], int], Iterator[Found]]

NUL = "holds a NUL byte: save the file as UTF-8 text"


class Recognised(NamedTuple):
    """The format of a JSON file. unit: what a row is, in sentences. understood: the members that are read, set with the first record.

    pieces: the file.
    """

    name: str
    unit: str
    read: Read
    understood: dict[str, Any]
    pieces: Iterator[bytes] = iter(())


def is_json(begins: Beginning) -> bool:
    """Whether the file begins like JSON."""
    return begins.sample.startswith(("[", "{"))


def recognised(begins: Beginning, of: str, layout: Layout) -> Recognised:
    """The format of a file that begins like JSON. Its pieces are used up: those of the result have the whole file."""
    members = Members(layout)
    rest = Held(begins.pieces)
    head = next(rest)
    several_lines = _goes_on(begins)
    if _first_element(head) is None if begins.sample.startswith("[") else several_lines:
        head = _longer(head, rest)
    found = _recognised(begins, head, of, members, several_lines=several_lines)
    return found._replace(pieces=after(head, rest))


def _longer(head: bytes, rest: Iterator[bytes]) -> bytes:
    """The head with more bytes: one record, if it isn't too long."""
    parts, size = [head], len(head)
    while size <= MOST_RECORD_BYTES and (piece := next(rest, b"")):
        parts.append(piece)
        size += len(piece)
    return b"".join(parts)


def _recognised(begins: Beginning, head: bytes, of: str, members: Members, *, several_lines: bool) -> Recognised:
    line = begins.sample.partition("\n")[0]
    if line.startswith("["):
        first = _first_element(head)
        pair = _parsed(line) if isinstance(first, str) else None
        return _lines_of(pair, members) if is_spacy_pair(pair) else _array_of(first, of, members)
    first = _first_value(head) if several_lines else _parsed(line)
    name = json_lists.name_of(first, members) if isinstance(first, Mapping) else None
    if name is not None or (first is None and several_lines):
        return _object_of(name or json_lists.OBJECT, first, of, members)
    return _values_of(first, of, members) if several_lines else _lines_of(first, members)


def _array_of(first: Any, of: str, members: Members) -> Recognised:
    """A JSON array. Broken JSON ends the file: the start of the next element is unknown."""

    def read(stream: JsonStream) -> Iterator[OfSubject | RowError]:
        yield from json_lists.of_list(stream.elements(), members)
        stream.end("array")

    return Recognised(dialect_of(first).name or "json-array", "Example", _numbered(read, of), members.understood)


def _object_of(name: str, whole: Mapping[str, Any] | None, of: str, members: Members) -> Recognised:
    """An object that holds the list. whole: None if it isn't known as a whole."""
    # Reading needs only what stands beside the list. It would keep all examples in memory otherwise.
    beside = None if whole is None else {name: whole[name] for name in json_lists.NAMES_OF_LABELS if name in whole}
    return Recognised(name, "Example", _numbered(lambda stream: json_lists.examples(stream, of, members, beside), of), members.understood)


def _values_of(first: Any, of: str, members: Members) -> Recognised:
    """Objects over several lines, one after another."""
    dialect = dialect_of(first)
    return Recognised(
        dialect.name or "json-lines",
        "Example",
        _numbered(lambda stream: labelled(stream.values(), dialect, members), of),
        members.understood,
    )


def _lines_of(first: Any, members: Members) -> Recognised:
    dialect = dialect_of(first)
    return Recognised(
        dialect.name or "json-lines", "Line", lambda pieces, line: lines(Lines(pieces, line), dialect, members), members.understood
    )


def _numbered(read: Callable[[JsonStream], Iterator[OfSubject | RowError]], of: str) -> Read:
    """The examples, counted from 1."""

    def numbered(pieces: Iterator[bytes], first_line: int) -> Iterator[Found]:
        stream = JsonStream(pieces, first_line, of)
        stream.next()
        yield from enumerate(read(stream), start=1)

    return numbered


def lines(numbered: Lines, dialect: Dialect, members: Members) -> Iterator[Found]:
    """The records of JSON Lines, one per line. Blank lines are counted but are not records."""
    expected = f". Expected a JSON array, or one JSON object per line: {FORM}" if dialect is PLAIN else ""
    for number, line in numbered:
        if line is None:
            yield number, too_long()
        elif line and not line.isspace():
            try:
                record = strict_json.parse(decoded(line))
            except BrokenJsonError as error:
                yield number, RowError(error.reason + expected)
            except RowError as error:
                yield number, error
            else:
                for found in labelled((record,), dialect, members):
                    yield number, found


def decoded(line: bytes) -> str:
    """The line as text. Raises RowError if it isn't UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise RowError(not_utf8(line[error.start])) from error


def not_utf8(byte: int) -> str:
    return f"is not UTF-8 (byte 0x{byte:02x}): save the file as UTF-8"


def too_long() -> RowError:
    return RowError(f"has more than {MOST_RECORD_BYTES:,} bytes: put one example on each line, or shorten the text")


def _goes_on(begins: Beginning) -> bool:
    """Whether the first line is the beginning of JSON that continues on the next line, or is too long to be a record."""
    line = begins.sample.partition("\n")[0].rstrip()
    if len(line.encode()) > MOST_RECORD_BYTES:
        return True
    try:
        strict_json.parse_at(line, 0)
    except BrokenJsonError as error:
        return error.position is not None and error.position >= len(line)
    return False


def _parsed(line: str) -> Any:
    """The first record, or None if it can't be read: its error is reported later, when its turn comes."""
    try:
        return strict_json.parse(line)
    except BrokenJsonError:
        return None


def _first_value(head: bytes) -> Any:
    """The first value, or None if it can't be read or if the head ends within it."""
    try:
        return strict_json.parse_at(head.decode(errors="replace").lstrip(), 0)[0]
    except BrokenJsonError:
        return None


def _first_element(head: bytes) -> Any:
    """The first element of an array, or None as in `_first_value`."""
    return _first_value(head.lstrip().removeprefix(b"["))
