"""The bytes of a file as UTF-8, whatever encoding the file has. Every reader behind this module sees UTF-8 only."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from winnow.datasets.row_problems import FileError, Kind, Problem
from winnow.datasets.unpacking import Held

UTF_8, UTF_16, WINDOWS_1252 = "utf-8", "utf-16", "windows-1252"
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A UTF-32 mark begins with a UTF-16 mark.
_UTF_32_MARK = codecs.BOM_UTF32_LE
# A line is decoded whole, up to this length. A longer one, such as a JSON array on one line, is decoded in parts.
_LONGEST_PART = 1_000_000
# The longest beginning of a character in UTF-8 whose end is in the next part.
_LONGEST_BEGINNING = 3


class Decoding:
    """Turns the pieces of a file into UTF-8.

    asked: the encoding that the client named, None to find it. of: the file's name in sentences. `encoding` is known after reading.
    """

    def __init__(self, asked: str | None, of: str) -> None:
        self._asked = asked
        self._of = of
        self._line = 1
        self._windows_lines = 0
        self._first_windows_line = 0
        self._in_windows_line = False
        self.encoding = asked or UTF_8

    def utf8(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Raises FileError if the file isn't in the encoding that the client named, or if its UTF-16 is broken."""
        held = Held(pieces)
        first = b""
        for piece in held:
            first += piece
            if len(first) >= len(_UTF_32_MARK):
                break
        if first.startswith(_UTF_16_MARKS) and not first.startswith(_UTF_32_MARK) and self._asked in {None, UTF_16}:
            self.encoding = UTF_16
        if self.encoding != UTF_8:
            yield from self._converted(first, held)
        elif self._asked:
            yield first
            yield from held
        else:
            yield from self._found(first, held)
        held.raise_held()

    def problem(self) -> Problem | None:
        """The warning about lines that were read as Windows-1252, because they aren't UTF-8."""
        if not self._windows_lines:
            return None
        lines = "1 line is" if self._windows_lines == 1 else f"{self._windows_lines:,} lines are"
        sentence = (
            f"{lines} not UTF-8 (the first is line {self._first_windows_line} of {self._of}), and read as Windows-1252."
            " If accents look wrong, save the file as UTF-8 or give `encoding`."
        )
        return Problem(Kind.NOT_UTF_8, self._first_windows_line, sentence)

    def _converted(self, first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
        codec = self.encoding
        if codec == UTF_16 and not first.startswith(_UTF_16_MARKS):
            # Most texts begin with a character whose high byte is 0.
            codec = "utf-16-be" if first.startswith(b"\0") else "utf-16-le"
        decoder = codecs.getincrementaldecoder(codec)()
        text, line = "", 1
        try:
            text = decoder.decode(first)
            for piece in pieces:
                line += text.count("\n")
                yield text.encode()
                text = decoder.decode(piece)
            yield (text + decoder.decode(b"", final=True)).encode()
        except UnicodeDecodeError as error:
            line += text.count("\n") + error.object[: error.start].count(b"\n")
            named = f"{self._of[0].upper()}{self._of[1:]} is not {self.encoding} (near line {line})"
            raise FileError(f"{named}: save it as UTF-8, or give the right `encoding`.") from error

    def _found(self, first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """UTF-8 as it is, and each line that isn't from Windows-1252."""
        left = first
        for piece in pieces:
            ends = left.rfind(b"\n") + 1
            if not ends and len(left) > _LONGEST_PART:
                ends = len(left) - _beginning_of_character(left)
            if ends:
                yield self._decoded(left[:ends])
            left = left[ends:] + piece
        yield self._decoded(left)

    def _decoded(self, part: bytes) -> bytes:
        """A part that ends with a line, or that belongs to a long line."""
        try:
            if not self._in_windows_line:
                part.decode()
                self._line += part.count(b"\n")
                return part
        except UnicodeDecodeError:
            pass
        *lines, last = part.split(b"\n")
        return b"".join(self._decoded_line(line) for line in [*(line + b"\n" for line in lines), last] if line)

    def _decoded_line(self, line: bytes) -> bytes:
        number, ends = self._line, line.endswith(b"\n")
        self._line += ends
        try:
            if not self._in_windows_line:
                line.decode()
                return line
        except UnicodeDecodeError:
            pass
        try:
            decoded = line.decode(WINDOWS_1252).encode()
        except UnicodeDecodeError:
            # Neither of the two: the reader says so, with the line's number.
            return line
        if not self._in_windows_line:
            self._windows_lines += 1
            self._first_windows_line = self._first_windows_line or number
        self._in_windows_line = not ends
        self.encoding = WINDOWS_1252
        return decoded


def _beginning_of_character(part: bytes) -> int:
    """The number of bytes at the end that begin a character in UTF-8 and don't end it."""
    for length in range(1, min(_LONGEST_BEGINNING, len(part)) + 1):
        byte = part[-length]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return length if length < needed else 0
        if byte < 0x80:
            return 0
    return 0
