"""The records of a table whose layout is known (tables.py): CSV (RFC 4180), with any delimiter.

Each reader yields the line where a record starts with its cells, or with the reason why it can't be read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache

from winnow.datasets.json_formats import Found, not_utf8, too_long
from winnow.datasets.row_problems import FileError, RowError
from winnow.datasets.tables import Table, reader_of, repeated
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Lines
from winnow.domain.normal_form import is_blank

# The csv module's own limit (131,072 characters per field) stops in the middle of a line, even inside a quote.
csv.field_size_limit(MOST_RECORD_BYTES)

# The rest of the line depends only on the state of the last field: inside quotes, after the closing quote, unquoted, or not begun.
_OPEN = b'"'
_SHORTEST = {"open": _OPEN, "closed": b'""', "bare": b"x", "none": b""}
# csv.reader ends a record with its line after a carriage return, or after text between a closing quote and a delimiter.
_ENDED = b"\r"

_NUL = "holds a NUL byte: save the file as UTF-8 text"
# The start of csv.reader's message.
_NEVER_CLOSED = "unexpected end"
_CURLY = "“”„"


def examples(numbered: Lines, table: Table, of: str) -> Iterator[Found]:
    """The text, the label cell and the subject of each record. FileError if a column that is read occurs twice."""
    for row, cells in records(numbered, table, of):
        if isinstance(cells, RowError):
            yield row, cells
        else:
            subject = None if table.subject is None else cells[table.subject]
            yield row, (text_of(cells, table), [cells[table.label or 0]], subject)


def text_of(cells: Sequence[str], table: Table) -> str:
    """The text of a record: the cells of its text columns, joined by a blank line."""
    if len(table.text) == 1:
        return cells[table.text[0]]
    return "\n\n".join(cell.strip() for place in table.text if not is_blank(cell := cells[place]))


def records(numbered: Lines, table: Table, of: str) -> Iterator[tuple[int, list[str] | RowError]]:
    """The records, each with as many cells as the table has columns. Blank records are passed over, as Excel leaves them at the end.

    FileError if the header can't be read, or if it repeats a column that is read.
    """
    for place, (row, record) in enumerate(_records(numbered, table, of)):
        if place < table.first:
            if isinstance(record, RowError):
                raise FileError(f"Line {row} of {of} {record.predicate}.", row=row)
            if (
                table.names
                and place == table.first - 1
                and (name := repeated(table.names, (*table.text, table.label, table.id, table.subject)))
            ):
                twice = f"two columns named {name} (upper and lower case are the same)"
                raise FileError(f"Line {row} of {of} has {twice}: rename or remove one.", row=row)
        else:
            yield row, record if isinstance(record, RowError) else _fitted(record, table)


def _fitted(record: list[str], table: Table) -> list[str] | RowError:
    """The record without empty cells at its end that have no column."""
    while len(record) > table.width and is_blank(record[-1]):
        record.pop()
    if len(record) == table.width:
        return record
    said = f"has {_columns(record)}, but the {'header' if table.names else 'first line'} has {table.width:,}"
    if any(mark in cell for cell in record for mark in _CURLY):
        return RowError(f'{said}: a text is quoted with “ and ”, so use straight quotes (")')
    quoted = f"quote texts that contain {_SPOKEN.get(table.delimiter, repr(table.delimiter))} or a quote"
    return RowError(f"{said}: {quoted if len(record) > table.width else 'fill or remove the row'}")


_SPOKEN = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}


def _columns(record: Sequence[str]) -> str:
    return "1 column" if len(record) == 1 else f"{len(record):,} columns"


class _Feed:
    """Lines for csv.reader. It remembers an undecodable line, because the reader must continue to the end of the record.

    If a record exceeds MOST_RECORD_BYTES, its rest is skipped and RowError is raised: the next line begins the next record.
    """

    def __init__(self, numbered: Lines, delimiter: str) -> None:
        self._parts = numbered.parts()
        self._delimiter = delimiter
        self.number = numbered.number
        self.begin()

    def begin(self) -> None:
        """The next line is the first of a record."""
        self._first = self.number + 1
        self._bytes = 0
        self.wrong: RowError | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, part, ends = next(self._parts)
        if self._bytes + len(part) > MOST_RECORD_BYTES:
            self._pass_over(part, ends)
            raise self._too_long()
        line = part + b"\n"
        self._bytes += len(line)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            self.wrong = RowError(not_utf8(line[error.start]))
            return line.decode(errors="replace")

    def _pass_over(self, part: bytes, ends: bool) -> None:
        # csv.reader asks for a second line only if a quote is open at the end of the first.
        before = _OPEN if self.number > self._first else b""
        while (before := _standing_for(before + part, self._delimiter)) == _OPEN or not ends:
            try:
                self.number, part, ends = next(self._parts)
            except StopIteration:
                raise csv.Error(_NEVER_CLOSED) from None

    def _too_long(self) -> RowError:
        if self.number == self._first:
            return too_long()
        return RowError(
            f"has more than {MOST_RECORD_BYTES:,} bytes, because its quote is open until line {self.number}:"
            " close the quote where the text ends, or shorten the text"
        )


def _standing_for(part: bytes, delimiter: str) -> bytes:
    """The shortest bytes that leave CSV parsing in the same state as these. The part begins at the start of a field."""
    found = _fields(delimiter).fullmatch(part)
    return _SHORTEST[found.lastgroup] if found and found.lastgroup else _ENDED


@cache
def _fields(delimiter: str) -> re.Pattern[bytes]:
    """Bytes from the start of a field: whole fields with their delimiters, and the last field as far as it goes.

    csv.reader passes over spaces before a field.
    """
    end = re.escape(delimiter.encode())
    quoted = rb' *+"(?:[^"]++|"")*+'
    bare = rb' *+[^" \r%b][^\r%b]*+' % (end, end)
    return re.compile(
        rb'(?:(?:%(quoted)b"|%(bare)b| *+)%(end)b)*+(?:(?P<open>%(quoted)b)|(?P<closed>%(quoted)b")|(?P<bare>%(bare)b)|(?P<none> *+))'
        % {b"quoted": quoted, b"bare": bare, b"end": end}
    )


def _records(numbered: Lines, table: Table, of: str) -> Iterator[tuple[int, list[str] | RowError]]:
    feed = _Feed(numbered, table.delimiter)
    reader = reader_of(feed, table.delimiter, quoted=table.quoted)
    while True:
        row = feed.number + 1
        feed.begin()
        try:
            record: list[str] | RowError = next(reader)
        except StopIteration:
            return
        except RowError as error:
            record = error
        except csv.Error as error:
            record = _explained(error, row, of)
        if feed.wrong is not None:
            record = feed.wrong
        elif isinstance(record, list) and any("\0" in field for field in record):
            record = RowError(_NUL)
        if isinstance(record, RowError) or not all(is_blank(cell) for cell in record):
            yield row, record


def _explained(error: csv.Error, row: int, of: str) -> RowError:
    said = str(error)
    if said.startswith(_NEVER_CLOSED):
        sentence = f"Line {row} of {of} opens a quote that is never closed: close it, and double the quotes inside it."
        raise FileError(sentence, row=row) from error
    if "expected after" in said:
        return RowError("has text between a closing quote and the next delimiter: double the quotes inside a quoted text")
    return RowError("contains a carriage return: end lines with LF or CRLF, and quote texts that contain one")
