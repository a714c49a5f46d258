"""A JSON file whose bytes come in pieces, read value by value. It holds the current piece and one incomplete value at most."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

from winnow.datasets.row_problems import FileError
from winnow.datasets.unpacking import MOST_RECORD_BYTES
from winnow.domain import strict_json
from winnow.domain.strict_json import BrokenJsonError

_WHITE = re.compile(r"[ \t\n\r]*")


class JsonStream:
    """A cursor in a JSON file. Every method raises FileError, with line and column, where the JSON breaks."""

    def __init__(self, pieces: Iterator[bytes], first_line: int, of: str) -> None:
        self._pieces = pieces
        self._of = of
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._undecodable: FileError | None = None
        # The place of the text's first character, counted from 0.
        self._line = first_line - 1
        self._column = 0

    def next(self) -> str:
        """Skip white space and return the next character, or "" at the end."""
        while True:
            self._at = _end_of_white(self._text, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def elements(self) -> Iterator[Any]:
        """The elements of the array that begins here."""
        self._at += 1
        if self.next() != "]":
            yield self.value()
            while (separator := self.next()) != "]":
                if separator != ",":
                    raise self._broken("is not JSON: Expecting ',' delimiter", self._at)
                comma, self._at = self._at, self._at + 1
                # An error names the place of a trailing comma. The next piece replaces this one, so compute that place before it is gone.
                piece_ends = _end_of_white(self._text, self._at) == len(self._text)
                place = self._place(comma) if piece_ends else None
                if self.next() == "]":
                    raise self._broken("is not JSON: Illegal trailing comma before end of array", comma, place)
                yield self.value()
        self._at += 1

    def members(self) -> Iterator[str]:
        """The names of the members of the object that begins here. The caller reads each member's value before it takes the next name."""
        names: set[str] = set()
        self._at += 1
        separator = "" if self.next() == "}" else ","
        while separator == ",":
            if self.next() != '"':
                raise self._broken("is not JSON: Expecting property name enclosed in double quotes", self._at)
            name = self.value()
            if name in names:
                raise self._broken(f"is not JSON: the key {name[:100]!r} appears twice in one object", self._at)
            names.add(name)
            if self.next() != ":":
                raise self._broken("is not JSON: Expecting ':' delimiter", self._at)
            self._at += 1
            self.next()
            yield name
            if (separator := self.next()) not in {",", "}"}:
                raise self._broken("is not JSON: Expecting ',' delimiter", self._at)
            if separator == ",":
                self._at += 1
        self._at += 1

    def values(self) -> Iterator[Any]:
        """One value after another, to the end of the file."""
        while self.next():
            yield self.value()

    def end(self, what: str) -> None:
        """Raise FileError if something stands after the array or object."""
        if self.next():
            raise self._broken(f"is not JSON: Extra data after the {what}", self._at)

    def value(self) -> Any:
        """The value that begins here."""
        while True:
            try:
                value, end = strict_json.parse_at(self._text, self._at)
            except BrokenJsonError as error:
                # The value may only be incomplete.
                if len(self._text) - self._at > MOST_RECORD_BYTES and error.position is not None and not self._ended:
                    raise self._broken(
                        f"holds an element of more than {MOST_RECORD_BYTES:,} characters, or one that never ends", self._at
                    ) from error
                if error.position is None or self._ended:
                    raise self._broken(error.reason, self._at if error.position is None else error.position) from error
            else:
                # A number at the end of the piece may continue in the next one.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            self._more()

    def _more(self) -> None:
        """Add the next piece and drop what was read."""
        start = self._text.rfind("\n", 0, self._at) + 1
        self._line += self._text.count("\n", 0, self._at)
        self._column = self._at - start if start else self._column + self._at
        left = self._text[self._at :]
        piece = next(self._pieces, b"")
        self._ended = not piece
        if self._undecodable is not None:
            raise self._undecodable
        try:
            self._text, self._at = left + self._decoder.decode(piece, final=self._ended), 0
        except UnicodeDecodeError as error:
            # Read the text before the broken byte first.
            self._text, self._at = left + error.object[: error.start].decode(), 0
            line = self._line + self._text.count("\n") + 1
            byte = error.object[error.start]
            self._undecodable = FileError(f"Line {line} of {self._of} is not UTF-8 (byte 0x{byte:02x}): save the file as UTF-8.")

    def _place(self, position: int) -> str:
        start = self._text.rfind("\n", 0, position) + 1
        line = self._line + self._text.count("\n", 0, position) + 1
        return f"line {line} column {position - start + 1 + (0 if start else self._column)}"

    def _broken(self, reason: str, position: int, place: str | None = None) -> FileError:
        return FileError(f"{self._of[0].upper()}{self._of[1:]} {reason}, {place or self._place(position)}.")


def _end_of_white(text: str, start: int) -> int:
    found = _WHITE.match(text, start)
    return found.end() if found else start
